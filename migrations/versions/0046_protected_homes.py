"""Whether somebody at an address is protected is read from an index of those who are, which are few (R29)

The radar asked it of every subject of each referral that it compared (bench/radar.py).

Revision: 0046, after 0045
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "subject_protected", "subject", ["reference", "household"], postgresql_where=sa.text("protected_address")
    )


def downgrade() -> None:
    op.drop_index("subject_protected", table_name="subject")
