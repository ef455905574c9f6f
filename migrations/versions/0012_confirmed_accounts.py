"""Somebody says every half year who still works there

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CHECK = "account_manager_is_agencys"


def upgrade() -> None:
    op.add_column("account", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("manages_colleagues", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("account", "manages_colleagues", server_default=None)
    op.create_check_constraint(CHECK, "account", "NOT manages_colleagues OR (is_person AND role = 'AGENCY')")


def downgrade() -> None:
    op.drop_constraint(CHECK, "account")
    op.drop_column("account", "manages_colleagues")
    op.drop_column("account", "confirmed_at")
