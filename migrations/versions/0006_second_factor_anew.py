"""When the second factor was last given, with a session or with a token

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("portal_session", "api_token"):
        op.add_column(table, sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in ("portal_session", "api_token"):
        op.drop_column(table, "proven_at")
