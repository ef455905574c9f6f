"""How a due time moves when a person extends it, or lets the clock stand still for a while (R21, R33). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.calendar import OfficeCalendar
from rules.clock import ClockPolicy, office_time_after


class ChangeKind(StrEnum):
    """What was done to a clock."""

    EXTENDED = "EXTENDED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"


@dataclass(frozen=True)
class Change:
    """One thing done to a clock at a moment (aware UTC); `until` is the new due time of an extension."""

    kind: ChangeKind
    at: datetime
    until: datetime | None = None


def due_after_pause(
    due_at: datetime, paused_at: datetime, resumed_at: datetime, policy: ClockPolicy, calendar: OfficeCalendar
) -> datetime:
    """When an answer is due once its clock goes again: what time was left at the pause is left then. All aware UTC.

    What was left of 24 elapsed hours is elapsed time; of the other policies it is opening time, so that nobody's time
    runs while the office is closed.
    """
    if policy is ClockPolicy.ELAPSED_24H:
        return resumed_at + (due_at - paused_at)
    return office_time_after(resumed_at, open_time_between(paused_at, due_at, calendar), calendar)


def open_time_between(start: datetime, end: datetime, calendar: OfficeCalendar) -> timedelta:
    """How long the office is open from `start` to `end`, both aware; nothing when `end` is not later."""
    total = timedelta()
    for opens, closes in calendar.spans_from(start):
        if opens >= end:
            return total
        total += min(closes, end) - opens
    raise AssertionError("open time never ends")


def recompute(due_at: datetime, policy: ClockPolicy, calendar: OfficeCalendar, changes: Iterable[Change]) -> datetime:
    """The due time as first asked, after all that was done since, oldest first: what the ledger alone tells (INV4)."""
    paused_at = None
    for change in changes:
        if change.kind is ChangeKind.EXTENDED and change.until:
            due_at = change.until
        elif change.kind is ChangeKind.PAUSED:
            paused_at = change.at
        elif paused_at is not None:
            due_at, paused_at = due_after_pause(due_at, paused_at, change.at, policy, calendar), None
    return due_at
