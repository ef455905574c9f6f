"""What an agency's clock would have said under other rules: another policy, other hours, another calendar. Pure.

It asks only what the clock would have made of the same answers at the same times. Whether people would have answered
sooner under a shorter clock, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rules.calendar import OfficeCalendar
from rules.clock import Clock, due_at
from rules.clock_changes import Change, ChangeKind, due_after_pause


def would_breach(
    asked_at: datetime, changes: Iterable[Change], waited_until: datetime, clock: Clock, calendar: OfficeCalendar
) -> bool:
    """Whether the due time would have passed unanswered, with the pauses and extensions that there were, oldest first.

    `waited_until` is when the agency answered, or was no longer waited for; now, while it is. An extension never
    shortens the time that these rules give. All moments are aware.
    """
    due, paused_at = due_at(asked_at, clock, calendar), None
    for change in changes:
        if paused_at is None and min(change.at, waited_until) > due:
            return True
        if change.kind is ChangeKind.EXTENDED and change.until:
            due = max(due, change.until)
        elif change.kind is ChangeKind.PAUSED:
            paused_at = change.at
        elif paused_at is not None:
            due, paused_at = due_after_pause(due, paused_at, change.at, clock.policy, calendar), None
    return paused_at is None and waited_until > due
