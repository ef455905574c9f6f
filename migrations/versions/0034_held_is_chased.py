"""A held referral is chased, and tried again when an agreement begins; an outcome can be stopped before it leaves

Revision: 0034, after 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

#: What was signed goes back to a person when it may not leave as the record stands by now.
STOPPED = ("referral", "HANDING_BACK", "AWAITING_DECISION")
KINDS = ("RUN", "WARN", "BREACH", "CHASE_ACK", "ESCALATE_DISSENT")


def upgrade() -> None:
    _allow(*KINDS, "CHASE_BASIS", "TRY_GATE")
    columns = [sa.column(name) for name in ("of_table", "from_status", "to_status")]
    op.execute(sa.insert(sa.table("stage_move", *columns)).values(STOPPED))
    # Whoever was held already is chased too, from now on.
    op.execute(
        "INSERT INTO wake (id, reference, kind, about, due_at, attempts)"
        " SELECT gen_random_uuid(), reference, 'CHASE_BASIS', '', mash_now(), 0 FROM referral"
        " WHERE stage = 'AWAITING_BASIS'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM stage_move WHERE (from_status, to_status) = ('HANDING_BACK', 'AWAITING_DECISION')")
    op.execute("DELETE FROM wake WHERE kind IN ('CHASE_BASIS', 'TRY_GATE')")
    _allow(*KINDS)


def _allow(*kinds: str) -> None:
    op.drop_constraint("wakekind", "wake", type_="check")
    op.create_check_constraint("wakekind", "wake", f"kind IN ({', '.join(map(repr, kinds))})")
