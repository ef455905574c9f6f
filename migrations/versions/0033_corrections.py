"""A person's details are corrected as a new version

Revision: 0033, after 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subject", sa.Column("details_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("subject", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("corrected_at", "details_version"):
        op.drop_column("subject", column)
