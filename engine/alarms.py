"""Looking for what operations staff must know of, and telling them, which the engine cannot do (decision 21)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from casework.alarms import keep, seen_in_record
from casework.db import now, real_time, unit_of_work
from engine.runs import Runs
from engine.turns import is_ours
from rules.alarms import CRASHED_WITHIN, LATE_AFTER, Alarm
from rules.errors import Unavailable

log = logging.getLogger("mash.timekeeper")

EVERY = timedelta(minutes=1)


def watch_in_turn(runs: Runs) -> None:
    """Look, if no copy of the timekeeper has done so for a minute."""
    if is_ours("alarms", EVERY):
        watch(runs)


def watch(runs: Runs) -> list[Alarm]:
    """Look at engine and record, and tell operations staff what it is time to tell. Which alarms these were.

    An engine that does not answer is an alarm itself, and leaves those about its runs as they were.
    """
    with unit_of_work() as session:
        real_now = real_time(session)
    seen = _seen_in_engine(runs, real_now)
    with unit_of_work() as session:
        at = now(session)
        told = keep(session, seen | seen_in_record(session, at), at=at, real_now=real_now)
    for alarm in told:
        log.warning("alarm %s: see %s", alarm, alarm.run_book)
    return told


def _seen_in_engine(runs: Runs, real_now: datetime) -> dict[Alarm, bool]:
    try:
        return {
            Alarm.NO_WORKER: not runs.is_polled(),
            Alarm.RUN_CRASHED: runs.count_ended_since(real_now - CRASHED_WITHIN) > 0,
            Alarm.RUN_LATE: runs.count_late(real_now - LATE_AFTER) > 0,
            Alarm.ENGINE_AWAY: False,
        }
    except Unavailable:
        return {Alarm.ENGINE_AWAY: True}
