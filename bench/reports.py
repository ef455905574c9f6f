"""Figure 12: what analysts and boards read, over ten thousand agency checks and over eight million."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import httpx
from sqlmodel import select

from bench import history, machine
from bench.figures import Figure, timed
from bench.ground import Connection, Ground
from bench.pages import sign_in
from casework.db import unit_of_work
from casework.register import current_profile
from engine.postgres import SUPERUSER
from models.agency import AreaProfile
from models.profile import load_profile
from models.settings import HOUSE
from portal import cookies
from reports import packs, refresh
from rules.people import Side
from rules.permissions import Role

QUESTION = "Time of what analysts and boards read, at 10,000 and at 8,000,000 agency checks"
#: Checks in all. Each referral has eight, and they lie within seven years.
LEVELS = (10_000, 1_000_000, 8_000_000)
#: Referrals of the newest ones that are open.
OPEN = 500
TIMES = 5
GOAL, PACK_GOAL = 1.0, 60.0
#: Of ten checks of a closed referral one came late, one was declined, one is silent, seven came in time.
CHECKS = """
INSERT INTO agency_check (
    id, reference, agency, status, sides, place, requested_at, due_at, clock_policy, calendar_version, due_in_words,
    blocking, noted_by_run, settled_at, breached_at, decline_reason, asked_because, basis
)
SELECT uuidv7(), reference, agency,
    CASE kind WHEN 0 THEN 'RETURNED_LATE' WHEN 1 THEN 'DECLINED' WHEN 2 THEN 'REQUESTED' WHEN 10 THEN 'REQUESTED'
        ELSE 'RETURNED' END,
    CASE WHEN n % 20 = 0 THEN 'adult,child' WHEN n % 2 = 0 THEN 'child' ELSE 'adult' END, 200,
    at, at + interval '1 day', 'NEXT_WORKING_DAY_SAME_TIME', 'history', 'The same time on the next working day.',
    true, true,
    CASE WHEN kind = 0 THEN at + interval '1 day' + share * interval '2 days'
        WHEN kind NOT IN (2, 10) THEN at + share * interval '23 hours' END,
    CASE WHEN kind IN (0, 2) THEN at + interval '1 day' END, CASE WHEN kind = 1 THEN 'LIVE_INVESTIGATION' END,
    'IN_SCOPE', '{}'
FROM (
    SELECT n, reference, at, agency, CASE WHEN n < %(closed)s THEN floor(random() * 10)::int ELSE 10 END AS kind,
        0.01 + random() AS share
    FROM new_referral, unnest(%(agencies)s::text[]) AS agency
) drawn
"""
#: Most people come once, some again.
SUBJECTS = """
INSERT INTO subject (
    id, reference, number, side, household, household_role, given_name, family_name, protected_address, informed,
    consent, person_digest
)
SELECT uuidv7(), reference, 1, CASE WHEN n % 2 = 0 THEN 'child' ELSE 'adult' END, 1, %(sealed)s, %(sealed)s,
    %(sealed)s, false, 'INFORMED', 'GIVEN_VERBAL', sha256(floor(random() * 0.8 * %(last)s)::text::bytea)
FROM new_referral
"""
DECISIONS = """
INSERT INTO threshold_decision (
    id, reference, subject_id, version, threshold_met, level_of_need, outcome, rationale, words_for_duty_team, actions,
    threshold_document, collated_template_id, decided_at, decided_by, grade
)
SELECT uuidv7(), reference, s.id, 1, random() < 0.5, 'L3', 'NFA', %(sealed)s, %(sealed)s, %(sealed)s, 'bulk',
    uuidv7(), at + interval '1 day', 'decider', 'DECISION_MAKER'
FROM new_referral JOIN subject s USING (reference) WHERE n < %(closed)s
"""
VIEWS = """
INSERT INTO threshold_view (id, reference, agency, view, threshold_met, recorded_at, recorded_by)
SELECT uuidv7(), reference, agency, 'AGREE', CASE WHEN random() < 0.8 THEN n % 2 = 0 ELSE random() < 0.5 END,
    at + interval '23 hours', 'decider'
