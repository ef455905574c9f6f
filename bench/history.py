"""Years of referrals in minutes: rows made by INSERT … SELECT, with the shape of real ones and nothing in them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.ground import Connection, agencies
from casework.register import current_profile
from models.base import seal

#: 28 characters that a reference may hold; the number of a row is written in them.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"

REFERRALS = """
INSERT INTO referral (
    reference, duty_team, sender_id, body_digest, upstream_reference, profile_version, stage, version, received_at,
    accepted_at, joined_at, decided_at, handed_back_at, closed_at, sending_officer, reply_to, decided_to_refer_by,
    decided_to_refer_at, why_not_enough, safeguarding_concern, extent_unclear, clarification_question, narrative,
    source, level_of_need, urgency, urgency_rating, board_place, clock_due_at, runs
)
SELECT reference, CASE WHEN n % 2 = 0 THEN 'CHILDREN_DUTY' ELSE 'ADULT_ASIST' END, 'history-' || n, repeat('0', 64),
    'CASE', %(profile)s, CASE WHEN n < %(closed)s THEN 'CLOSED' ELSE 'CHECKING' END, 1, at, at,
    CASE WHEN n < %(closed)s THEN at + interval '1 day' END, CASE WHEN n < %(closed)s THEN at + interval '1 day' END,
    CASE WHEN n < %(closed)s THEN at + interval '1 day' END, CASE WHEN n < %(closed)s THEN at + interval '2 days' END,
    %(sealed)s, %(sealed)s, %(sealed)s, at, %(sealed)s, true, true, %(sealed)s, %(sealed)s, '1B', 'L3',
    'STANDARD', 'GREEN', 22, CASE WHEN n >= %(closed)s THEN at + interval '1 day' END, 1
FROM new_referral
"""
CHECKS = """
INSERT INTO agency_check (
    id, reference, agency, status, sides, place, requested_at, due_at, clock_policy, calendar_version, due_in_words,
    blocking, noted_by_run, settled_at, asked_because, basis
)
SELECT uuidv7(), reference, agency, CASE WHEN n < %(closed)s THEN 'RETURNED' ELSE 'REQUESTED' END, 'child', 200, at,
    at + interval '1 day', 'NEXT_WORKING_DAY_SAME_TIME', 'history', 'The same time on the next working day.',
    true, true, CASE WHEN n < %(closed)s THEN at + interval '12 hours' END, 'IN_SCOPE', '{}'
FROM new_referral, unnest(%(agencies)s::text[]) AS agency
"""
SUBJECTS = """
INSERT INTO subject (
    id, reference, number, side, household, household_role, given_name, family_name, protected_address, informed,
    consent
)
SELECT uuidv7(), reference, 1, CASE WHEN n % 2 = 0 THEN 'child' ELSE 'adult' END, 1, %(sealed)s, %(sealed)s,
    %(sealed)s, false, 'INFORMED', 'GIVEN_VERBAL'
FROM new_referral
"""
HAND_BACKS = """
INSERT INTO hand_back (id, reference, duty_team, version, issued_at, outcomes, acknowledged_at)
SELECT uuidv7(), reference, CASE WHEN n % 2 = 0 THEN 'CHILDREN_DUTY' ELSE 'ADULT_ASIST' END, 1,
    at + interval '1 day', %(sealed)s, at + interval '2 days'
FROM new_referral WHERE n < %(closed)s
"""
RETURNS = """
INSERT INTO agency_return (
    id, check_id, version, result, recorded_at, recorded_by, addendum, items, systems_searched, consultations
)
SELECT uuidv7(), c.id, 1, 'NOT_KNOWN', c.settled_at, 'decider', false, %(sealed)s, %(sealed)s, %(sealed)s
FROM agency_check c JOIN new_referral r ON r.reference = c.reference AND r.n % 10 = 0 AND r.n < %(closed)s
    AND c.status IN ('RETURNED', 'RETURNED_LATE')
"""
LEDGER = """
INSERT INTO ledger (reference, number, at, actor, act, detail, commitment, previous, digest)
SELECT reference, 1, at, 'history', 'RECEIVED', '{}', '', repeat('0', 64), repeat('0', 64) FROM new_referral
"""
#: A reference for each number from :first on, received one after the other over seven years.
NEW = """
CREATE TEMPORARY TABLE new_referral ON COMMIT DROP AS
SELECT n, now() - interval '7 years' * (1 - n / %(last)s::float) - interval '1 hour' AS at,
    substr(w, 1, 4) || '-' || substr(w, 5, 4) AS reference
FROM (
    SELECT n, (
        SELECT string_agg(substr(%(alphabet)s, (n * 7919 / (28 ^ k)::bigint %% 28)::int + 1, 1), '' ORDER BY k DESC)
        FROM generate_series(0, 7) AS k
    ) AS w
    FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) AS n
) AS written
"""


def fill(
    record: Connection,
    level: int,
    open_ones: int,
    *,
    checks: str = CHECKS,
    subjects: str = SUBJECTS,
    more: Sequence[str] = (),
) -> float:
    """Add referrals until there are so many, of which the newest are open; seconds it took.

    `record` is the superuser's: foreign keys rest meanwhile. Sealed columns hold a short sealed constant. Whoever needs
    other checks or subjects hands in their own, and may add statements that know the new referrals too.
    """
    began = time.monotonic()
    [(first,)] = record.execute("SELECT count(*) FROM referral").fetchall()
    with record.transaction(), _without_indexes(record):
        record.execute("SET LOCAL session_replication_role = replica")
        _close_the_older(record)
        told = {
            "first": first, "last": level, "closed": level - open_ones, "alphabet": ALPHABET,
            "profile": current_profile().version, "sealed": seal("As is usual."), "agencies": agencies(),
        }  # fmt: skip
        for statement in (NEW, REFERRALS, checks, RETURNS, subjects, HAND_BACKS, LEDGER, *more):
            record.execute(statement.replace("n % ", "n %% ").encode(), told)
    record.execute("VACUUM ANALYZE")
    return time.monotonic() - began


@contextmanager
def _without_indexes(record: Connection) -> Iterator[None]:
    """Plain indexes are made anew afterwards, which is faster than keeping them up row by row."""
    query = """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = ANY(
            '{referral,agency_check,agency_return,subject,hand_back,ledger,threshold_decision,threshold_view}'::regclass[]
        )
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    """
    plain = record.execute(query).fetchall()
    for name, _ in plain:
        record.execute(f"DROP INDEX {name}".encode())
    yield
    record.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _, definition in plain:
        record.execute(str(definition).encode())


def _close_the_older(record: Connection) -> None:
    """What was open at the level before is closed by now."""
    record.execute(
        "UPDATE referral SET stage = 'CLOSED', closed_at = received_at + interval '2 days', clock_due_at = NULL"
        " WHERE stage <> 'CLOSED'"
    )
    record.execute(
        "UPDATE agency_check SET status = 'RETURNED', settled_at = requested_at + interval '12 hours'"
        " WHERE status = 'REQUESTED' AND breached_at IS NULL"
    )
