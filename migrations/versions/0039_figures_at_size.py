"""A million referrals' figures within a second: counted once as they change, and office time joined, not asked row by row

Revision: 0039, after 0038

What a check counts towards is taken away before it is worked out anew, and added again afterwards (`count_checks`): so a
refresh costs as much as what changed, however much there is. How long answers took is kept by the minute, and by the
hour to find the minute in, of each month and of each year.
"""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_CELL = "agency, side, band, cause"
_COUNTS = ("asked", "on_time", "late", "silent", "declined", "cancelled", "open", "breached")
_WHAT = """agency varchar(40) NOT NULL, side text NOT NULL, band varchar(40) NOT NULL"""
TABLES = f"""
CREATE TABLE reports.kept_count (
    month date NOT NULL, {_WHAT}, cause varchar(40) NOT NULL,
    {", ".join(f"{name} integer NOT NULL" for name in _COUNTS)},
    PRIMARY KEY (month, {_CELL})
);
CREATE TABLE reports.kept_length (
    span text NOT NULL, since date NOT NULL, in_office boolean NOT NULL, hour integer NOT NULL, minutes integer NOT NULL,
    {_WHAT}, cause varchar(40) NOT NULL, checks integer NOT NULL,
    PRIMARY KEY (span, since, in_office, hour, minutes, {_CELL})
);
CREATE TABLE reports.kept_length_hour (
    span text NOT NULL, since date NOT NULL, in_office boolean NOT NULL, hour integer NOT NULL,
    {_WHAT}, cause varchar(40) NOT NULL, checks integer NOT NULL,
    PRIMARY KEY (span, since, in_office, hour, {_CELL})
);
CREATE TABLE reports.kept_asked_hour (
    month date NOT NULL, {_WHAT}, hour integer NOT NULL, checks integer NOT NULL,
    PRIMARY KEY (month, agency, side, band, hour)
);
CREATE INDEX kept_count_of_nothing ON reports.kept_count (month) WHERE asked = 0;
CREATE INDEX kept_length_of_nothing ON reports.kept_length (since) WHERE checks = 0;
CREATE INDEX kept_length_hour_of_nothing ON reports.kept_length_hour (since) WHERE checks = 0;
CREATE INDEX kept_asked_hour_of_nothing ON reports.kept_asked_hour (month) WHERE checks = 0;
CREATE TABLE reports.kept_judgement (
    reference varchar(9) PRIMARY KEY, side text NOT NULL, decided_on date NOT NULL, decided_met boolean NOT NULL,
    met integer NOT NULL, not_met integer NOT NULL
);
CREATE INDEX kept_judgement_by_day ON reports.kept_judgement (decided_on) INCLUDE (
    reference, side, decided_met, met, not_met
);
CREATE INDEX kept_check_longest_late ON reports.kept_check (late_minutes DESC, asked_at DESC, agency)
    WHERE late_minutes IS NOT NULL;
CREATE INDEX kept_check_grows_late ON reports.kept_check (due_at, asked_at DESC, agency)
    WHERE state = 'silent' AND settled_at IS NULL;
CREATE INDEX kept_check_by_state ON reports.kept_check (state, asked_at DESC, agency) WHERE late_minutes IS NULL;
"""

