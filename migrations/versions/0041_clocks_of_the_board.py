"""The board reads the clocks of all open checks from their index alone, whose agency the second wall asks for too

Revision: 0041, after 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

INDEX = "check_open_by_referral"
OPEN = sa.text("status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY')")


def upgrade() -> None:
    op.drop_index(INDEX, table_name="agency_check")
    op.create_index(INDEX, "agency_check", ["reference", "due_at", "paused_at", "agency"], postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="agency_check")
    op.create_index(INDEX, "agency_check", ["reference", "due_at", "paused_at"], postgresql_where=OPEN)
