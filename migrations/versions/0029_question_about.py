"""What the duty team's question is about, which narrows whom is asked

Revision: 0029, after 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("referral", sa.Column("question_about", JSONB(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("referral", "question_about")
