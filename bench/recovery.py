"""Load L9: everything is killed at once with a thousand referrals open; how long until all of them go on."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import psycopg
from sqlalchemy.exc import OperationalError

from bench import machine, people, waiting
from bench.figures import Figure
from bench.ground import Ground, agencies, portal_answers
from casework.db import database
from engine.stack import PARTS
from rules.errors import Unavailable
from tests.casework import factory

QUESTION = "Everything is killed at once: how long until every referral goes on, with nobody's help"
OPEN, ANSWERED, ROUNDS = 1_000, 10, 2
GOAL, PATIENCE = 120.0, 300.0
LEFT = "SELECT count(*) FROM referral WHERE reference = ANY(%s) AND stage <> 'AWAITING_DECISION'"
KEPT = "SELECT count(*) FROM agency_check WHERE reference = ANY(%s) AND status = 'RETURNED'"


def measure(ground: Ground) -> Figure:
    """Answer a few referrals, kill every part before the hub can act on it, and watch."""
    figure = Figure("recovery", QUESTION)
    waiting.fill(ground, OPEN + ANSWERED * ROUNDS)
    machine.settle()
    served, carried, taken, lost = [], [], [], 0
    for _ in range(ROUNDS):
        references = _answered_and_killed(ground)
        taken.append(waiting.until(lambda: bool(_refer()), "the record takes a referral", PATIENCE))
        served.append(taken[-1] + waiting.until(lambda: _serves(ground), "every part answers", PATIENCE - taken[-1]))
        carried.append(waiting.until(partial(_none_left, ground, references), "all go on", PATIENCE))
        lost += len(references) * len(agencies()) - _kept(ground, references)
    figure.many("all killed → the record takes a referral", "s", taken, size=OPEN)
    figure.many("all killed → portal and engine answer", "s", served, size=OPEN)
    figure.many("portal and engine answer → every answered referral awaits its decision", "s", carried, size=OPEN,
                at_most=GOAL, of="maximum")  # fmt: skip
    figure.one("acknowledged returns lost", "", lost, size=OPEN, at_most=0)
    figure.notes.append(
        f"Rounds of: every check of {ANSWERED} waiting referrals is answered; PostgreSQL, sink, portal, Prefect "
        "server, worker and timekeeper with all their children get SIGKILL at once; each comes back by itself."
    )
    return figure


def _answered_and_killed(ground: Ground) -> list[str]:
    query = "SELECT reference FROM referral r WHERE stage = 'CHECKING' ORDER BY random() LIMIT %s"
    with ground.record() as record:
        references = [str(found) for (found,) in record.execute(query, (ANSWERED,))]
    for reference in references:
        people.all_answer(reference, agencies())
    for part in reversed(PARTS):
        ground.stack.kill(part)
    database().dispose()
    return references


def _refer() -> str | None:
    with suppress(Unavailable, OperationalError, psycopg.Error):
        return factory.refer(at=datetime.now(UTC), sender_id=uuid4().hex)
    return None


def _serves(ground: Ground) -> bool:
    return portal_answers(ground.stack) and ground.engine.api_healthcheck() is None


def _none_left(ground: Ground, references: list[str]) -> bool:
    with ground.record() as record:
        return record.execute(LEFT, (references,)).fetchone() == (0,)


def _kept(ground: Ground, references: list[str]) -> int:
    with ground.record() as record:
        [(kept,)] = record.execute(KEPT, (references,)).fetchall()
    return int(kept)
