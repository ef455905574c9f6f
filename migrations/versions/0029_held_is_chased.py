"""A referral that is held at the legal gate is chased, and tried again when an agreement begins

Revision: 0029, after 0028
"""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

KINDS = ("RUN", "WARN", "BREACH", "CHASE_ACK", "ESCALATE_DISSENT")


def upgrade() -> None:
    _allow(*KINDS, "CHASE_BASIS", "TRY_GATE")


def downgrade() -> None:
    op.execute("DELETE FROM wake WHERE kind IN ('CHASE_BASIS', 'TRY_GATE')")
    _allow(*KINDS)


def _allow(*kinds: str) -> None:
    op.drop_constraint("wakekind", "wake", type_="check")
    op.create_check_constraint("wakekind", "wake", f"kind IN ({', '.join(map(repr, kinds))})")
