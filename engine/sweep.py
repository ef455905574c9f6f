"""Looking whether every open referral has a run, and bringing back those that have none (INV9, issue 3 item 3)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, StateType
from sqlmodel import Session

from casework.db import now, real_time, unit_of_work
from casework.repairs import (
    ANEW,
    Carried,
    bring_back,
    carried,
    doubt,
    note_cancelled,
    note_retried,
    stopped,
)
from engine.runs import AT_WORK, Runs, is_late, is_put_off
from engine.turns import is_ours
from engine.waking import lifeless_among
from models.settings import settings

log = logging.getLogger("mash.timekeeper")

_BATCH = 500


class Trouble(StrEnum):
    """What is wrong with the run of an open referral."""

    MISSING = "MISSING"
    ENDED = "ENDED"
    CANCELLED = "CANCELLED"
    LIFELESS = "LIFELESS"
    NOT_STARTED = "NOT_STARTED"
    ASLEEP = "ASLEEP"


def sweep_in_turn(runs: Runs) -> None:
    """Sweep, if no copy of the timekeeper has done so for a while."""
    if is_ours("sweep", timedelta(seconds=settings().sweep_seconds)):
        sweep(runs)


def sweep(runs: Runs) -> list[str]:
    """Find open referrals that no run carries, and wake them. Returns their references. Raises Unavailable.

    Safe to repeat, and by any number of copies. The cost is two questions to the engine for every 500 referrals, and
    one to the record.
    """
    with unit_of_work() as session:
        everybody = carried(session)
    woken: list[str] = []
    for batch in _batches(everybody):
        _note_retried(runs, {each.reference: each.run_id for each in batch if each.run_id})
        woken += _bring_back(runs, troubles(runs, batch), {each.reference: each.run_id for each in batch})
    return woken


def troubles(runs: Runs, batch: list[Carried]) -> dict[str, Trouble]:
    """Of open referrals, those whose run is missing, over, stopped, dead on its feet, not started, or asleep while the
    hub is to move.
    """
    found = _awake(runs, batch)
    idle = any(run and is_late(run) for run in found.values()) and runs.stands_idle()
    with unit_of_work() as session:
        at = real_time(session)
        plain = {reference: trouble for reference, run in found.items() if (trouble := _at_first_sight(run, at))}
        return plain | _doubtful(session, found, idle=idle)


def _awake(runs: Runs, batch: list[Carried]) -> dict[str, FlowRun | None]:
    """Referrals whose run does not simply rest, with the run, or None when the engine has none.

    Whether all the others rest is a count, not ten thousand rows.
    """
    ids = {each.run_id for each in batch if each.run_id}
    awake_wanted = {each.run_id for each in batch if each.run_id and each.hubs_move}
    known = runs.read(ids, but_paused=True)
    known.update(runs.read(awake_wanted))
    resting = ids - known.keys()
    if resting and runs.count_paused(resting) < len(resting):
        known.update(runs.read(resting))
        resting = {run_id for run_id in resting if run_id in known and known[run_id].state_type is StateType.PAUSED}
    return {
        each.reference: known.get(each.run_id) if each.run_id else None for each in batch if each.run_id not in resting
    }


def _at_first_sight(run: FlowRun | None, real_now: datetime) -> Trouble | None:
    if run is None or run.state is None:
        return Trouble.MISSING
    match run.state.type:
        case StateType.CANCELLED:
            return Trouble.CANCELLED
        case StateType.COMPLETED | StateType.FAILED | StateType.CRASHED:
            return Trouble.ENDED
        case StateType.SCHEDULED if is_put_off(run, real_now):
            return Trouble.NOT_STARTED
    return None


def _doubtful(session: Session, found: dict[str, FlowRun | None], *, idle: bool) -> dict[str, Trouble]:
    """What is in trouble only if it stays so: a run may just be on its way from one state to the next."""
    sleepers, late = {}, {}
    for reference, run in found.items():
        if run is None or run.state is None:
            continue
        if run.state.type is StateType.PAUSED:
            sleepers[reference] = run.state.id
        elif idle and run.state.type is StateType.SCHEDULED and is_late(run):
            late[reference] = run.state.id
    at_work = {name: run for name, run in found.items() if run and run.state and run.state.type in AT_WORK}
    return (
        dict.fromkeys(doubt(session, sleepers), Trouble.ASLEEP)
        | dict.fromkeys(doubt(session, late), Trouble.NOT_STARTED)
        | {name: _dead(at_work[name]) for name in lifeless_among(session, dict(at_work))}
    )


def _dead(run: FlowRun) -> Trouble:
    cancelling = run.state is not None and run.state.type is StateType.CANCELLING
    return Trouble.CANCELLED if cancelling else Trouble.LIFELESS


def _bring_back(runs: Runs, troubled: dict[str, Trouble], run_of: dict[str, UUID | None]) -> list[str]:
    by_kind: dict[str, dict[str, UUID | None]] = defaultdict(dict)
    for reference, trouble in troubled.items():
        run_id = run_of[reference]
        if trouble is Trouble.CANCELLED and run_id and not _carry_on_all_the_same(runs, reference, run_id):
            continue
        by_kind[ANEW if trouble is Trouble.NOT_STARTED else ""][reference] = run_id
    woken: list[str] = []
    for about, mine in by_kind.items():
        with unit_of_work() as session:
            woken += bring_back(session, mine, at=now(session), about=about)
    for reference in woken:
        log.warning("%s: its run is %s; it is woken", reference, troubled[reference])
    return woken


def _carry_on_all_the_same(runs: Runs, reference: str, run_id: UUID) -> bool:
    for run in runs.read([run_id]).values():
        if run.state is not None and run.state.type is StateType.CANCELLING:
            runs.finish_cancelling(run)
    with unit_of_work() as session:
        return note_cancelled(session, reference, run_id, at=now(session))


def _note_retried(runs: Runs, run_of: dict[str, UUID]) -> None:
    """What an operator stopped, and has let go on since."""
    with unit_of_work() as session:
        halted = {reference: run_of[reference] for reference in stopped(session, run_of)}
    known = runs.read(halted.values())
    for reference, run_id in halted.items():
        run = known.get(run_id)
        if run and run.state and run.state.type not in (StateType.CANCELLED, StateType.CANCELLING):
            with unit_of_work() as session:
                note_retried(session, reference, run_id, at=now(session))


def _batches(everybody: list[Carried]) -> Iterator[list[Carried]]:
    return (everybody[start : start + _BATCH] for start in range(0, len(everybody), _BATCH))
