"""An index of the few wakes that are held back: the timekeeper asks for the nearest one at each of its turns

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("wake_held", "wake", ["hold_until"], postgresql_where=sa.text("hold_until IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("wake_held", table_name="wake")