_ASKED_HOUR = "extract(hour FROM c.asked_at AT TIME ZONE coalesce(o.zone, 'UTC'))::integer"
_STATES = ", ".join(
    f"{{sign}} * count(*) FILTER (WHERE state = '{state}')"
    for state in ("on_time", "late", "silent", "declined", "cancelled", "open")
)
#: What some checks count towards. A cause that nobody has said is the empty text here.
COUNT = f"""
    INSERT INTO reports.kept_count AS k
    SELECT month, agency, side, band, coalesce(cause, ''), {{sign}} * count(*), {_STATES}, {{sign}} * count(breached_at)
    FROM reports.kept_check WHERE {{of}} GROUP BY 1, 2, 3, 4, 5 {{add_count}};
    INSERT INTO reports.kept_asked_hour AS k
    SELECT c.month, c.agency, c.side, c.band, {_ASKED_HOUR}, {{sign}} * count(*)
    FROM reports.kept_check c LEFT JOIN reports.office o USING (profile_version) WHERE {{of}} GROUP BY 1, 2, 3, 4, 5
    {{add_asked}};
    INSERT INTO reports.kept_length AS k
    SELECT span, date_trunc(span, c.asked_on)::date, in_office, minutes / 60, minutes, agency, side, band,
        coalesce(cause, ''), {{sign}} * count(*)
    FROM reports.kept_check c
    CROSS JOIN LATERAL (VALUES (false, answer_minutes), (true, answer_open_minutes)) length (in_office, minutes)
    CROSS JOIN (VALUES {{spans}}) spans (span)
    WHERE {{of}} AND minutes IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 {{add_length}};
"""
_ADD = "ON CONFLICT ({key}) DO UPDATE SET {sums}"
_SUMS = {name: f"{name} = k.{name} + excluded.{name}" for name in (*_COUNTS, "checks")}
_LENGTH_KEY = f"span, since, in_office, hour, minutes, {_CELL}"
ADDED = COUNT.format(
    sign="sign", of="reference = ANY (wanted)", spans="('month'), ('year')",
    add_count=_ADD.format(key=f"month, {_CELL}", sums=", ".join(_SUMS[name] for name in _COUNTS)),
    add_asked=_ADD.format(key="month, agency, side, band, hour", sums=_SUMS["checks"]),
    add_length=_ADD.format(key=_LENGTH_KEY, sums=_SUMS["checks"]),
)  # fmt: skip
_HOURS = f"""
    INSERT INTO reports.kept_length_hour AS k
    SELECT span, date_trunc(span, c.asked_on)::date, in_office, minutes / 60, agency, side, band, coalesce(cause, ''),
        sign * count(*)
    FROM reports.kept_check c
    CROSS JOIN LATERAL (VALUES (false, answer_minutes), (true, answer_open_minutes)) length (in_office, minutes)
    CROSS JOIN (VALUES ('month'), ('year')) spans (span)
    WHERE reference = ANY (wanted) AND minutes IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    {_ADD.format(key=f"span, since, in_office, hour, {_CELL}", sums=_SUMS["checks"])};
"""
_NOTHING_LEFT = "".join(
    f"    DELETE FROM reports.{table} WHERE {number} = 0;\n"
    for table, number in (
        ("kept_count", "asked"), ("kept_asked_hour", "checks"), ("kept_length", "checks"),
        ("kept_length_hour", "checks"),
    )
)  # fmt: skip
_ONE_MONTH = COUNT.format(
    sign="1", of="month = one", spans="('month')", add_count="", add_asked="", add_length=""
)  # fmt: skip
KEEPING = f"""
CREATE FUNCTION reports.count_checks(wanted varchar[], sign integer) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
{ADDED}{_HOURS}$$;

CREATE FUNCTION reports.count_month(one date) RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
{_ONE_MONTH}$$;

CREATE FUNCTION reports.count_all() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one date;
BEGIN
    FOR one IN SELECT DISTINCT month FROM reports.kept_check LOOP
        PERFORM reports.count_month(one);
    END LOOP;
    INSERT INTO reports.kept_length
    SELECT 'year', date_trunc('year', since)::date, in_office, hour, minutes, {_CELL}, sum(checks)
    FROM reports.kept_length GROUP BY 2, in_office, hour, minutes, {_CELL};
    INSERT INTO reports.kept_length_hour
    SELECT span, since, in_office, hour, {_CELL}, sum(checks)
    FROM reports.kept_length GROUP BY span, since, in_office, hour, {_CELL};
END $$;

CREATE FUNCTION reports.keep_judgements(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM reports.kept_judgement WHERE reference = ANY (wanted);
    INSERT INTO reports.kept_judgement
    SELECT k.reference, k.side, d.decided_on, d.decided_met, said.met, said.not_met
    FROM (
        SELECT reference, max(decided_on) AS decided_on, bool_or(threshold_met) AS decided_met
        FROM reports.kept_decision WHERE reference = ANY (wanted) GROUP BY reference
    ) d
    JOIN reports.kept_referral k ON k.reference = d.reference
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE v.own_met) AS met, count(*) FILTER (WHERE NOT v.own_met) AS not_met
        FROM reports.kept_view v WHERE v.reference = d.reference
    ) said;
$$;

ALTER FUNCTION reports.keep_referrals(varchar[]) RENAME TO keep_all_but_judgements;
CREATE FUNCTION reports.keep_uncounted(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT reports.keep_all_but_judgements(wanted);
    SELECT reports.keep_judgements(wanted);
$$;
CREATE FUNCTION reports.keep_referrals(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT reports.count_checks(wanted, -1);
    SELECT reports.keep_uncounted(wanted);
    SELECT reports.count_checks(wanted, 1);
{_NOTHING_LEFT}$$;
REVOKE EXECUTE ON FUNCTION reports.count_checks(varchar[], integer), reports.count_month(date),
    reports.count_all(), reports.keep_judgements(varchar[]), reports.keep_uncounted(varchar[]), reports.keep_referrals(varchar[]) FROM PUBLIC;
"""
REBUILD = """
CREATE OR REPLACE FUNCTION reports.rebuild() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    those varchar[];
    one date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('mash-reports', 0));
    TRUNCATE reports.stale, reports.kept_check, reports.kept_decision, reports.kept_referral, reports.kept_month,
        reports.kept_cause, reports.kept_stage, reports.kept_re_referral{more};
    FOR those IN
        SELECT array_agg(reference) FROM (
            SELECT reference, row_number() OVER (ORDER BY received_at) / 10000 AS part FROM public.referral) AS parts
        GROUP BY part ORDER BY part
    LOOP
        PERFORM reports.{keep}(those);
    END LOOP;
    FOR one IN SELECT month FROM reports.kept_check UNION SELECT month FROM reports.kept_referral LOOP
        PERFORM reports.keep_months(ARRAY[one]);
    END LOOP;{count}
    DELETE FROM reports.freshness;
    INSERT INTO reports.freshness VALUES (public.mash_now());
END $$;
"""
REBUILD_NOW = REBUILD.format(
    more=""", reports.kept_view, reports.kept_judgement,
        reports.kept_count, reports.kept_asked_hour, reports.kept_length, reports.kept_length_hour""",
    keep="keep_uncounted",
    count="""
    PERFORM reports.count_all();""",
)
REBUILD_BEFORE = REBUILD.format(more="", keep="keep_referrals", count="")

