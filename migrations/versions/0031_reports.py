"""What analysts and boards see: views in a schema of their own, kept up as the ledger grows, and why a breach came to be

Revision: 0031, after 0030

The summary tables (`kept_…`) hold references, codes, times and counts. Whatever is written to the ledger leaves word in
`stale`, in the same transaction; `refresh` works those referrals out anew. `rules/calendar.py` fills `office_day`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = """
CREATE SCHEMA reports;

CREATE TABLE reports.stale (reference varchar(9) NOT NULL);
CREATE TABLE reports.freshness (refreshed_at timestamptz NOT NULL);
CREATE TABLE reports.office (profile_version varchar(40) PRIMARY KEY, digest varchar(64) NOT NULL, zone text NOT NULL);
CREATE TABLE reports.office_day (
    profile_version varchar(40) NOT NULL REFERENCES reports.office ON DELETE CASCADE,
    day date NOT NULL, opens timestamptz, closes timestamptz, seconds_before bigint NOT NULL,
    PRIMARY KEY (profile_version, day)
);
CREATE TABLE reports.kept_check (
    reference varchar(9) NOT NULL, agency varchar(40) NOT NULL, side text NOT NULL, band varchar(40) NOT NULL,
    policy varchar(40) NOT NULL, stage varchar(40) NOT NULL, status varchar(40) NOT NULL, state text NOT NULL,
    profile_version varchar(40) NOT NULL, asked_at timestamptz NOT NULL, asked_on date NOT NULL, month date NOT NULL,
    due_at timestamptz NOT NULL, acknowledged_at timestamptz, answered_at timestamptz, settled_at timestamptz,
    breached_at timestamptz, paused boolean NOT NULL, answer_minutes integer, answer_open_minutes integer,
    late_minutes integer, late_open_minutes integer, decline_reason varchar(40), cause varchar(40),
    cause_by_agency boolean,
    PRIMARY KEY (reference, agency)
);
CREATE INDEX kept_check_by_day ON reports.kept_check (asked_on);
CREATE INDEX kept_check_by_month ON reports.kept_check (month);
CREATE TABLE reports.kept_referral (
    reference varchar(9) PRIMARY KEY, profile_version varchar(40) NOT NULL, duty_team varchar(40) NOT NULL,
    side text NOT NULL, band varchar(40) NOT NULL, urgency_rating varchar(10) NOT NULL, source varchar(40) NOT NULL,
    level_of_need varchar(40) NOT NULL, stage varchar(40) NOT NULL, received_at timestamptz NOT NULL,
    received_on date NOT NULL, month date NOT NULL, accepted_at timestamptz, first_return_at timestamptz,
    last_return_at timestamptz, joined_at timestamptz, discussed_at timestamptz, decided_at timestamptz,
    handed_back_at timestamptz, acknowledged_at timestamptz, closed_at timestamptz, subjects integer NOT NULL,
    asked integer NOT NULL, breaches integer NOT NULL, declines integer NOT NULL, overrides integer NOT NULL,
    dissent boolean NOT NULL, below_quorum boolean NOT NULL, ended_early boolean NOT NULL, re_referral boolean
);
CREATE INDEX kept_referral_by_day ON reports.kept_referral (received_on);
CREATE INDEX kept_referral_by_month ON reports.kept_referral (month);
CREATE INDEX kept_referral_waiting ON reports.kept_referral (stage) WHERE stage <> 'CLOSED';
CREATE TABLE reports.kept_decision (
    reference varchar(9) NOT NULL, subject integer NOT NULL, side text NOT NULL, version integer NOT NULL,
    decided_at timestamptz NOT NULL, decided_on date NOT NULL, month date NOT NULL, threshold_met boolean NOT NULL,
    level_of_need varchar(40) NOT NULL, outcome varchar(40) NOT NULL, below_quorum boolean NOT NULL,
    grade varchar(20) NOT NULL,
    PRIMARY KEY (reference, subject)
);
CREATE INDEX kept_decision_by_day ON reports.kept_decision (decided_on);
CREATE TABLE reports.kept_month (
    month date NOT NULL, grouped_by text NOT NULL, agency varchar(40), side text, band varchar(40),
    asked integer NOT NULL, on_time integer NOT NULL, late integer NOT NULL, silent integer NOT NULL,
    declined integer NOT NULL, cancelled integer NOT NULL, open integer NOT NULL, counted integer NOT NULL,
    breached integer NOT NULL, median_minutes integer, p90_minutes integer, median_open_minutes integer,
    p90_open_minutes integer,
    UNIQUE NULLS NOT DISTINCT (month, grouped_by, agency, side, band)
);
CREATE TABLE reports.kept_cause (
    month date NOT NULL, agency varchar(40) NOT NULL, side text NOT NULL, band varchar(40) NOT NULL,
    cause varchar(40), breaches integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (month, agency, side, band, cause)
);
CREATE TABLE reports.kept_stage (
    month date NOT NULL, side text, stage text NOT NULL, referrals integer NOT NULL, ended integer NOT NULL,
    median_minutes integer, p90_minutes integer, median_open_minutes integer, p90_open_minutes integer,
    UNIQUE NULLS NOT DISTINCT (month, side, stage)
);
CREATE TABLE reports.kept_re_referral (
    month date NOT NULL, side text, referrals integer NOT NULL, known integer NOT NULL, re_referrals integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (month, side)
);
"""

FUNCTIONS = """
CREATE FUNCTION reports.now() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS 'SELECT public.mash_now()';

