"""Figures of any days and years of agreement within a second: an index that holds all they count, and views kept

Revision: 0036, after 0035

Whether somebody came before is asked without the length of their digest, so no index on that was ever used. What each
agency thought is worked out with the rest of a referral's figures, in place of anew for every reader.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_REFERENCE = "CASE WHEN k.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN k.reference END"
_SAID = "SELECT DISTINCT reference, agency FROM public.threshold_view"
_LAST = """
    SELECT t.view FROM public.threshold_view t WHERE t.reference = v.reference AND t.agency = v.agency
    ORDER BY t.recorded_at DESC, t.id LIMIT 1
"""
_OWN = """
    SELECT t.threshold_met FROM public.threshold_view t WHERE t.reference = v.reference AND t.agency = v.agency
        AND t.threshold_met IS NOT NULL
        AND t.recorded_at < coalesce((SELECT min(held_at) FROM public.discussion n WHERE n.reference = v.reference),
            'infinity')
    ORDER BY t.recorded_at DESC, t.id LIMIT 1
"""
KEEPING = f"""
CREATE TABLE reports.kept_view (
    reference varchar(9) NOT NULL, agency varchar(40) NOT NULL, own_met boolean, last_view varchar(40) NOT NULL,
    PRIMARY KEY (reference, agency)
);
ALTER FUNCTION reports.keep_referrals(varchar[]) RENAME TO keep_all_but_views;
CREATE FUNCTION reports.keep_referrals(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT reports.keep_all_but_views(wanted);
    DELETE FROM reports.kept_view WHERE reference = ANY (wanted);
    INSERT INTO reports.kept_view
    SELECT v.reference, v.agency, own.threshold_met, last.view
    FROM ({_SAID} WHERE reference = ANY (wanted)) v
    CROSS JOIN LATERAL ({_LAST}) last LEFT JOIN LATERAL ({_OWN}) own ON true;
$$;
REVOKE EXECUTE ON FUNCTION reports.keep_referrals(varchar[]) FROM PUBLIC;
INSERT INTO reports.stale SELECT DISTINCT reference FROM public.threshold_view;
"""
#: The columns, their names and their order stay as they were.
DECIDED = f"""
CREATE OR REPLACE VIEW reports.agency_views AS
SELECT {_REFERENCE} AS reference, k.side, d.decided_on, v.agency, {{own}} AS own_met, {{last}} AS last_view,
    d.decided_met
FROM (
    SELECT reference, max(decided_on) AS decided_on, bool_or(threshold_met) AS decided_met
    FROM reports.kept_decision GROUP BY reference
) d
JOIN reports.kept_referral k ON k.reference = d.reference
JOIN {{of}} v ON v.reference = d.reference {{more}}
"""
NOW = DECIDED.format(own="v.own_met", last="v.last_view", of="reports.kept_view", more="")
BEFORE = DECIDED.format(
    own="own.threshold_met", last="last.view", of=f"({_SAID})",
    more=f"CROSS JOIN LATERAL ({_LAST}) last LEFT JOIN LATERAL ({_OWN}) own ON true",
)  # fmt: skip
INDEX = """
DROP INDEX reports.kept_check_by_day;
CREATE INDEX kept_check_by_day ON reports.kept_check (asked_on) INCLUDE (
    agency, side, band, state, month, cause, breached_at, answer_minutes, answer_open_minutes
);
"""


def upgrade() -> None:
    _index_people("person_digest IS NOT NULL")
    for statements in (KEEPING, NOW, INDEX):
        op.execute(statements)


def _index_people(where: str) -> None:
    op.drop_index("subject_by_person", "subject")
    op.create_index("subject_by_person", "subject", ["person_digest"], postgresql_where=sa.text(where))


def downgrade() -> None:
    _index_people("length(person_digest) > 0")
    op.execute(BEFORE)
    op.execute("DROP FUNCTION reports.keep_referrals(varchar[])")
    op.execute("ALTER FUNCTION reports.keep_all_but_views(varchar[]) RENAME TO keep_referrals")
    op.execute("DROP TABLE reports.kept_view")
    op.execute("DROP INDEX reports.kept_check_by_day")
    op.execute("CREATE INDEX kept_check_by_day ON reports.kept_check (asked_on)")