_REFERENCE = "CASE WHEN {of}.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN {of}.reference END"


def _day(name: str, moment: str) -> str:
    """The office's day of a moment, joined."""
    return (
        f"LEFT JOIN reports.office_day {name} ON {name}.profile_version = k.profile_version"
        f" AND {name}.day = ({moment} AT TIME ZONE o.zone)::date"
    )


def _office_minutes(since: str, until: str, from_day: str, to_day: str) -> str:
    seconds = "reports.seconds_to({day}.seconds_before, {day}.opens, {day}.closes, {moment})"
    later, earlier = seconds.format(day=to_day, moment=until), seconds.format(day=from_day, moment=since)
    return f"floor(({later} - {earlier}) / 60)::integer"


_ASKED_BY_ROW = "reports.open_minutes(k.profile_version, {since}, {until})"
REFERRALS = """
CREATE OR REPLACE VIEW reports.referrals AS
SELECT {reference} AS reference,
    k.reference IN (SELECT h.reference FROM reports.hidden h) AS restricted, k.duty_team, k.side, k.band,
    k.urgency_rating, k.source, k.level_of_need, k.stage, k.received_at, k.received_on, k.month, k.accepted_at,
    k.first_return_at, k.last_return_at, k.joined_at, k.discussed_at, k.decided_at, k.handed_back_at,
    k.acknowledged_at, k.closed_at, k.subjects, k.asked, k.breaches, k.declines, k.overrides, k.dissent,
    k.below_quorum, k.ended_early,
    reports.minutes(k.received_at, k.decided_at) AS to_decision_minutes,
    {to_decision} AS to_decision_open_minutes,
    reports.minutes(k.decided_at, k.acknowledged_at) AS decision_to_ack_minutes,
    {to_acknowledged} AS decision_to_ack_open_minutes,
    k.re_referral
FROM reports.kept_referral k{days};
"""
STAGES = """
CREATE OR REPLACE VIEW reports.stages AS
SELECT {reference} AS reference, k.side, k.band, k.month, s.stage, s.from_at, s.until_at,
    reports.minutes(s.from_at, coalesce(s.until_at, reports.now())) AS minutes,
    {length} AS open_minutes
FROM reports.kept_referral k CROSS JOIN LATERAL (VALUES
    ('RECEIVED', k.received_at, coalesce(k.accepted_at, k.handed_back_at, k.closed_at)),
    ('CHECKING', k.accepted_at, coalesce(k.joined_at, k.handed_back_at, k.closed_at)),
    ('AWAITING_DECISION', k.joined_at, coalesce(k.decided_at, k.handed_back_at, k.closed_at)),
    ('HANDING_BACK', k.decided_at, coalesce(k.handed_back_at, k.closed_at)),
    ('AWAITING_ACK', k.handed_back_at, coalesce(k.acknowledged_at, k.closed_at)),
    ('WHOLE', k.received_at, k.closed_at)
) AS s (stage, from_at, until_at){days}
WHERE s.from_at IS NOT NULL;
"""
_OFFICE = "\nLEFT JOIN reports.office o ON o.profile_version = k.profile_version\n"
_LASTS = "coalesce(s.until_at, reports.now())"
VIEWS_NOW = REFERRALS.format(
    reference=_REFERENCE.format(of="k"),
    to_decision=_office_minutes("k.received_at", "k.decided_at", "came", "decided"),
    to_acknowledged=_office_minutes("k.decided_at", "k.acknowledged_at", "decided", "known"),
    days=_OFFICE
    + "\n".join(
        _day(name, f"k.{moment}")
        for name, moment in (("came", "received_at"), ("decided", "decided_at"), ("known", "acknowledged_at"))
    ),
) + STAGES.format(
    reference=_REFERENCE.format(of="k"), length=_office_minutes("s.from_at", _LASTS, "came", "left_it"),
    days=_OFFICE + _day("came", "s.from_at") + "\n" + _day("left_it", _LASTS),
)  # fmt: skip
VIEWS_BEFORE = REFERRALS.format(
    reference=_REFERENCE.format(of="k"), days="",
    to_decision=_ASKED_BY_ROW.format(since="k.received_at", until="k.decided_at"),
    to_acknowledged=_ASKED_BY_ROW.format(since="k.decided_at", until="k.acknowledged_at"),
) + STAGES.format(
    reference=_REFERENCE.format(of="k"), length=_ASKED_BY_ROW.format(since="s.from_at", until=_LASTS), days=""
)  # fmt: skip

