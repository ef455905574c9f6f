"""Indexes for everyday's screens: without them each reads a table of referrals from end to end (bench/screens.py)

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = "status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY')"


def upgrade() -> None:
    op.create_index(
        "referral_open_by_age",
        "referral",
        ["received_at", "reference"],
        postgresql_where=sa.text("stage <> 'CLOSED'"),
    )
    op.create_index("referral_by_age", "referral", ["received_at", "reference"])
    op.create_index("check_open_by_agency", "agency_check", ["agency", "due_at"], postgresql_where=sa.text(OPEN))
    op.create_index(
        "check_settled_by_agency", "agency_check", ["agency", "settled_at"], postgresql_where=sa.text(f"NOT ({OPEN})")
    )


def downgrade() -> None:
    op.drop_index("check_settled_by_agency", table_name="agency_check")
    op.drop_index("check_open_by_agency", table_name="agency_check")
    op.drop_index("referral_by_age", table_name="referral")
    op.drop_index("referral_open_by_age", table_name="referral")
