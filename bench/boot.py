"""Load L10: the first start in an empty folder, where Prefect makes its tables; referrals are taken meanwhile."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from bench.figures import Figure
from bench.ground import not_started, portal_answers, work_on
from bench.waiting import until
from casework import referrals
from casework.db import unit_of_work
from rules.stages import Stage
from tests.casework import factory

QUESTION = "A first start, in an empty folder: how long until a referral is taken, and until its agencies are asked"
ROUNDS = 3
PATIENCE = 600.0


def measure() -> Figure:
    """Start everything from nothing, refer as soon as the portal is there, and watch the referral go on."""
    figure = Figure("boot", QUESTION)
    portals, asked, early = list[float](), list[float](), 0
    for _ in range(ROUNDS):
        with not_started() as stack, ThreadPoolExecutor(1) as helper:
            began = time.monotonic()
            start = helper.submit(stack.start)
            try:
                portals.append(until(partial(portal_answers, stack), "the portal answers", PATIENCE))
                work_on(stack)
                reference = factory.refer(at=datetime.now(UTC), sender_id=uuid4().hex)
                early += not start.done()
                until(partial(_are_asked, reference), "its agencies are asked", PATIENCE)
                asked.append(time.monotonic() - began)
                start.result()
            finally:
                stack.stop()
    figure.many("started → the portal answers, and takes a referral", "s", portals, at_most=PATIENCE, of="maximum")
    figure.many("started → that referral's agencies are asked", "s", asked, at_most=PATIENCE, of="maximum")
    figure.one("of them taken before every part had started", "", early, at_least=ROUNDS)
    figure.notes.append(
        f"{ROUNDS} times in a new folder: PostgreSQL is set up, the record's tables and Prefect's are made, the worker "
        "warms up and registers the flow."
    )
    return figure


def _are_asked(reference: str) -> bool:
    with unit_of_work() as session:
        return referrals.find(session, reference).stage is Stage.CHECKING
