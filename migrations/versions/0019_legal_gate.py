"""The lawful basis of each person, and the stage at which a referral waits for it

Revision: 0019, after 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE = (
    "RECEIVED", "QUEUED_OUT_OF_HOURS", "CHECKING", "AWAITING_DECISION", "HANDING_BACK", "AWAITING_ACK", "CLOSED",
)  # fmt: skip
HELD = "AWAITING_BASIS"
MOVES = (("RECEIVED", HELD), ("QUEUED_OUT_OF_HOURS", HELD), (HELD, "CHECKING"), (HELD, "HANDING_BACK"))
CODES = ("informed_how", "consent_reason_code", "request_reason", "article_6", "article_9", "dpa_condition", "gateway")
DAYS = ("informed_on", "consent_on")
SEALED = ("consent_given_by", "basis_confirmed_by")


def upgrade() -> None:
    stages((*BEFORE[:2], HELD, *BEFORE[2:]))
    moves = sa.table("stage_move", sa.column("of_table"), sa.column("from_status"), sa.column("to_status"))
    op.bulk_insert(moves, [{"of_table": "referral", "from_status": was, "to_status": to} for was, to in MOVES])
    for name in CODES:
        op.add_column("subject", sa.Column(name, sa.String(length=40), nullable=True))
    for name in DAYS:
        op.add_column("subject", sa.Column(name, sa.Date(), nullable=True))
    for name in SEALED:
        op.add_column("subject", sa.Column(name, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for name in (*CODES, *DAYS, *SEALED):
        op.drop_column("subject", name)
    op.execute(f"DELETE FROM stage_move WHERE '{HELD}' IN (from_status, to_status)")
    stages(BEFORE)


def stages(known: tuple[str, ...]) -> None:
    """Let the record hold these stages and no others."""
    listed = ", ".join(f"'{stage}'" for stage in known)
    for table in ("referral", "repair"):
        op.drop_constraint("stage", table)
        op.create_check_constraint("stage", table, f"stage IN ({listed})")
