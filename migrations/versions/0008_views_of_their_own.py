"""An agency's own view of the threshold: met or not, and where it would place the need (R37)

Revision: 0008, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("threshold_view", sa.Column("threshold_met", sa.Boolean(), nullable=True))
    op.add_column("threshold_view", sa.Column("level_of_need", sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column("threshold_view", "level_of_need")
    op.drop_column("threshold_view", "threshold_met")
