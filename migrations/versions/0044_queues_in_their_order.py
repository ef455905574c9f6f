"""The board and an agency's queue are read in their order, from an index, however many wait

A screen of sixty or a hundred looked at each of ten thousand open referrals or checks, and put them in order anew, each
time it was opened (bench/pages.py). Now a check holds its place in its agency's queue, and a referral its place on the
board and when the last of its open checks is due, which the record keeps up whenever a check changes.

Revision: 0044, after 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

OPEN = "status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY')"
BOARD_PLACE = (
    "CASE urgency_rating WHEN 'RED' THEN 0 WHEN 'AMBER' THEN 10 ELSE 20 END"
    " + CASE stage WHEN 'AWAITING_DECISION' THEN 1 ELSE 2 END"
)
#: The open checks whose clock goes.
GOES = f"{OPEN} AND paused_at IS NULL"
CLOCK = f"SELECT max(due_at) FROM agency_check WHERE agency_check.reference = referral.reference AND {GOES}"
#: What is settled is in no queue, so that its place is of no interest.
PLACES = f"""
UPDATE agency_check SET place = CASE urgency_rating WHEN 'RED' THEN 0 WHEN 'AMBER' THEN 100 ELSE 200 END + coalesce(
    (
        SELECT number - 1 FROM jsonb_array_elements(content->'clocks'->'bands') WITH ORDINALITY AS bands (band, number)
        WHERE band->>'code' = urgency
    ), jsonb_array_length(content->'clocks'->'bands')
)
FROM referral JOIN area_profile ON area_profile.version = profile_version
WHERE referral.reference = agency_check.reference AND {OPEN}
"""


def upgrade() -> None:
    op.execute("SELECT set_config('mash.scope', 'hub', true)")
    op.add_column("agency_check", sa.Column("place", sa.SmallInteger(), server_default="0", nullable=False))
    op.execute(PLACES)
    op.alter_column("agency_check", "place", server_default=None)
    op.add_column("referral", sa.Column("clock_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referral", sa.Column("board_place", sa.SmallInteger(), server_default="22", nullable=False))
    op.execute(f"UPDATE referral SET clock_due_at = ({CLOCK}), board_place = {BOARD_PLACE} WHERE stage <> 'CLOSED'")
    op.alter_column("referral", "board_place", server_default=None)
    _index_queue(["agency", "place", "due_at", "reference"])
    op.create_index(
        "referral_on_board",
        "referral",
        ["board_place", "clock_due_at", "received_at", "reference"],
        postgresql_where=sa.text("stage <> 'CLOSED'"),
    )
    op.execute(f"""
        CREATE FUNCTION keep_clock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE referral SET clock_due_at = found.due_at
            FROM (
                SELECT max(due_at) AS due_at FROM agency_check
                WHERE agency_check.reference = NEW.reference AND {GOES}
            ) AS found
            WHERE referral.reference = NEW.reference AND referral.clock_due_at IS DISTINCT FROM found.due_at;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER check_keeps_clock AFTER INSERT OR UPDATE OF status, due_at, paused_at ON agency_check"
        " FOR EACH ROW EXECUTE FUNCTION keep_clock()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER check_keeps_clock ON agency_check")
    op.execute("DROP FUNCTION keep_clock()")
    op.drop_index("referral_on_board", table_name="referral")
    op.drop_column("referral", "board_place")
    op.drop_column("referral", "clock_due_at")
    _index_queue(["agency", "due_at"])
    op.drop_column("agency_check", "place")


def _index_queue(columns: list[str]) -> None:
    op.drop_index("check_open_by_agency", table_name="agency_check")
    op.create_index("check_open_by_agency", "agency_check", columns, postgresql_where=sa.text(OPEN))