AGENCY_VIEWS = f"""
CREATE OR REPLACE VIEW reports.agency_views AS
SELECT {_REFERENCE.format(of="k")} AS reference, k.side, {{d}}.decided_on, v.agency, v.own_met, v.last_view,
    {{d}}.decided_met
FROM {{of}}
JOIN reports.kept_view v ON v.reference = k.reference;
"""
AGENCY_VIEWS_NOW = AGENCY_VIEWS.format(d="k", of="reports.kept_judgement k")
AGENCY_VIEWS_BEFORE = AGENCY_VIEWS.format(
    d="d",
    of="""(
    SELECT reference, max(decided_on) AS decided_on, bool_or(threshold_met) AS decided_met
    FROM reports.kept_decision GROUP BY reference
) d
JOIN reports.kept_referral k ON k.reference = d.reference""",
)
JUDGEMENTS = f"""
CREATE VIEW reports.judgements AS
SELECT {_REFERENCE.format(of="k")} AS reference, k.side, k.decided_on, k.decided_met, k.met, k.not_met
FROM reports.kept_judgement k;
"""
_CHECK_COLUMNS = f"""{_REFERENCE.format(of="k")} AS reference, k.agency, k.side, k.band, k.policy, k.stage, k.status,
    k.state, k.asked_at, k.asked_on, k.month, k.due_at, k.acknowledged_at, k.answered_at, k.settled_at, k.breached_at,
    k.paused, k.breached_at IS NOT NULL AS breached, k.answer_minutes, k.answer_open_minutes,
    CASE WHEN k.state = 'silent' AND k.settled_at IS NULL THEN reports.minutes(k.due_at, reports.now())
        ELSE k.late_minutes END AS late_minutes,
    CASE WHEN k.state = 'silent' AND k.settled_at IS NULL
        THEN reports.open_minutes(k.profile_version, k.due_at, reports.now())
        ELSE k.late_open_minutes END AS late_open_minutes,
    k.decline_reason, k.cause, k.cause_by_agency"""