CREATE FUNCTION reports.minutes(since timestamptz, until timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE
AS $$ SELECT floor(extract(epoch FROM until - since) / 60)::integer $$;

-- Opening time from the first known day to a moment of a day: the difference of two is the opening time between them.
CREATE FUNCTION reports.seconds_to(before bigint, opens timestamptz, closes timestamptz, moment timestamptz)
RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT before + CASE WHEN opens < moment THEN extract(epoch FROM least(moment, closes) - opens) ELSE 0 END
$$;

CREATE FUNCTION reports.open_seconds(version text, moment timestamptz) RETURNS numeric LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT reports.seconds_to(seconds_before, opens, closes, moment)
    FROM reports.office_day JOIN reports.office USING (profile_version)
    WHERE profile_version = version AND day = (moment AT TIME ZONE zone)::date
$$;

CREATE FUNCTION reports.open_minutes(version text, since timestamptz, until timestamptz) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN since IS NOT NULL AND until IS NOT NULL THEN
        floor((reports.open_seconds(version, until) - reports.open_seconds(version, since)) / 60)::integer
    END
$$;
"""

KEEPING = """
CREATE FUNCTION reports.leave_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reports.stale SELECT DISTINCT reference FROM written WHERE act NOT LIKE '%\\_READ';
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_leaves_word AFTER INSERT ON ledger REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION reports.leave_word();

CREATE FUNCTION reports.keep_referrals(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM reports.kept_check WHERE reference = ANY (wanted);
    DELETE FROM reports.kept_decision WHERE reference = ANY (wanted);
    DELETE FROM reports.kept_referral WHERE reference = ANY (wanted);
    INSERT INTO reports.kept_check
    SELECT c.reference, c.agency, CASE WHEN c.sides LIKE '%,%' THEN 'both' ELSE c.sides END, r.urgency,
        c.clock_policy, r.stage, c.status,
        CASE WHEN c.status = 'RETURNED' THEN 'on_time' WHEN c.status = 'RETURNED_LATE' THEN 'late'
            WHEN c.status = 'DECLINED' THEN 'declined' WHEN c.breached_at IS NOT NULL THEN 'silent'
            WHEN c.status IN ('CANCELLED', 'NOT_AWAITED') THEN 'cancelled' ELSE 'open' END,
        r.profile_version, c.requested_at, asked.on_day, date_trunc('month', asked.on_day)::date, c.due_at,
        c.acknowledged_at, ended.answered_at, c.settled_at, c.breached_at, c.paused_at IS NOT NULL,
        reports.minutes(c.requested_at, ended.answered_at),
        floor((reports.seconds_to(answer.seconds_before, answer.opens, answer.closes, ended.answered_at)
            - reports.seconds_to(ask.seconds_before, ask.opens, ask.closes, c.requested_at)) / 60),
        reports.minutes(c.due_at, ended.late_until),
        floor((reports.seconds_to(late.seconds_before, late.opens, late.closes, ended.late_until)
            - reports.seconds_to(due.seconds_before, due.opens, due.closes, c.due_at)) / 60),
        c.decline_reason, c.breach_cause, a.role = 'AGENCY'
    FROM agency_check c JOIN referral r USING (reference)
    LEFT JOIN reports.office o ON o.profile_version = r.profile_version
    LEFT JOIN account a ON a.id = c.cause_given_by
    CROSS JOIN LATERAL (SELECT (c.requested_at AT TIME ZONE coalesce(o.zone, 'UTC'))::date AS on_day) asked
    CROSS JOIN LATERAL (SELECT
        CASE WHEN c.status IN ('RETURNED', 'RETURNED_LATE', 'DECLINED') THEN c.settled_at END AS answered_at,
        CASE WHEN c.settled_at > c.due_at AND (c.status = 'RETURNED_LATE' OR c.breached_at IS NOT NULL)
            THEN c.settled_at END AS late_until) ended
    LEFT JOIN reports.office_day ask ON ask.profile_version = r.profile_version AND ask.day = asked.on_day
    LEFT JOIN reports.office_day answer ON answer.profile_version = r.profile_version
        AND answer.day = (ended.answered_at AT TIME ZONE o.zone)::date
    LEFT JOIN reports.office_day due ON due.profile_version = r.profile_version
        AND due.day = (c.due_at AT TIME ZONE o.zone)::date
    LEFT JOIN reports.office_day late ON late.profile_version = r.profile_version
        AND late.day = (ended.late_until AT TIME ZONE o.zone)::date
    WHERE c.reference = ANY (wanted);
    INSERT INTO reports.kept_decision
    SELECT DISTINCT ON (d.reference, s.number) d.reference, s.number, s.side, d.version, d.decided_at, made.on_day,
        date_trunc('month', made.on_day)::date, d.threshold_met, d.level_of_need, d.outcome,
        d.quorum_missing IS NOT NULL, d.grade
    FROM threshold_decision d JOIN subject s ON s.id = d.subject_id JOIN referral r ON r.reference = d.reference
    LEFT JOIN reports.office o ON o.profile_version = r.profile_version
    CROSS JOIN LATERAL (SELECT (d.decided_at AT TIME ZONE coalesce(o.zone, 'UTC'))::date AS on_day) made
    WHERE d.reference = ANY (wanted)
    ORDER BY d.reference, s.number, d.version DESC;
    INSERT INTO reports.kept_referral
    SELECT r.reference, r.profile_version, r.duty_team, who.side, r.urgency, r.urgency_rating, r.source,
        r.level_of_need, r.stage, r.received_at, came.on_day, date_trunc('month', came.on_day)::date, r.accepted_at,
        answers.first_at, answers.last_at, r.joined_at,
        (SELECT min(held_at) FROM discussion WHERE reference = r.reference),
        coalesce((SELECT min(decided_at) FROM threshold_decision WHERE reference = r.reference), r.decided_at),
        (SELECT min(issued_at) FROM hand_back WHERE reference = r.reference), told.acknowledged_at, r.closed_at,
        who.subjects, checks.asked, checks.breaches, checks.declines,
        (SELECT count(*) FROM agency_not_asked WHERE reference = r.reference AND overridden_at IS NOT NULL),
        EXISTS (SELECT FROM dissent WHERE reference = r.reference),
        EXISTS (SELECT FROM reports.kept_decision k WHERE k.reference = r.reference AND k.below_quorum),
        EXISTS (SELECT FROM ledger WHERE reference = r.reference AND act = 'ENDED_EARLY'), who.re_referral
    FROM referral r LEFT JOIN reports.office o ON o.profile_version = r.profile_version
    CROSS JOIN LATERAL (SELECT (r.received_at AT TIME ZONE coalesce(o.zone, 'UTC'))::date AS on_day) came
    CROSS JOIN LATERAL (
        SELECT count(*) AS subjects, CASE WHEN count(DISTINCT s.side) > 1 THEN 'both' ELSE min(s.side) END AS side,
            bool_or(EXISTS (
                SELECT FROM subject before JOIN referral earlier ON earlier.reference = before.reference
                WHERE before.person_digest = s.person_digest AND earlier.reference <> r.reference
                AND earlier.received_at < r.received_at AND earlier.received_at >= r.received_at - interval '12 months'
            )) FILTER (WHERE length(s.person_digest) > 0) AS re_referral
        FROM subject s WHERE s.reference = r.reference) who
    CROSS JOIN LATERAL (
        SELECT min(recorded_at) AS first_at, max(recorded_at) AS last_at
        FROM agency_return JOIN agency_check c ON c.id = check_id
        WHERE c.reference = r.reference AND agency_return.version = 1) answers
    CROSS JOIN LATERAL (
        SELECT count(*) AS asked, count(breached_at) AS breaches,
            count(*) FILTER (WHERE status = 'DECLINED') AS declines
        FROM agency_check c WHERE c.reference = r.reference) checks
    CROSS JOIN LATERAL (
        SELECT CASE WHEN bool_and(by_team.at IS NOT NULL) THEN max(by_team.at) END AS acknowledged_at
        FROM (SELECT min(h.acknowledged_at) AS at FROM hand_back h WHERE h.reference = r.reference GROUP BY h.duty_team)
            by_team) told
    WHERE r.reference = ANY (wanted) AND who.subjects > 0;
$$;

CREATE FUNCTION reports.keep_months(wanted date[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM reports.kept_month WHERE month = ANY (wanted);
    DELETE FROM reports.kept_cause WHERE month = ANY (wanted);
    DELETE FROM reports.kept_stage WHERE month = ANY (wanted);
    DELETE FROM reports.kept_re_referral WHERE month = ANY (wanted);
    INSERT INTO reports.kept_month
    SELECT month, CASE grouping(agency, side, band) WHEN 7 THEN 'all' WHEN 3 THEN 'agency' WHEN 5 THEN 'side'
            WHEN 6 THEN 'band' ELSE 'cell' END,
        agency, side, band, count(*), count(*) FILTER (WHERE state = 'on_time'),
        count(*) FILTER (WHERE state = 'late'), count(*) FILTER (WHERE state = 'silent'),
        count(*) FILTER (WHERE state = 'declined'), count(*) FILTER (WHERE state = 'cancelled'),
        count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state NOT IN ('cancelled', 'open')),
        count(breached_at),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY answer_minutes),
        percentile_disc(0.9) WITHIN GROUP (ORDER BY answer_minutes),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY answer_open_minutes),
        percentile_disc(0.9) WITHIN GROUP (ORDER BY answer_open_minutes)
    FROM reports.kept_check WHERE month = ANY (wanted)
    GROUP BY GROUPING SETS ((month), (month, agency), (month, side), (month, band), (month, agency, side, band));
    INSERT INTO reports.kept_cause
    SELECT month, agency, side, band, cause, count(*) FROM reports.kept_check
    WHERE month = ANY (wanted) AND breached_at IS NOT NULL GROUP BY month, agency, side, band, cause;
    INSERT INTO reports.kept_stage
    SELECT month, side, stage, count(*), count(until_at),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE until_at IS NOT NULL),
        percentile_disc(0.9) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE until_at IS NOT NULL),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY open_minutes) FILTER (WHERE until_at IS NOT NULL),
        percentile_disc(0.9) WITHIN GROUP (ORDER BY open_minutes) FILTER (WHERE until_at IS NOT NULL)
    FROM reports.stages WHERE month = ANY (wanted) GROUP BY GROUPING SETS ((month, stage), (month, side, stage));
    INSERT INTO reports.kept_re_referral
    SELECT month, side, count(*), count(re_referral), count(*) FILTER (WHERE re_referral)
    FROM reports.kept_referral WHERE month = ANY (wanted) GROUP BY GROUPING SETS ((month), (month, side));
