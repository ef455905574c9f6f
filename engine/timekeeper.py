"""The one loop that turns due wake rows into acts: the clock's own, and calls to the engine (architecture §2).

Any number of copies may run: each row is taken by one of them. Nothing is remembered between turns but the connections.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import sqlalchemy as sa
from prefect.client.orchestration import get_client
from sqlmodel import Session, col, select

from casework import clock
from casework.db import database, now, unit_of_work
from casework.notices import MASH_ALARM, deliver_due, next_turn, say
from casework.wakes import wake
from engine.runs import Runs, Verdict
from models.referral import Referral
from models.settings import settings
from models.wake import Wake, WakeKind
from notifications.messages import MessageName
from rules.errors import Refused, Unavailable
from rules.stages import Stage

log = logging.getLogger("mash.timekeeper")

#: No polling faster than this anywhere: between looks, PostgreSQL tells (LISTEN/NOTIFY) or a due time comes.
LONGEST_SLEEP = 10.0
SWEEP_EVERY = timedelta(seconds=20)
HOLD_WHEN_BUSY = timedelta(seconds=5)
HOLD_WHEN_DOWN = timedelta(seconds=5)
#: After so many runs for one referral, a person is told that it does not move, and it is tried less often.
MANY_RUNS = 8
HOLD_WHEN_STUCK = timedelta(minutes=10)
_TURN = 50


def keep_clock(session: Session, at: datetime) -> bool:
    """Do one due act of the clock, in its own transaction; say whether there was one."""
    query = (
        select(Wake)
        .where(
            col(Wake.kind) != WakeKind.RUN,
            col(Wake.due_at) <= at,
            col(Wake.hold_until).is_(None) | (col(Wake.hold_until) <= sa.func.clock_timestamp()),
        )
        .order_by(col(Wake.due_at), col(Wake.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.exec(query).first()
    if row is None:
        return False
    try:
        with session.begin_nested():
            clock.fire(session, row, at=at)
    except Refused as refusal:
        # What it was to do is no longer possible, and never will be: the reason goes to the log, not the row's ghost.
        log.warning("wake %s of %s dropped: %s", row.kind, row.reference, refusal)
        session.delete(row)
    except Unavailable:
        raise
    except Exception:
        # One bad row must not stop every clock in the hub. Only the kind is logged: the text may hold content.
        log.error("wake %s of %s held back: %s", row.kind, row.reference, _kind_of_error())
        row.hold_until = datetime.now(UTC) + HOLD_WHEN_STUCK
    return True


def wake_runs(runs: Runs, real_now: datetime) -> int:
    """Hand due referrals to the engine; a row goes only once the engine has it. Returns how many rows were seen.

    No transaction is open while the engine is spoken to. A row is held for a moment first, so that another copy of
    the timekeeper leaves it alone.
    """
    rows = _claim(real_now)
    for reference in dict.fromkeys(row.reference for row in rows):
        mine = [row for row in rows if row.reference == reference]
        try:
            verdict = runs.carry_on(reference)
        except Unavailable as trouble:
            log.warning("%s: %s", reference, trouble)
            _hold(mine, real_now + HOLD_WHEN_DOWN)
            continue
        if verdict is Verdict.ENGINE_HAS_IT:
            _done(mine)
        else:
            _hold(mine, real_now + HOLD_WHEN_BUSY)
    return len(rows)


def sweep(runs: Runs) -> int:
    """Find open referrals that no run carries, and wake them (INV9). Returns how many."""
    with unit_of_work() as session:
        open_ones = select(Referral.reference, Referral.run_id).where(
            col(Referral.stage) != Stage.CLOSED, col(Referral.run_id).is_not(None)
        )
        waiting = select(Wake.reference).where(col(Wake.kind) == WakeKind.RUN, col(Wake.due_at) <= sa.func.mash_now())
        candidates = session.exec(open_ones.where(col(Referral.reference).not_in(waiting))).all()
    stranded = runs.unhealthy((reference, run_id) for reference, run_id in candidates)
    for reference in stranded:
        with unit_of_work() as session:
            _rescue(session, reference)
    return len(stranded)


def _rescue(session: Session, reference: str) -> None:
    at = now(session)
    wake(session, reference, at)
    referral = session.get(Referral, reference)
    if referral and referral.runs >= MANY_RUNS:
        say(session, MessageName.RUN_NEEDS_HELP, MASH_ALARM, at=at, reference=reference)
        session.execute(
            sa.update(Wake)
            .where(col(Wake.reference) == reference, col(Wake.kind) == WakeKind.RUN, col(Wake.due_at) <= at)
            .values(hold_until=datetime.now(UTC) + HOLD_WHEN_STUCK)
        )
    log.warning("%s: no run carries it; it is woken", reference)


def _claim(real_now: datetime) -> list[Wake]:
    with unit_of_work() as session:
        query = (
            select(Wake)
            .where(
                col(Wake.kind) == WakeKind.RUN,
                col(Wake.due_at) <= now(session),
                col(Wake.hold_until).is_(None) | (col(Wake.hold_until) <= real_now),
            )
            .order_by(col(Wake.due_at))
            .limit(_TURN)
            .with_for_update(skip_locked=True)
        )
        rows = list(session.exec(query))
        for row in rows:
            row.hold_until, row.attempts = real_now + HOLD_WHEN_DOWN, row.attempts + 1
        return rows


def _done(rows: list[Wake]) -> None:
    with unit_of_work() as session:
        session.execute(sa.delete(Wake).where(col(Wake.id).in_([row.id for row in rows])))


def _hold(rows: list[Wake], until: datetime) -> None:
    """Keep rows from the engine until then, unless the run came to rest, and released them, in the meantime."""
    with unit_of_work() as session:
        session.execute(
            sa.update(Wake)
            .where(col(Wake.id).in_([row.id for row in rows]), col(Wake.hold_until).is_not(None))
            .values(hold_until=until)
        )


def _seconds_to_next(session: Session, real_now: datetime) -> float:
    """How long nothing will be due, in seconds, at most LONGEST_SLEEP."""
    held = sa.func.greatest(sa.func.extract("epoch", col(Wake.hold_until) - real_now), 0)
    ahead = sa.func.extract("epoch", col(Wake.due_at) - sa.func.mash_now())
    soonest = session.execute(sa.select(sa.func.min(sa.func.greatest(ahead, sa.func.coalesce(held, 0))))).scalar()
    return min(LONGEST_SLEEP, max(0.05, float(soonest))) if soonest is not None else LONGEST_SLEEP


class Listener:
    """Hears of new wakes, new notices and moves of the clock from PostgreSQL; a lost connection is opened again."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float) -> None:
        """Return when something was said, or after so many seconds."""
        try:
            for _ in self._open().notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.Error:
            self._connection = None
            threading.Event().wait(min(seconds, 1.0))

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            url = settings().database_url.get_secret_value().replace("postgresql+psycopg://", "postgresql://")
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
            self._connection.execute("LISTEN mash")
        return self._connection


