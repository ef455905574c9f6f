"""A check's clock can be moved or stopped by a person, and a check be asked for by one (R20, R21, R33)

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PAUSE_HAS_A_REASON = "(paused_at IS NULL) = (pause_reason IS NULL)"
PAUSED_IS_AWAITED = "paused_at IS NULL OR (settled_at IS NULL AND breached_at IS NULL)"


def upgrade() -> None:
    op.alter_column("agency_check", "due_in_words", type_=sa.Text())
    op.add_column("agency_check", sa.Column("paused_at", sa.DateTime(timezone=True)))
    op.add_column("agency_check", sa.Column("pause_reason", sa.String(40)))
    for name in ("blocking", "noted_by_run"):
        op.add_column("agency_check", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))
        op.alter_column("agency_check", name, server_default=None)
    op.add_column("agency_check", sa.Column("question", sa.LargeBinary()))
    op.create_check_constraint("check_pause_has_a_reason", "agency_check", PAUSE_HAS_A_REASON)
    op.create_check_constraint("check_paused_is_awaited", "agency_check", PAUSED_IS_AWAITED)


def downgrade() -> None:
    op.drop_constraint("check_paused_is_awaited", "agency_check")
    op.drop_constraint("check_pause_has_a_reason", "agency_check")
    for name in ("question", "noted_by_run", "blocking", "pause_reason", "paused_at"):
        op.drop_column("agency_check", name)
    op.alter_column("agency_check", "due_in_words", type_=sa.String(2000))