$$;

-- Work out anew what the ledger left word of, at most so many referrals; how many it was. One at a time.
CREATE FUNCTION reports.refresh(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted varchar[];
    months date[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('mash-reports', 0)) THEN
        RETURN 0;
    END IF;
    SELECT array_agg(DISTINCT reference) INTO wanted FROM (SELECT reference FROM reports.stale LIMIT most) AS oldest;
    IF wanted IS NOT NULL THEN
        DELETE FROM reports.stale WHERE reference = ANY (wanted);
        months := reports.months_of(wanted);
        PERFORM reports.keep_referrals(wanted);
        PERFORM reports.keep_months(ARRAY(SELECT DISTINCT unnest(months || reports.months_of(wanted))));
    END IF;
    DELETE FROM reports.freshness;
    INSERT INTO reports.freshness VALUES (public.mash_now());
    RETURN coalesce(cardinality(wanted), 0);
END $$;
CREATE FUNCTION reports.months_of(wanted varchar[]) RETURNS date[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(
        SELECT month FROM reports.kept_check WHERE reference = ANY (wanted)
        UNION SELECT month FROM reports.kept_referral WHERE reference = ANY (wanted)
    )
$$;

-- Work out everything anew, some referrals and a month at a time.
CREATE FUNCTION reports.rebuild() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    those varchar[];
    one date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('mash-reports', 0));
    TRUNCATE reports.stale, reports.kept_check, reports.kept_decision, reports.kept_referral, reports.kept_month,
        reports.kept_cause, reports.kept_stage, reports.kept_re_referral;
    FOR those IN
        SELECT array_agg(reference) FROM (
            SELECT reference, row_number() OVER (ORDER BY received_at) / 10000 AS part FROM public.referral) AS parts
        GROUP BY part ORDER BY part
    LOOP
        PERFORM reports.keep_referrals(those);
    END LOOP;
    FOR one IN SELECT month FROM reports.kept_check UNION SELECT month FROM reports.kept_referral LOOP
        PERFORM reports.keep_months(ARRAY[one]);
    END LOOP;
    DELETE FROM reports.freshness;
    INSERT INTO reports.freshness VALUES (public.mash_now());
END $$;

-- The opening days of one profile version, in place of any it had.
CREATE FUNCTION reports.keep_office(version text, of_digest text, in_zone text, days jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reports.office WHERE profile_version = version;
    INSERT INTO reports.office VALUES (version, of_digest, in_zone);
    INSERT INTO reports.office_day
    SELECT version, day, opens, closes,
        coalesce(sum(extract(epoch FROM closes - opens)) OVER (
            ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
    FROM jsonb_to_recordset(days) AS given (day date, opens timestamptz, closes timestamptz);
END $$;
"""

#: A view of a summary table, which hides of which referral a row is where the reader may not know.
REFERENCE = "CASE WHEN {of}.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN {of}.reference END"
RATE = "round(breached::numeric / nullif(counted, 0), 4) AS breach_rate"
FIGURES = f"""asked, on_time, late, silent, declined, cancelled, open, counted, breached,
    {RATE}, median_minutes, p90_minutes, median_open_minutes, p90_open_minutes"""
#: Which referrals a reader is not told the reference of. Nobody may read this itself.
HIDDEN = """
CREATE VIEW reports.hidden AS
SELECT reference FROM public.restriction WHERE lifted_at IS NULL
UNION SELECT reference FROM public.interest_conflict WHERE account_id = current_setting('mash.account', true);
"""
STAGES = """
CREATE VIEW reports.stages AS
SELECT {reference} AS reference, k.side, k.band, k.month, s.stage, s.from_at, s.until_at,
    reports.minutes(s.from_at, coalesce(s.until_at, reports.now())) AS minutes,
    reports.open_minutes(k.profile_version, s.from_at, coalesce(s.until_at, reports.now())) AS open_minutes
FROM reports.kept_referral k CROSS JOIN LATERAL (VALUES
    ('RECEIVED', k.received_at, coalesce(k.accepted_at, k.handed_back_at, k.closed_at)),
    ('CHECKING', k.accepted_at, coalesce(k.joined_at, k.handed_back_at, k.closed_at)),
    ('AWAITING_DECISION', k.joined_at, coalesce(k.decided_at, k.handed_back_at, k.closed_at)),
    ('HANDING_BACK', k.decided_at, coalesce(k.handed_back_at, k.closed_at)),
    ('AWAITING_ACK', k.handed_back_at, coalesce(k.acknowledged_at, k.closed_at)),
    ('WHOLE', k.received_at, k.closed_at)
) AS s (stage, from_at, until_at)
WHERE s.from_at IS NOT NULL;
""".format(reference=REFERENCE.format(of="k"))
VIEWS = f"""
CREATE VIEW reports.checks AS
SELECT {REFERENCE.format(of="k")} AS reference, k.agency, k.side, k.band, k.policy, k.stage, k.status, k.state,
    k.asked_at, k.asked_on, k.month, k.due_at, k.acknowledged_at, k.answered_at, k.settled_at, k.breached_at, k.paused,
    k.breached_at IS NOT NULL AS breached, k.answer_minutes, k.answer_open_minutes,
    CASE WHEN k.state = 'silent' AND k.settled_at IS NULL THEN reports.minutes(k.due_at, reports.now())
        ELSE k.late_minutes END AS late_minutes,
    CASE WHEN k.state = 'silent' AND k.settled_at IS NULL
        THEN reports.open_minutes(k.profile_version, k.due_at, reports.now())
        ELSE k.late_open_minutes END AS late_open_minutes,
    k.decline_reason, k.cause, k.cause_by_agency
FROM reports.kept_check k;

CREATE VIEW reports.referrals AS
SELECT {REFERENCE.format(of="k")} AS reference,
    k.reference IN (SELECT h.reference FROM reports.hidden h) AS restricted, k.duty_team, k.side, k.band,
    k.urgency_rating, k.source, k.level_of_need, k.stage, k.received_at, k.received_on, k.month, k.accepted_at,
    k.first_return_at, k.last_return_at, k.joined_at, k.discussed_at, k.decided_at, k.handed_back_at,
    k.acknowledged_at, k.closed_at, k.subjects, k.asked, k.breaches, k.declines, k.overrides, k.dissent,
    k.below_quorum, k.ended_early,
    reports.minutes(k.received_at, k.decided_at) AS to_decision_minutes,
    reports.open_minutes(k.profile_version, k.received_at, k.decided_at) AS to_decision_open_minutes,
    reports.minutes(k.decided_at, k.acknowledged_at) AS decision_to_ack_minutes,
    reports.open_minutes(k.profile_version, k.decided_at, k.acknowledged_at) AS decision_to_ack_open_minutes,
    k.re_referral
FROM reports.kept_referral k;

CREATE VIEW reports.decisions AS
SELECT {REFERENCE.format(of="k")} AS reference, k.subject, k.side, k.version, k.decided_at, k.decided_on, k.month,
    k.threshold_met, k.level_of_need, k.outcome, k.below_quorum, k.grade
FROM reports.kept_decision k;

CREATE VIEW reports.months AS SELECT month, grouped_by, agency, side, band, {FIGURES} FROM reports.kept_month;
CREATE VIEW reports.by_all AS SELECT month, {FIGURES} FROM reports.kept_month WHERE grouped_by = 'all';
CREATE VIEW reports.by_agency AS SELECT month, agency, {FIGURES} FROM reports.kept_month WHERE grouped_by = 'agency';
CREATE VIEW reports.by_side AS SELECT month, side, {FIGURES} FROM reports.kept_month WHERE grouped_by = 'side';
CREATE VIEW reports.by_band AS SELECT month, band, {FIGURES} FROM reports.kept_month WHERE grouped_by = 'band';
CREATE VIEW reports.by_stage AS
SELECT month, side, stage, referrals, ended, median_minutes, p90_minutes, median_open_minutes, p90_open_minutes
FROM reports.kept_stage;
CREATE VIEW reports.causes AS SELECT month, agency, side, band, cause, breaches FROM reports.kept_cause;
CREATE VIEW reports.re_referrals AS
SELECT month, side, referrals, known, re_referrals, round(re_referrals::numeric / nullif(known, 0), 4) AS rate
FROM reports.kept_re_referral;

CREATE VIEW reports.waiting AS
SELECT stage, side, waiting, received_at AS oldest_since,
    reports.minutes(received_at, reports.now()) AS oldest_minutes,
    reports.open_minutes(profile_version, received_at, reports.now()) AS oldest_open_minutes,
    {REFERENCE.format(of="ranked")} AS oldest_reference
FROM (
    SELECT k.*, (count(*) OVER (PARTITION BY stage, side))::integer AS waiting,
        row_number() OVER (PARTITION BY stage, side ORDER BY received_at, reference) AS place
    FROM reports.kept_referral k WHERE stage <> 'CLOSED'
) AS ranked
WHERE place = 1;

CREATE VIEW reports.as_of AS SELECT refreshed_at, (SELECT count(DISTINCT reference) FROM reports.stale) AS not_yet
FROM reports.freshness;
"""

_REFERENCE = "The referral's reference; empty while it is restricted, or when the reader declared an interest in it"
_MONTH = "First day of the month in which the agency was asked, by the area's local date"
_CAME = "First day of the month in which the referral was received, by the area's local date"
_SIDE = "child, adult, or both"
_OR_ALL = "; empty stands for all together"
_OPEN = ", counting opening time of the office alone"
_WHOLE = " Whole minutes, rounded down."
_COUNTS = {
    "asked": "Agency checks that were asked for",
    "on_time": "Of these: returned by the due time, as it stood after pauses and extensions",
    "late": "Of these: returned after the due time",
    "silent": "Of these: the due time passed, and no answer has come",
    "declined": "Of these: the agency declined to share, in time or not",
    "cancelled": "Of these: cancelled, or no longer awaited before the due time",
    "open": "Of these: waited for, and not past due, or with its clock stopped",
    "counted": "on_time + late + silent + declined: what a rate is a share of",
    "breached": "Of these: the due time passed while the agency had not answered and was still waited for",
    "breach_rate": "breached / counted, between 0 and 1, to four places; empty when nothing counts",
    "median_minutes": "Median of answer_minutes of what was returned or declined: the middle answer, the earlier of two.",
    "p90_minutes": "Ninth decile of answer_minutes: the fastest answer time that nine in ten do not exceed.",
    "median_open_minutes": "Median of answer_open_minutes.",
    "p90_open_minutes": "Ninth decile of answer_open_minutes.",
}
_STAGE_COLUMNS = {
    "stage": "RECEIVED lasts until the referral is accepted, CHECKING until the returns are joined, AWAITING_DECISION "
    "until it is decided, HANDING_BACK until the duty team is told, AWAITING_ACK until every duty team has acknowledged; "
    "WHOLE is from receipt to close. What ends early ends the stage it is in",
}
#: What each view is, and each of its columns: docs/reports.md is made of these.
COMMENTS = {
    "checks": ("One row for each agency check.", {
        "reference": _REFERENCE, "agency": "The agency's code",
        "side": f"Whom the agency was asked about: {_SIDE}", "band": "The urgency band whose clock it ran on",
        "policy": "The clock policy", "stage": "Where the referral stands now",
        "status": "The check's status in the record", "state": "on_time, late, silent, declined, cancelled or open: "
        "on_time and late were returned; silent is past due (as the clock wrote down) without an answer; cancelled was "
        "cancelled, or no longer awaited before it was due; open is waited for",
        "asked_at": "When it was asked", "asked_on": "The area's local date of that", "month": _MONTH,
        "due_at": "When it is due, after pauses and extensions", "acknowledged_at": "When the agency said it has it",
        "answered_at": "When it was returned or declined", "settled_at": "When it was no longer waited for",
        "breached_at": "The due time that passed unanswered", "paused": "Whether its clock stands still now",
        "breached": "Whether breached_at is set", "answer_minutes": f"From asked to answered; pauses count.{_WHOLE}",
        "answer_open_minutes": f"From asked to answered{_OPEN}.{_WHOLE}",
        "late_minutes": f"From due to answered; of silent checks until they were given up, or until now.{_WHOLE}",
        "late_open_minutes": f"The same{_OPEN}.{_WHOLE}", "decline_reason": "Code set decline_reason",
        "cause": "Code set breach_cause: why it breached, as somebody said; empty while nobody has",
        "cause_by_agency": "Whether the agency itself said so, and not the MASH team",
    }),
    "referrals": ("One row for each referral.", {
        "reference": _REFERENCE, "restricted": "Whether its reference is withheld", "duty_team": "Who sent it",
        "side": f"Whom it is about: {_SIDE}", "band": "Urgency band, by which agencies' clocks run",
        "urgency_rating": "The MASH team's rating", "source": "Code set referral_source",
        "level_of_need": "The level of need that the duty team gave", "stage": "Where it stands now",
        "received_at": "When it came in", "received_on": "The area's local date of that", "month": _CAME,
        "accepted_at": "When agencies were to be asked", "first_return_at": "When the first agency returned",
        "last_return_at": "When the last agency returned, be it late", "joined_at": "When the returns were joined",
        "discussed_at": "When it was first discussed", "decided_at": "When it was first decided",
        "handed_back_at": "When a duty team was first told the outcome",
        "acknowledged_at": "When the last of the duty teams first acknowledged; empty until all have",
        "closed_at": "When it was closed", "subjects": "How many people it is about", "asked": "Agencies asked",
        "breaches": "Checks that breached", "declines": "Checks that were declined",
        "overrides": "Agencies asked without a sharing agreement, on somebody's word",
        "dissent": "Whether a disagreement on the threshold was recorded",
        "below_quorum": "Whether a decision was made below quorum",
        "ended_early": "Whether it ended without a decision", "to_decision_minutes": f"Received to decided.{_WHOLE}",
        "to_decision_open_minutes": f"Received to decided{_OPEN}.{_WHOLE}",
        "decision_to_ack_minutes": f"Decided to acknowledged by all duty teams.{_WHOLE}",
        "decision_to_ack_open_minutes": f"The same{_OPEN}.{_WHOLE}",
        "re_referral": "Whether one of its people was in another referral within the 12 months before, known by a keyed "
        "digest of the NHS number; empty when nobody in it has one",
    }),
    "decisions": ("One row for each person decided about: the latest version of the decision.", {
        "reference": _REFERENCE, "subject": "The number of the person in the referral", "side": "child or adult",
        "version": "1, or more when a late return changed the decision", "decided_at": "When this was decided",
        "decided_on": "The area's local date of that", "month": "First day of that month",
        "threshold_met": "Whether the threshold was met", "level_of_need": "The level of need decided",
        "outcome": "Code set outcome", "below_quorum": "Whether it was made below quorum",
        "grade": "With whose authority it was signed",
    }),
    "stages": ("One row for each referral and stage that it has reached.", {
        "reference": _REFERENCE, "side": _SIDE, "band": "Urgency band", "month": _CAME, **_STAGE_COLUMNS,
        "from_at": "When it came to the stage", "until_at": "When it left the stage; empty while it is there",
        "minutes": f"How long that took, or until now.{_WHOLE}", "open_minutes": f"The same{_OPEN}.{_WHOLE}",
    }),
    "months": ("Timeliness by month: for all, each agency, side and band, and each cell of the three.", {
        "month": _MONTH, "grouped_by": "all, agency, side, band, or cell: one agency, side and band",
        "agency": f"The agency's code{_OR_ALL}", "side": f"{_SIDE}{_OR_ALL}", "band": f"Urgency band{_OR_ALL}",
        **_COUNTS,
    }),
    "by_all": ("Timeliness by month.", {"month": _MONTH, **_COUNTS}),
    "by_agency": ("Timeliness by month and agency.", {"month": _MONTH, "agency": "The agency's code", **_COUNTS}),
    "by_side": ("Timeliness by month and side.", {"month": _MONTH, "side": _SIDE, **_COUNTS}),
    "by_band": ("Timeliness by month and urgency band.", {"month": _MONTH, "band": "Urgency band", **_COUNTS}),
    "by_stage": ("How long the stages take, by month of receipt.", {
        "month": _CAME, "side": f"{_SIDE}{_OR_ALL}", **_STAGE_COLUMNS,
        "referrals": "How many reached it", "ended": "How many left it: the times are of these",
        "median_minutes": "Median time in it, elapsed.", "p90_minutes": "Ninth decile of the time in it, elapsed.",
        "median_open_minutes": "Median of the opening time in it.",
        "p90_open_minutes": "Ninth decile of the opening time in it.",
    }),
    "causes": ("Breaches by what somebody said was the cause.", {
        "month": _MONTH, "agency": "The agency's code", "side": _SIDE, "band": "Urgency band",
        "cause": "Code set breach_cause; empty where nobody has said", "breaches": "How many breaches",
    }),
    "re_referrals": ("How many came again within 12 months.", {
        "month": _CAME, "side": f"{_SIDE}{_OR_ALL}", "referrals": "Referrals received",
        "known": "Of these: with somebody whose NHS number is known, so that it could be seen",
        "re_referrals": "Of these: with somebody who was in another referral within the 12 months before",
        "rate": "re_referrals / known, to four places; empty when none is known",
    }),
    "waiting": ("What is open now, by stage and side, and the oldest of it.", {
        "stage": "Where they stand", "side": _SIDE, "waiting": "How many", "oldest_since": "When the oldest came in",
        "oldest_minutes": f"How long ago that is.{_WHOLE}", "oldest_open_minutes": f"The same{_OPEN}.{_WHOLE}",
        "oldest_reference": _REFERENCE,
    }),
    "as_of": ("How fresh the figures are.", {
        "refreshed_at": "When they were last worked out, by the hub's time",
        "not_yet": "Referrals that changed since, and are worked out next",
    }),
}  # fmt: skip

RIGHTS = """
REVOKE EXECUTE ON FUNCTION reports.refresh(integer), reports.rebuild(), reports.keep_office(text, text, text, jsonb),
    reports.keep_referrals(varchar[]), reports.keep_months(date[]), reports.months_of(varchar[]), reports.leave_word()
    FROM PUBLIC;
-- The second wall's own question is the application's to ask.
REVOKE EXECUTE ON FUNCTION concerns_team(text, text) FROM PUBLIC
"""
CAUSE = (
    "(breach_cause IS NULL) = (cause_given_at IS NULL) AND (breach_cause IS NULL) = (cause_given_by IS NULL)"
    " AND (breach_cause IS NULL OR breached_at IS NOT NULL)"
)


def upgrade() -> None:
    op.add_column("agency_check", sa.Column("breach_cause", sa.String(length=40), nullable=True))
    op.add_column("agency_check", sa.Column("cause_given_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("agency_check", sa.Column("cause_given_by", sa.String(length=60), nullable=True))
    op.create_foreign_key(None, "agency_check", "account", ["cause_given_by"], ["id"])
    op.create_check_constraint("check_cause_is_of_a_breach", "agency_check", CAUSE)
    op.add_column("subject", sa.Column("person_digest", sa.LargeBinary(), nullable=True))
    op.create_index(
        "subject_by_person", "subject", ["person_digest"], postgresql_where=sa.text("length(person_digest) > 0")
    )
    for statements in (TABLES, FUNCTIONS, HIDDEN, STAGES, VIEWS, KEEPING, RIGHTS):
        op.execute(statements)
    for view, (sentence, columns) in COMMENTS.items():
        _comment(f"VIEW reports.{view}", sentence)
        for column, words in columns.items():
            _comment(f"COLUMN reports.{view}.{column}", words)
    op.execute("INSERT INTO reports.stale SELECT reference FROM referral")
    readable = ", ".join(f"reports.{view}" for view in COMMENTS)
    for role in ("mash_app", "mash_analyst"):
        if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar():
            op.execute(f"GRANT USAGE ON SCHEMA reports TO {role}")
            op.execute(f"GRANT SELECT ON {readable} TO {role}")
            if role == "mash_app":
                op.execute("GRANT SELECT ON reports.office TO mash_app")
                op.execute("GRANT EXECUTE ON FUNCTION concerns_team(text, text) TO mash_app")
                op.execute(
                    "GRANT EXECUTE ON FUNCTION reports.refresh(integer), reports.rebuild(),"
                    " reports.keep_office(text, text, text, jsonb) TO mash_app"
                )


def _comment(thing: str, words: str) -> None:
    op.execute(f"COMMENT ON {thing} IS '{words.replace(chr(39), chr(39) * 2)}'")


def downgrade() -> None:
    op.execute("GRANT EXECUTE ON FUNCTION concerns_team(text, text) TO PUBLIC")
    op.execute("DROP TRIGGER ledger_leaves_word ON ledger")
    op.execute("DROP SCHEMA reports CASCADE")
    op.drop_index("subject_by_person", "subject")
    op.drop_column("subject", "person_digest")
    op.drop_constraint("check_cause_is_of_a_breach", "agency_check")
    for column in ("breach_cause", "cause_given_at", "cause_given_by"):
        op.drop_column("agency_check", column)
