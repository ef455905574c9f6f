"""Telling the engine what the ledger says, so that a run on its screen reads like the case (R73; issue 7, item 1).

Each act is an event on the run's timeline, and each agency's check a bar, although no process waited for it. This is
decoration and never truth: nothing waits for it, and what could not be told is told at a later turn. Whatever is told
has an id of its own that follows from the record, so that telling it twice, or by two timekeepers, changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from casework.db import now, real_time, unit_of_work
from casework.facts import checks_settled
from casework.telling import Bar, Told, bars, progress, told_between
from casework.wakes import wake
from engine.runs import TOLD, Runs
from engine.turns import is_ours
from engine.untold import untold
from models.settings import settings

#: How many entries of the ledger one turn tells: after a burst the rest waits, and wake-ups go first.
MOST = 400
#: Entries are numbered when they are written and seen when they are committed: so many are looked at once more.
AGAIN = 50
#: So many events are told at once. Between two lots the engine answers those who wait for it (bench/latency.py).
AT_ONCE, BREATH = 20, 0.25
#: And so many waits are named anew in one turn.
MOST_RENAMED = 50
_OURS = uuid5(NAMESPACE_URL, "mash:story")
#: A hub whose clock runs like everybody's is never as far from the real time as this.
_SAME_CLOCK = timedelta(minutes=1)
#: For how long the engine keeps events (engine/surroundings.py).
_KEPT = timedelta(days=1)

#: How the engine draws a check that has not come to an answer.
_KINDS = {"Asked": "RUNNING", "Overdue": "FAILED", "Cancelled": "CANCELLED", "Not awaited": "CANCELLED"}

Event = dict[str, Any]


@dataclass(frozen=True)
class _Times:
    """The hub's time and the real one at a telling.

    The hub's clock may be held still, and jump, for a trial: then spans are carried over, and what is told later counts
    as later.
    """

    hub: datetime
    real: datetime

    @property
    def _held(self) -> bool:
        return abs(self.hub - self.real) > _SAME_CLOCK

    def shown(self, at: datetime) -> datetime:
        """When the engine is to show what happened at `at` (hub time)."""
        return at - (self.hub - self.real) if self._held else at

    def told(self, at: datetime, place: int, *, first: datetime | None = None) -> datetime:
        """By which time the engine orders what happened at `at`, the `place`-th of what began at `first`.

        What began long ago counts as told now, all of it: an event older than the engine keeps them for would be
        deleted at once, and what was told while the clock was held would seem newer than what came after it.
        """
        long_ago = self.real - (first or at) >= _KEPT
        return self.real + timedelta(milliseconds=place) if self._held or long_ago else at


def tell_in_turn(runs: Runs) -> None:
    """Tell, if no copy of the timekeeper has done so for a while. Raises Unavailable."""
    if is_ours("story", timedelta(seconds=settings().sweep_seconds)):
        tell(runs)


def tell(runs: Runs) -> int:
    """Tell the engine of what happened since the last time, and say how many events that were. Raises Unavailable."""
    span = untold(runs, TOLD, MOST)
    if span is None:
        return 0
    after, upto = span
    with unit_of_work() as session:
        acts = told_between(session, after - AGAIN, upto)
        checks = bars(session, acts)
        times = _Times(now(session), real_time(session))
    # A bar for a run that the engine does not know would be refused, with whatever else is written down beside it.
    known = runs.read({each.run_id for each in acts})
    events = [_event_of(act, times) for act in acts if act.run_id in known]
    events += [event for bar in checks if bar.run_id in known for event in _events_of(bar, times)]
    for first in range(0, len(events), AT_ONCE):
        runs.tell(events[first : first + AT_ONCE])
        time.sleep(BREATH)
    _name_waits_anew(runs, {act.run_id: act.reference for act in acts if act.agency})
    runs.note_told(upto, TOLD)
    return len(events)


def _name_waits_anew(runs: Runs, reference_of: Mapping[UUID, str]) -> None:
    """A run that is resumed while its wait is named anew is put to sleep by that, and nobody would wake it soon."""
    with unit_of_work() as session:
        waits = progress(session, set(reference_of.values()), now(session))
    some = dict(list(waits.items())[:MOST_RENAMED])
    known = runs.read(some)
    named = [run_id for run_id, waiting in some.items() if runs.say_why(known.get(run_id), waiting.name, waiting.why)]
    with unit_of_work() as session:
        at = now(session)
        for reference in (reference_of[run_id] for run_id in named):
            if checks_settled(session, reference, at) is None:
                wake(session, reference, at)


def _event_of(act: Told, times: _Times) -> Event:
    return {
        "id": str(uuid5(_OURS, f"{act.run_id}/{act.number}")),
        "occurred": times.told(act.at, act.number).isoformat(),
        "event": act.event,
        "resource": {"prefect.resource.id": f"mash.referral.{act.reference}", "prefect.resource.name": act.reference},
        "related": [_run(act.run_id, act.reference)],
        "payload": {"agency": act.agency} if act.agency else {},
    }


def _events_of(bar: Bar, times: _Times) -> Iterator[Event]:
    """What the engine's own client says of a task run that it has worked on: that it is, or each end that it came to.

    A check that is overdue shows as ended, in red, and is stretched to the answer should one come.
    """
    for place, (name, at) in enumerate(bar.ends or [("Asked", bar.asked_at)]):
        yield _state(bar, times, name, at, place)


def _state(bar: Bar, times: _Times, name: str, at: datetime, place: int) -> Event:
    kind = _KINDS.get(name, "COMPLETED")
    run = uuid5(_OURS, f"{bar.run_id}/{bar.agency}")
    asked = times.shown(bar.asked_at)
    shown: dict[str, Any] = {
        "name": bar.agency, "task_key": "agency-check", "dynamic_key": bar.agency, "run_count": 1,
        "flow_run_run_count": 1, "expected_start_time": asked.isoformat(), "start_time": asked.isoformat(),
    }  # fmt: skip
    if kind != "RUNNING":
        shown |= {"end_time": times.shown(at).isoformat(), "total_run_time": (at - bar.asked_at).total_seconds()}
    return {
        "id": str(uuid5(run, name)),
        "occurred": times.told(at, place, first=bar.asked_at).isoformat(),
        "event": f"prefect.task-run.{name}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run}",
            "prefect.resource.name": bar.agency,
            "prefect.state-name": name,
            "prefect.state-type": kind,
            "prefect.orchestration": "client",
        },
        "related": [_run(bar.run_id, bar.reference)],
        "payload": {
            "intended": {"from": None, "to": kind},
            "initial_state": None,
            "validated_state": {"type": kind, "name": name, "message": ""},
            "task_run": shown,
        },
    }


def _run(run_id: UUID, reference: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.flow-run.{run_id}",
        "prefect.resource.role": "flow-run",
        "prefect.resource.name": reference,
    }