CHECKS = f"""
CREATE OR REPLACE VIEW reports.checks AS
SELECT {_CHECK_COLUMNS}, k.late_minutes AS settled_late_minutes
FROM reports.kept_check k;
"""
_REFERENCE_WORDS = (
    "The referral's reference; empty while it is restricted, or when the reader declared an interest in it"
)
COMMENTS = {
    "VIEW reports.judgements": "How many agencies thought what before the discussion, one row for each referral that"
    " was decided.",
    "COLUMN reports.judgements.reference": _REFERENCE_WORDS,
    "COLUMN reports.judgements.side": "child, adult, or both: of the referral",
    "COLUMN reports.judgements.decided_on": "Local date of the newest decision",
    "COLUMN reports.judgements.decided_met": "Whether the threshold was decided to be met, for anybody of the referral",
    "COLUMN reports.judgements.met": "How many agencies thought, before the first discussion, that it is met",
    "COLUMN reports.judgements.not_met": "How many thought that it is not",
    "COLUMN reports.checks.settled_late_minutes": "late_minutes of what is settled; empty while it may still grow",
}
#: What the pages read, and nobody else needs to: they are the sums behind the views.
SUMS = "reports.kept_count, reports.kept_length, reports.kept_length_hour, reports.kept_asked_hour"


def upgrade() -> None:
    for statements in (TABLES, KEEPING, REBUILD_NOW, VIEWS_NOW, AGENCY_VIEWS_NOW, JUDGEMENTS, CHECKS):
        op.execute(statements)
    for what, words in COMMENTS.items():
        quoted = words.replace("'", "''")
        op.execute(f"COMMENT ON {what} IS '{quoted}'")
    for role, readable in (("mash_app", f"reports.judgements, {SUMS}"), ("mash_analyst", "reports.judgements")):
        op.execute(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
            f" GRANT SELECT ON {readable} TO {role}; END IF; END $$"
        )
    op.execute("SELECT reports.count_all()")
    op.execute("SELECT reports.keep_judgements(ARRAY(SELECT reference FROM reports.kept_referral))")


def downgrade() -> None:
    """The checks' new column stays: a view can only grow in place, and nothing is lost by it."""
    op.execute("DROP VIEW reports.judgements")
    for statements in (VIEWS_BEFORE, AGENCY_VIEWS_BEFORE, REBUILD_BEFORE):
        op.execute(statements)
    op.execute("DROP FUNCTION reports.keep_referrals(varchar[])")
    op.execute("DROP FUNCTION reports.keep_uncounted(varchar[])")
    op.execute("DROP FUNCTION reports.keep_judgements(varchar[])")
    op.execute("DROP FUNCTION reports.count_all()")
    op.execute("DROP FUNCTION reports.count_month(date)")
    op.execute("DROP FUNCTION reports.count_checks(varchar[], integer)")
    op.execute("ALTER FUNCTION reports.keep_all_but_judgements(varchar[]) RENAME TO keep_referrals")
    op.execute(f"DROP TABLE {SUMS}, reports.kept_judgement")
    for index in ("longest_late", "grows_late", "by_state"):
        op.execute(f"DROP INDEX reports.kept_check_{index}")
