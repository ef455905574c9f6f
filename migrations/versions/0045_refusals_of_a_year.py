"""The refusals of a year, and how many checks there were, are read from indexes: not each check of all years

With 880,000 checks the page read all of them, twice (bench/pages.py).

Revision: 0045, after 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("check_by_age", "agency_check", ["requested_at", "agency", "status", "reference"])
    op.create_index("check_declined", "agency_check", ["settled_at"], postgresql_where=sa.text("status = 'DECLINED'"))


def downgrade() -> None:
    op.drop_index("check_declined", table_name="agency_check")
    op.drop_index("check_by_age", table_name="agency_check")
