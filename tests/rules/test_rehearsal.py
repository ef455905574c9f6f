"""The same answers at the same times, under another clock."""

from __future__ import annotations

import pytest

from rules.calendar import OfficeCalendar
from rules.clock import Clock, ClockPolicy, office_hours
from rules.clock_changes import Change, ChangeKind
from rules.rehearsal import would_breach
from tests.rules.london import ALL_WEEK, OFFICE, london

DAY, FOUR_HOURS, ELAPSED = Clock(), office_hours(4), Clock(ClockPolicy.ELAPSED_24H)
#: A Friday morning.
ASKED = london("Fri 13 Mar 2026 10:00")


def paused(at: str) -> Change:
    return Change(ChangeKind.PAUSED, london(at))


def resumed(at: str) -> Change:
    return Change(ChangeKind.RESUMED, london(at))


def extended(at: str, until: str) -> Change:
    return Change(ChangeKind.EXTENDED, london(at), london(until))


@pytest.mark.parametrize(
    ("clock", "calendar", "answered", "breaches"),
    [
        (DAY, OFFICE, "Mon 16 Mar 2026 10:00", False),  # the very moment is in time (F19)
        (DAY, OFFICE, "Mon 16 Mar 2026 10:01", True),
        (FOUR_HOURS, OFFICE, "Fri 13 Mar 2026 14:00", False),
        (FOUR_HOURS, OFFICE, "Fri 13 Mar 2026 14:01", True),
        (ELAPSED, OFFICE, "Mon 16 Mar 2026 09:00", True),
        (DAY, ALL_WEEK, "Mon 16 Mar 2026 09:00", True),  # open on Saturdays
    ],
)
def test_another_policy_or_other_hours_make_the_same_answer_late_or_not(
    clock: Clock, calendar: OfficeCalendar, answered: str, breaches: bool
):
    """R21, issue 6, point 7"""
    assert would_breach(ASKED, [], london(answered), clock, calendar) is breaches


@pytest.mark.parametrize(
    ("changes", "answered", "breaches"),
    [
        # Four hours, of which one was left at the pause.
        ([paused("Fri 13 Mar 2026 13:00"), resumed("Mon 16 Mar 2026 09:00")], "Mon 16 Mar 2026 10:00", False),
        ([paused("Fri 13 Mar 2026 13:00"), resumed("Mon 16 Mar 2026 09:00")], "Mon 16 Mar 2026 10:01", True),
        # Under these rules it was late before somebody paused it.
        ([paused("Fri 13 Mar 2026 15:00"), resumed("Mon 16 Mar 2026 09:00")], "Mon 16 Mar 2026 09:01", True),
        # It stands still.
        ([paused("Fri 13 Mar 2026 13:00")], "Tue 17 Mar 2026 10:00", False),
        ([extended("Fri 13 Mar 2026 13:00", "Mon 16 Mar 2026 12:00")], "Mon 16 Mar 2026 12:00", False),
        # An extension is never shorter than what the rules give.
        ([extended("Fri 13 Mar 2026 11:00", "Fri 13 Mar 2026 13:00")], "Fri 13 Mar 2026 14:00", False),
        # It was answered in time, and what was done to its clock afterwards says nothing.
        ([extended("Mon 16 Mar 2026 09:00", "Mon 16 Mar 2026 12:00")], "Fri 13 Mar 2026 12:00", False),
    ],
)
def test_pauses_and_extensions_are_those_that_there_were(changes: list[Change], answered: str, breaches: bool):
    """R21, R33"""
    assert would_breach(ASKED, changes, london(answered), FOUR_HOURS, OFFICE) is breaches
