"""Indexes for the board and a duty team's list among the referrals of years (bench/pages.py)

Revision: 0014, after 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OPEN = "status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY')"


def upgrade() -> None:
    op.create_index(
        "check_open_by_referral",
        "agency_check",
        ["reference", "due_at", "paused_at"],
        postgresql_where=sa.text(OPEN),
    )
    op.create_index("referral_closed_lately", "referral", ["closed_at"], postgresql_where=sa.text("stage = 'CLOSED'"))


def downgrade() -> None:
    op.drop_index("referral_closed_lately", table_name="referral")
    op.drop_index("check_open_by_referral", table_name="agency_check")
