"""The referral's process on DBOS Transact, embedded, on the same PostgreSQL and with the same verbs of casework.

`python -m bench.peers.dbos_referral`, told on its standard input what to do, one JSON document a line:
{"referrals": n} carries so many through; {"waiting": n} starts so many that wait for their agencies. Answers likewise.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from dbos import DBOS, DBOSConfig, SetWorkflowID

from bench import people
from bench.ground import Connection, agencies
from casework import checks, collation, intake, outcome, referrals
from casework.db import now, unit_of_work
from casework.facts import Fact, checks_settled, outcome_acknowledged, threshold_decided
from casework.notices import deliver_due
from engine.databases import plain

T = TypeVar("T")
MOVED = "moved"
LONGEST_WAIT = 14 * 86_400.0
STEPS_BEFORE_THE_WAIT = 9
#: As many steps as there are connections to the record: to wait for one is an error after seconds.
AT_ONCE = asyncio.Semaphore(8)


@DBOS.workflow()
async def triage(reference: str) -> None:
    """From the referral to its acknowledgement, as `flows.referral` has it."""
    await act("screen", reference)
    await asyncio.gather(*[act("ask", reference, agency) for agency in await to_ask(reference)])
    await wait_until("checks_settled", reference)
    await act("collate", reference)
    await act("request_decision", reference)
    await wait_until("threshold_decided", reference)
    await act("hand_back", reference)
    await wait_until("outcome_acknowledged", reference)
    await act("close", reference)


@DBOS.workflow()
async def waits(_: str) -> None:
    """As many steps as a referral has before its agencies answer, with nothing in them; then wait."""
    for _number in range(STEPS_BEFORE_THE_WAIT):
        await nothing()
    await DBOS.recv_async(MOVED, timeout_seconds=LONGEST_WAIT)


@DBOS.step()
async def act(verb: str, reference: str, *arguments: str) -> None:
    """One verb of casework, in one transaction."""
    await _beside(_act, _VERBS[verb], reference, *arguments)


@DBOS.step()
async def to_ask(reference: str) -> list[str]:
    """The agencies that are still to be asked."""
    return await _beside(_look, checks.agencies_to_ask, reference)


@DBOS.step()
async def is_so(fact: str, reference: str) -> bool:
    """What the record says."""
    return await _beside(_holds, _FACTS[fact], reference)


@DBOS.step()
async def nothing() -> None:
    """A step that does nothing."""


async def wait_until(fact: str, reference: str) -> None:
    """Wait to be told that something moved, until the record says that the fact is so."""
    while not await is_so(fact, reference):
        await DBOS.recv_async(MOVED, timeout_seconds=LONGEST_WAIT)


_VERBS: dict[str, Callable[..., None]] = {
    "screen": intake.screen,
    "ask": checks.request_check,
    "collate": collation.collate,
    "request_decision": collation.request_decision,
    "hand_back": outcome.hand_back,
    "close": outcome.close,
}
_FACTS: dict[str, Fact] = {
    "checks_settled": checks_settled,
    "threshold_decided": threshold_decided,
    "outcome_acknowledged": outcome_acknowledged,
}


async def _beside(work: Callable[..., T], *arguments: Any) -> T:
    async with AT_ONCE:
        return await asyncio.to_thread(work, *arguments)


def _act(verb: Callable[..., None], reference: str, *arguments: str) -> None:
    with unit_of_work() as session:
        # As the hub's flow does: a run works on a referral only while nobody else does.
        referrals.lock(session, reference)
        verb(session, reference, *arguments, at=now(session))


def _look(look: Callable[..., list[str]], reference: str) -> list[str]:
    with unit_of_work() as session:
        return look(session, reference)


def _holds(fact: Fact, reference: str) -> bool:
    with unit_of_work() as session:
        return fact(session, reference, now(session)) is None


def _post(stopping: threading.Event) -> None:
    while not stopping.is_set():
        if not deliver_due(datetime.now(UTC)):
            stopping.wait(0.1)


async def _carry_through(count: int) -> dict[str, Any]:
    began = time.monotonic()
    references = [people.refers() for _ in range(count)]
    for reference in references:
        with SetWorkflowID(reference):
            await DBOS.start_workflow_async(triage, reference)
    await asyncio.to_thread(_people, references)
    return {"seconds": time.monotonic() - began}


def _people(references: list[str]) -> None:
    with psycopg.connect(plain(os.environ["MASH_DATABASE_URL"]), autocommit=True) as record:
        people.carry_through(record, references, agencies(), moved=lambda reference: DBOS.send(reference, "", MOVED))


async def _start_waiting(count: int) -> dict[str, Any]:
    began = time.monotonic()
    for start in range(0, count, 100):
        some = [DBOS.start_workflow_async(waits, uuid4().hex[:9]) for _ in range(min(100, count - start))]
        await asyncio.gather(*some)
    with psycopg.connect(plain(os.environ["MASH_DATABASE_URL"]), autocommit=True) as record:
        while not await asyncio.to_thread(_all_wait, record):
            await asyncio.sleep(0.5)
    # The last ones still go from their last step to the wait.
    await asyncio.sleep(2)
    return {"seconds": time.monotonic() - began}


def _all_wait(record: Connection) -> bool:
    """Whether every workflow has done its steps, and so waits."""
    query = (
        "SELECT (SELECT count(*) FROM dbos.workflow_status WHERE name LIKE '%%waits') * %s"
        " <= (SELECT count(*) FROM dbos.operation_outputs WHERE function_name LIKE '%%nothing')"
    )
    [(done,)] = record.execute(query, (STEPS_BEFORE_THE_WAIT,)).fetchall()
    return bool(done)


async def _serve() -> None:
    stopping = threading.Event()
    threading.Thread(target=_post, args=(stopping,), daemon=True).start()
    _say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if "referrals" in asked:
            _say(await _carry_through(asked["referrals"]))
        else:
            _say(await _start_waiting(asked["waiting"]))
    stopping.set()


def _say(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until the standard input ends."""
    config: DBOSConfig = {
        "name": "mash-bench",
        "system_database_url": os.environ["MASH_DATABASE_URL"],
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    try:
        asyncio.run(_serve())
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main()
