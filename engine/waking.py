"""Handing due referrals to the engine: in batches, a few calls at a time, and no more runs than it can carry."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from prefect.client.schemas.objects import FlowRun, StateType
from sqlmodel import Session, col, select

from casework import urgency
from casework.db import held_among, now, real_time, unit_of_work
from casework.repairs import ANEW, doubt, note_cancelled
from engine.callers import Callers
from engine.deadlines import REAL_NOW, not_held
from engine.patience import back_off
from engine.runs import AT_WORK, Runs, Verdict
from engine.trouble import kind_of_error
from models.referral import Referral
from models.settings import settings
from models.wake import Wake, WakeKind
from rules.errors import Unavailable

log = logging.getLogger("mash.timekeeper")

#: No polling faster than this anywhere: between looks, PostgreSQL tells (LISTEN/NOTIFY) or a due time comes.
LONGEST_SLEEP = 10.0
#: What is due and not to be had is another copy's.
SHORTEST_SLEEP = 0.05
#: While a copy speaks to the engine about a row, the others leave it alone; should it die, they take over after this.
LEASE = timedelta(seconds=10)
HOLD_WHEN_BUSY = timedelta(seconds=5)
#: When the engine has as many runs as it can carry: a run that ends is not worth a question each.
WHEN_FULL = 5.0
_CALLS_EACH = 5
_ON_ITS_WAY = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


@dataclass(frozen=True)
class Due:
    """A referral whose run is to look at the record again."""

    referral: Referral
    run: FlowRun | None
    lifeless: bool
    anew: bool
    real_now: datetime


class Waking:
    """Wakes what is due, turn by turn. It remembers only how the last turn went."""

    def __init__(self, runs: Runs, callers: Callers) -> None:
        self._runs, self._callers = runs, callers
        self._was_full = False

    def __call__(self) -> float:
        """One turn: seconds in which there is nothing to do. Raises Unavailable."""
        if self._was_full and self._room() <= 0:
            return WHEN_FULL
        with unit_of_work() as session:
            seconds = seconds_to_next(session, LONGEST_SLEEP, col(Wake.kind) == WakeKind.RUN)
        if seconds:
            return seconds
        most = settings().engine_calls_at_once * _CALLS_EACH
        seen = wake_runs(self._runs, self._callers, most)
        self._was_full = seen >= most
        return 0.0 if seen else SHORTEST_SLEEP

    def _room(self) -> int:
        return settings().engine_runs_at_once - self._runs.count(*_ON_ITS_WAY)


def wake_runs(runs: Runs, callers: Callers, most: int) -> int:
    """Hand up to `most` due wakes to the engine; a row goes only once the engine has it. Returns how many were seen.

    No transaction is open while the engine is spoken to. Raises Unavailable when the engine answers nothing at all.
    """
    rows = _claim(most)
    if not rows:
        return 0
    with _given_back_if_unavailable(rows):
        due = _look_up(runs, rows)
    said = dict(callers.each(_carry_one, due))
    _settle(rows, said)
    if set(said.values()) == {None}:
        raise Unavailable("the engine does not answer")
    return len(rows)


def _claim(most: int) -> list[Wake]:
    """The red before the others. Then what people did before what time did: a decision is not to queue behind ten
    thousand deadlines.
    """
    with unit_of_work() as session:
        query = (
            select(Wake)
            .join(Referral, col(Referral.reference) == col(Wake.reference))
            .where(col(Wake.kind) == WakeKind.RUN, col(Wake.due_at) <= sa.func.mash_now(), not_held())
            .order_by(
                urgency.order(col(Referral.urgency_rating)), col(Wake.about) != "", col(Wake.due_at), col(Wake.id)
            )
            .limit(most)
            .with_for_update(skip_locked=True, of=Wake)
        )
        rows = list(session.exec(query))
        if not rows:
            return rows
        mine = sa.update(Wake).where(col(Wake.id).in_([row.id for row in rows]))
        values = {"hold_until": REAL_NOW + LEASE, "attempts": col(Wake.attempts) + 1}
        session.execute(mine.values(values).execution_options(synchronize_session=False))
        return rows


def _look_up(runs: Runs, rows: Collection[Wake]) -> list[Due]:
    anew = {row.reference for row in rows if row.about == ANEW}
    with unit_of_work() as session:
        query = select(Referral).where(col(Referral.reference).in_([row.reference for row in rows]))
        found = session.exec(query).all()
    known = runs.read([referral.run_id for referral in found if referral.run_id])
    run_of = {referral.reference: known.get(referral.run_id) for referral in found}  # type: ignore[arg-type]
    with unit_of_work() as session:
        lifeless, at = lifeless_among(session, run_of), real_time(session)
    return [
        Due(referral, run_of[referral.reference], referral.reference in lifeless, referral.reference in anew, at)
        for referral in found
    ]


def lifeless_among(session: Session, run_of: dict[str, FlowRun | None]) -> set[str]:
    """Of referrals and their runs, those said to be at work on which no process has worked for a while."""
    at_work = {
        reference: run.state.id
        for reference, run in run_of.items()
        if run is not None and run.state is not None and run.state.type in AT_WORK
    }
    held = held_among(session, at_work)
    return doubt(session, {reference: state for reference, state in at_work.items() if reference not in held})


def _carry_one(runs: Runs, due: Due) -> tuple[str, Verdict | None]:
    """What became of a referral; None when the engine did not answer for it."""
    reference = due.referral.reference
    try:
        if due.run is not None and due.run.state_type is StateType.CANCELLED:
            _note_cancelled(reference, due.run.id)
        said = runs.carry_on(due.referral, due.run, real_now=due.real_now, lifeless=due.lifeless, anew=due.anew)
    except Unavailable as trouble:
        log.warning("%s: %s", reference, trouble)
        return reference, None
    except Exception:
        log.error("%s: not handed to the engine: %s", reference, kind_of_error())
        return reference, None
    return reference, said


def _note_cancelled(reference: str, run_id: UUID) -> None:
    """The record has a reason to go on before the sweep has seen that an operator stopped the run."""
    with unit_of_work() as session:
        note_cancelled(session, reference, run_id, at=now(session))


def _settle(rows: list[Wake], said: dict[str, Verdict | None]) -> None:
    done = [row for row in rows if said.get(row.reference) is Verdict.ENGINE_HAS_IT]
    busy = [row for row in rows if said.get(row.reference) is Verdict.BUSY]
    failed = Counter(row.attempts for row in rows if said.get(row.reference) is None)
    with unit_of_work() as session:
        session.execute(sa.delete(Wake).where(col(Wake.id).in_([row.id for row in done])))
        _hold(session, busy, HOLD_WHEN_BUSY)
        for attempts in failed:
            mine = [row for row in rows if row.attempts == attempts and said.get(row.reference) is None]
            _hold(session, mine, timedelta(seconds=back_off(attempts + 1, first=2.0, most=60.0)))


@contextmanager
def _given_back_if_unavailable(rows: list[Wake]) -> Iterator[None]:
    try:
        yield
    except Unavailable:
        with unit_of_work() as session:
            _hold(session, rows, timedelta(seconds=1))
        raise


def _hold(session: Session, rows: list[Wake], span: timedelta) -> None:
    """Keep rows from the engine for so long, unless the run came to rest, and released them, in the meantime."""
    if rows:
        session.execute(
            sa.update(Wake)
            .where(col(Wake.id).in_([row.id for row in rows]), col(Wake.hold_until).is_not(None))
            .values(hold_until=REAL_NOW + span)
            .execution_options(synchronize_session=False)
        )


def seconds_to_next(session: Session, longest: float, *which: sa.ColumnElement[bool]) -> float:
    """How long none of these wakes will be due, in seconds, at most `longest`; 0 when one is.

    Told by the database's clocks alone.
    """
    held = sa.case((not_held(), 0), else_=sa.func.extract("epoch", col(Wake.hold_until) - REAL_NOW))
    ahead = sa.func.extract("epoch", col(Wake.due_at) - sa.func.mash_now())
    # Those not held, by the index on due times; those held are few. Together they would be every wake there is, and
    # this is asked at each turn.
    free = sa.select(sa.func.extract("epoch", sa.func.min(col(Wake.due_at)) - sa.func.mash_now())).where(
        col(Wake.hold_until).is_(None), col(Wake.due_at) <= sa.func.mash_now() + timedelta(seconds=longest), *which
    )
    kept = sa.select(sa.func.min(sa.func.greatest(ahead, held))).where(col(Wake.hold_until).is_not(None), *which)
    soonest = session.execute(sa.select(sa.func.least(free.scalar_subquery(), kept.scalar_subquery()))).scalar()
    return min(longest, max(0.0, float(soonest))) if soonest is not None else longest