def _repeat(stopping: threading.Event, name: str, turn: Callable[[], float]) -> None:
    """Take turns until told to stop. `turn` says for how many seconds there is nothing more to do."""
    ears = Listener()
    while not stopping.is_set():
        try:
            seconds = turn()
        except Unavailable as trouble:
            log.warning("%s: %s", name, trouble)
            seconds = 2.0
        except Exception:
            log.error("%s: an unexpected %s", name, _kind_of_error())
            seconds = 5.0
        if seconds:
            ears.wait(seconds)


def _kind_of_error() -> str:
    kind, _, trace = sys.exc_info()
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    return f"{kind.__name__ if kind else 'error'}{where}"


def _clock_turn() -> float:
    with unit_of_work() as session:
        if keep_clock(session, now(session)):
            return 0.0
    with unit_of_work() as session:
        return _seconds_to_next(session, datetime.now(UTC))


class _EngineTurn:
    """Wakes what is due, and from time to time looks whether every open referral has a run."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._swept_at = datetime.now(UTC)

    def __call__(self) -> float:
        real_now = datetime.now(UTC)
        if wake_runs(self._runs, real_now):
            return 0.0
        if real_now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = real_now
            sweep(self._runs)
        with unit_of_work() as session:
            return _seconds_to_next(session, real_now)


def _post_turn() -> float:
    real_now = datetime.now(UTC)
    if deliver_due(real_now):
        return 0.0
    with unit_of_work() as session:
        turn = next_turn(session)
    return min(LONGEST_SLEEP, max(0.05, (turn - real_now).total_seconds())) if turn else LONGEST_SLEEP


def main() -> None:
    """Run until SIGTERM or SIGINT: the clock, the engine's wakes, and the post, each in a thread of its own."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    # Apprise and the HTTP client would log recipients and addresses.
    for noisy in ("apprise", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    database()
    with get_client(sync_client=True) as client:
        turns: list[tuple[str, Callable[[], float]]] = [
            ("clock", _clock_turn),
            ("engine", _EngineTurn(Runs(client))),
            ("post", _post_turn),
        ]
        for name, turn in turns:
            threading.Thread(target=_repeat, args=(stopping, name, turn), name=name, daemon=True).start()
        log.info("keeping time")
        stopping.wait()
    log.info("stopped")


if __name__ == "__main__":
    main()