FROM new_referral, unnest(%(agencies)s::text[]) AS agency WHERE n < %(closed)s
"""


def measure(ground: Ground) -> Figure:
    """Fill the record to each level, work out the figures, and read each page and pack again and again."""
    figure = Figure("reports", QUESTION)
    _keep_usual_hours()
    with httpx.Client(base_url=f"http://127.0.0.1:{ground.stack.ports.portal}", timeout=300) as client:
        for level in LEVELS:
            _fill(ground, figure, level)
            machine.settle()
            # Filling takes longer than anybody may stay signed in without a word.
            stays = sign_in()
            goal = GOAL if level == LEVELS[-1] else None
            for name, (role, path) in _pages(datetime.now(UTC).date()).items():
                headers = {"Accept": "text/html", "Cookie": f"{cookies.name_of(cookies.SESSION)}={stays[role]}"}
                read = partial(_read, client, path, headers)
                figure.many(name, "s", timed(read, TIMES), size=level, at_most=goal, of="p95")
            goal = PACK_GOAL if level == LEVELS[-1] else None
            figure.many("a board's pack", "s", timed(_pack, 2), size=level, at_most=goal, of="p95")
    return figure


def _fill(ground: Ground, figure: Figure, level: int) -> None:
    with ground.record(SUPERUSER) as record:
        wrote = _took(lambda: _write(record, level))
        with unit_of_work() as session:
            worked_out = _took(lambda: refresh.rebuild(session))
        record.execute("VACUUM ANALYZE")
    figure.one("all figures worked out anew (mash reports rebuild)", "s", worked_out, size=level)
    figure.notes.append(f"{level:,} checks of {level // 8:,} referrals: written in {wrote:.0f} s by INSERT … SELECT.")


def _write(record: Connection, level: int) -> None:
    history.fill(record, level // 8, OPEN, checks=CHECKS, subjects=SUBJECTS, more=(DECISIONS, VIEWS))


def _keep_usual_hours() -> None:
    """The benchmarks' area never closes; figures are of office time, so that here its hours are those of B&NES."""
    usual = load_profile(HOUSE / "profiles" / "bnes.toml")
    with unit_of_work() as session:
        refresh.keep_offices(session)
        [(version, digest)] = session.exec(select(AreaProfile.version, AreaProfile.digest)).all()
        refresh.keep_office(session, version, digest, usual)


def _took(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _pages(today: date) -> dict[str, tuple[Role, str]]:
    """What an analyst opens, of the last months and of all years; and what an agency is shown of itself."""
    days = {
        "three months": today - timedelta(days=90), "a year": today - timedelta(days=365),
        "all seven years": date(2000, 1, 1),
    }  # fmt: skip
    since = {name: _days(first, today) for name, first in days.items()}
    odd = _days(today - timedelta(days=2000), today - timedelta(days=100))
    found = {
        "timeliness, three months, by agency": f"/sla?{since['three months']}&by=agency",
        "timeliness, a year, by agency": f"/sla?{since['a year']}&by=agency",
        "timeliness, all seven years, by agency": f"/sla?{since['all seven years']}&by=agency",
        "timeliness, five years from the middle of a month to another's, by agency": f"/sla?{odd}&by=agency",
        "timeliness, all seven years, one agency by month": f"/sla?{since['all seven years']}&by=month&agency=POLICE",
        "timeliness, all seven years, by cause": f"/sla?{since['all seven years']}&by=cause",
        "the late checks behind a figure, all seven years": (
            f"/sla/checks?{since['all seven years']}&by=agency&state=late"
        ),
        "the silent checks behind a figure, all seven years": (
            f"/sla/checks?{since['all seven years']}&by=agency&state=silent"
        ),
        "agreement on the threshold, nine quarters": "/threshold-agreement",
    }
    pages = {name: (Role.ANALYST, path) for name, path in found.items()}
    return {**pages, "an agency's own figures, a year": (Role.AGENCY, "/your-figures")}


def _days(first: date, last: date) -> str:
    parts = {"first": first, "last": last}
    return "&".join(
        f"{name}%3Adate.{part}={getattr(day, part)}" for name, day in parts.items() for part in ("day", "month", "year")
    )


def _read(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    client.get(path, headers=headers).raise_for_status()


def _pack() -> None:
    with unit_of_work() as session:
        quarter = packs.ended(datetime.now(UTC).date(), 1)[0]
        packs.content(session, Side.CHILD, quarter, current_profile())
