"""Figure 12: what analysts and boards read, over ten thousand agency checks and over a million."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import httpx

from bench import history, machine
from bench.figures import Figure, timed
from bench.ground import Connection, Ground, agencies
from bench.pages import sign_in
from casework.db import unit_of_work
from casework.register import current_profile
from engine.postgres import SUPERUSER
from models.base import seal
from portal import cookies
from reports import packs, refresh
from rules.people import Side
from rules.permissions import Role

QUESTION = "Time of what analysts and boards read, at 10,000 and at 1,000,000 agency checks"
#: Checks in all. Each referral has eight, and they lie within seven years.
LEVELS = (10_000, 1_000_000)
#: Referrals of the newest ones that are open.
OPEN = 500
TIMES = 5
GOAL, PACK_GOAL = 1.0, 60.0
#: The bulk's answers all came after twelve hours. Of ten now one is late, one declined, one silent, seven came in time.
SPREAD = """
UPDATE agency_check SET
    settled_at = CASE WHEN kind = 2 THEN NULL WHEN kind = 0 THEN due_at + share * interval '2 days'
        ELSE requested_at + share * interval '23 hours' END,
    status = CASE kind WHEN 0 THEN 'RETURNED_LATE' WHEN 1 THEN 'DECLINED' WHEN 2 THEN 'REQUESTED' ELSE 'RETURNED' END,
    breached_at = CASE WHEN kind IN (0, 2) THEN due_at END,
    decline_reason = CASE WHEN kind = 1 THEN 'LIVE_INVESTIGATION' END
FROM (
    SELECT id AS of_id, floor(random() * 10)::int AS kind, 0.01 + random() AS share FROM agency_check
    WHERE status = 'RETURNED'
) drawn
WHERE id = of_id
"""
#: Most people come once, some again.
PERSONS = """
UPDATE subject SET person_digest = sha256(floor(random() * 0.8 * (SELECT count(*) FROM subject))::text::bytea)
"""
DECISIONS = """
INSERT INTO threshold_decision (
    id, reference, subject_id, version, threshold_met, level_of_need, outcome, rationale, words_for_duty_team, actions,
    threshold_document, collated_template_id, decided_at, decided_by, grade
)
SELECT uuidv7(), r.reference, s.id, 1, random() < 0.5, 'L3', 'NFA', %(sealed)s, %(sealed)s, %(sealed)s, 'bulk',
    uuidv7(), r.decided_at, 'decider', 'DECISION_MAKER'
FROM referral r JOIN subject s ON s.reference = r.reference WHERE r.decided_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM threshold_decision d WHERE d.reference = r.reference)
"""
VIEWS = """
INSERT INTO threshold_view (id, reference, agency, view, threshold_met, recorded_at, recorded_by)
SELECT uuidv7(), d.reference, agency, 'AGREE', CASE WHEN random() < 0.8 THEN d.threshold_met ELSE random() < 0.5 END,
    d.decided_at - interval '1 hour', 'decider'
FROM threshold_decision d, unnest(%(agencies)s::text[]) AS agency
WHERE NOT EXISTS (SELECT FROM threshold_view v WHERE v.reference = d.reference)
"""


def measure(ground: Ground) -> Figure:
    """Fill the record to each level, work out the figures, and read each page and pack again and again."""
    figure = Figure("reports", QUESTION)
    stay = sign_in()[Role.ANALYST]
    headers = {"Accept": "text/html", "Cookie": f"{cookies.name_of(cookies.SESSION)}={stay}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{ground.stack.ports.portal}", timeout=300) as client:
        for level in LEVELS:
            _fill(ground, figure, level)
            machine.settle()
            goal = GOAL if level == LEVELS[-1] else None
            for name, path in _pages(datetime.now(UTC).date()).items():
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
    history.fill(record, level // 8, OPEN)
    with record.transaction():
        record.execute("SET LOCAL session_replication_role = replica")
        for statement in (SPREAD, PERSONS, DECISIONS, VIEWS):
            record.execute(statement.encode(), {"sealed": seal("As is usual."), "agencies": agencies()})


def _took(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _pages(today: date) -> dict[str, str]:
    """What an analyst opens, of the last months and of all years."""
    days = {"three months": today - timedelta(days=90), "a year": today - timedelta(days=365), "all": date(2000, 1, 1)}
    since = {name: _days(first, today) for name, first in days.items()}
    return {
        "timeliness, three months, by agency": f"/sla?{since['three months']}&by=agency",
        "timeliness, a year, by agency": f"/sla?{since['a year']}&by=agency",
        "timeliness, all seven years, by agency": f"/sla?{since['all']}&by=agency",
        "timeliness, all seven years, one agency by month": f"/sla?{since['all']}&by=month&agency=POLICE",
        "timeliness, all seven years, by cause": f"/sla?{since['all']}&by=cause",
        "the late checks behind a figure, all seven years": f"/sla/checks?{since['all']}&by=agency&state=late",
        "agreement on the threshold, nine quarters": "/threshold-agreement",
    }


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
