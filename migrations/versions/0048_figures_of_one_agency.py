"""What one agency is shown of itself, and what is late of one state, is read from an index of these alone

With eight million checks (bench/reports.py): the lengths of an agency's answers stood among those of all in each hour of
each month; its views were found referral by referral; and to find the few that are silent and yet settled, all that
ever came late were read.

Revision: 0048, after 0047
"""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

KEYS = {
    "kept_length": (
        "span, since, in_office, hour, minutes, agency, side, band, cause",
        "span, since, in_office, hour, agency, minutes, side, band, cause",
    ),
    "kept_length_hour": (
        "span, since, in_office, hour, agency, side, band, cause",
        "span, since, in_office, agency, hour, side, band, cause",
    ),
}
REFERENCE = "CASE WHEN {of}.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN {of}.reference END"
#: What is kept of a view is made anew with all else of its referral, before this.
JUDGED = """
    UPDATE reports.kept_view v SET side = k.side, decided_on = k.decided_on, decided_met = k.decided_met
    FROM reports.kept_judgement k WHERE {those}v.reference = k.reference"""
KEEP = f"""
ALTER FUNCTION reports.keep_judgements(varchar[]) RENAME TO keep_all_but_judged_views;
CREATE FUNCTION reports.keep_judgements(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT reports.keep_all_but_judged_views(wanted);{JUDGED.format(those="k.reference = ANY (wanted) AND ")};
$$;
REVOKE EXECUTE ON FUNCTION reports.keep_judgements(varchar[]) FROM PUBLIC
"""
KEEP_AS_BEFORE = """
DROP FUNCTION reports.keep_judgements(varchar[]);
ALTER FUNCTION reports.keep_all_but_judged_views(varchar[]) RENAME TO keep_judgements
"""
VIEWS = """
CREATE OR REPLACE VIEW reports.agency_views AS
SELECT {reference} AS reference, {judged}.side, {judged}.decided_on, v.agency, v.own_met, v.last_view,
    {judged}.decided_met
FROM {rows};
"""
VIEWS_NOW = VIEWS.format(
    reference=REFERENCE.format(of="v"), judged="v", rows="reports.kept_view v WHERE v.decided_on IS NOT NULL"
)
VIEWS_BEFORE = VIEWS.format(
    reference=REFERENCE.format(of="k"), judged="k",
    rows="reports.kept_judgement k JOIN reports.kept_view v ON v.reference = k.reference",
)  # fmt: skip


def upgrade() -> None:
    _order_keys(1)
    op.execute("ALTER TABLE reports.kept_view ADD side text, ADD decided_on date, ADD decided_met boolean")
    op.execute(JUDGED.format(those=""))
    op.execute(
        "CREATE INDEX kept_view_of_agency ON reports.kept_view (agency, decided_on)"
        " INCLUDE (reference, side, own_met, last_view, decided_met) WHERE decided_on IS NOT NULL"
    )
    op.execute(KEEP)
    op.execute(VIEWS_NOW)
    op.execute(
        "CREATE INDEX kept_check_longest_late_of ON reports.kept_check (state, late_minutes DESC, asked_at DESC, agency)"
        " WHERE late_minutes IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX reports.kept_check_longest_late_of")
    op.execute(VIEWS_BEFORE)
    op.execute(KEEP_AS_BEFORE)
    op.execute("ALTER TABLE reports.kept_view DROP side, DROP decided_on, DROP decided_met")
    _order_keys(0)


def _order_keys(place: int) -> None:
    for table, keys in KEYS.items():
        op.execute(f"ALTER TABLE reports.{table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY ({keys[place]})")
