"""PostgreSQL killed while the timekeeper recovers: at each statement and commit of its sweep and its wakes (F7)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from casework.db import database
from engine.callers import Callers
from engine.runs import DEPLOYMENT, Runs
from engine.sweep import sweep
from engine.waking import wake_runs
from rules.errors import Unavailable
from tests.crash.faults import Bench, a_clear_concern, eventually, without
from tests.hub import surroundings

CASES = 2
RECOVERY = 180.0


class Point:
    """Counts what this process says to the record, and strikes just before it says one of these things."""

    def __init__(self, number: int | None, strike: Callable[[], None]) -> None:
        self._number, self._strike, self._lock = number, strike, threading.Lock()
        self.passed = 0

    def __call__(self, *_: Any) -> None:
        with self._lock:
            mine, self.passed = self.passed, self.passed + 1
        if mine == self._number:
            self._strike()

    @property
    def was_reached(self) -> bool:
        """Whether it has struck."""
        return self._number is not None and self.passed > self._number


@contextmanager
def at_point(point: Point) -> Iterator[None]:
    """Every statement and every commit of this process comes by the point for as long as the block lasts."""
    moments = [(database(), "before_cursor_execute"), (database(), "commit")]
    for where, moment in moments:
        sa.event.listen(where, moment, point)
    try:
        yield
    finally:
        for where, moment in moments:
            sa.event.remove(where, moment, point)


def struck_while_recovering(bench: Bench, mark: str, choose: Callable[[int], Iterable[int]]) -> tuple[list[str], int]:
    """Referrals lose their runs again and again, and PostgreSQL is killed in the midst of each recovery.

    `choose` is given how many points a recovery has, and gives those to strike at, one in each recovery. Then nothing
    is done but to start the parts. Gives the references, all closed, and how many kills hit.
    """
    with ExitStack() as lasting:
        engine = lasting.enter_context(_as_the_timekeeper(bench))
        eventually(lambda: _is_deployed(engine), "the flow is deployed", RECOVERY)
        lasting.enter_context(without(bench.stack, "timekeeper", "worker"))
        references = [bench.refer(a_clear_concern(f"{mark} {n}")).json()["reference"] for n in range(CASES)]
        _recover(engine)
        points, kills = Point(None, lambda: None), 0
        _lose_runs(bench, engine, references)
        with at_point(points):
            _recover(engine)
        for number in choose(points.passed):
            kills += _struck(bench, engine, references, number)
    bench.close(*references)
    return references, kills


def _struck(bench: Bench, engine: SyncPrefectClient, references: list[str], number: int, tries: int = 3) -> bool:
    """Whether PostgreSQL was killed at that point. Where a recovery has fewer, the next is struck sooner."""
    _lose_runs(bench, engine, references)
    point = Point(number, lambda: bench.stack.kill("postgres"))
    with at_point(point), suppress(Unavailable):
        _recover(engine)
    if not point.was_reached:
        return tries > 1 and _struck(bench, engine, references, number % max(1, point.passed), tries - 1)
    # Started by us, it comes back at once: a part that dies often is started ever more slowly.
    bench.stack.restart("postgres")
    eventually(lambda: bench.ask("SELECT 1") and bench.healthy(), "the record is back", RECOVERY)
    return True


@contextmanager
def _as_the_timekeeper(bench: Bench) -> Iterator[SyncPrefectClient]:
    """This process works on the hub's record and engine."""
    own = bench.stack.environment()
    engine = {
        PREFECT_API_URL: own["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"],
        PREFECT_CLIENT_MAX_RETRIES: 1,
    }
    with surroundings(own), temporary_settings(engine), get_client(sync_client=True) as client:
        yield client


def _is_deployed(engine: SyncPrefectClient) -> bool:
    try:
        return bool(engine.read_deployment_by_name(DEPLOYMENT).id)
    except ObjectNotFound:
        return False


def _recover(engine: SyncPrefectClient) -> None:
    """What a timekeeper does to bring back what has no run: it looks, and it wakes. Raises Unavailable."""
    runs = Runs(engine)
    sweep(runs)
    with Callers(1) as callers:
        wake_runs(runs, callers, CASES)


def _lose_runs(bench: Bench, engine: SyncPrefectClient, references: list[str]) -> None:
    """The engine forgets these referrals' runs, long after they were last brought back."""
    bench.ask("UPDATE repair SET tried_at = tried_at - interval '1 hour' WHERE reference = ANY(%s)", references)
    bench.ask("UPDATE wake SET hold_until = NULL WHERE reference = ANY(%s)", references)
    for (run_id,) in bench.ask("SELECT run_id FROM referral WHERE reference = ANY(%s)", references):
        eventually(lambda: run_id is None or _is_gone(engine, run_id), "the engine forgets a run")  # noqa: B023


def _is_gone(engine: SyncPrefectClient, run_id: UUID) -> bool:
    with suppress(ObjectNotFound):
        engine.delete_flow_run(run_id)
    return True
