"""How a due time moves when a person extends it, or lets the clock stand still."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.clock import Clock, ClockPolicy, due_at
from rules.clock_changes import Change, ChangeKind, due_after_pause, open_time_between, recompute
from tests.rules.london import OFFICE, london

WORKING_DAY = ClockPolicy.NEXT_WORKING_DAY_SAME_TIME
ASKED = "Tue 10 Mar 2026 10:00"


@pytest.mark.parametrize(
    ("paused", "resumed", "due"),
    [
        ("Tue 10 Mar 2026 11:00", "Tue 10 Mar 2026 13:00", "Wed 11 Mar 2026 12:00"),
        ("Tue 10 Mar 2026 11:00", "Tue 10 Mar 2026 11:00", "Wed 11 Mar 2026 10:00"),
        ("Tue 10 Mar 2026 11:00", "Wed 11 Mar 2026 11:00", "Thu 12 Mar 2026 10:00"),  # seven and a half hours left
        ("Tue 10 Mar 2026 16:00", "Fri 13 Mar 2026 16:00", "Mon 16 Mar 2026 10:00"),  # the weekend does not count
        ("Tue 10 Mar 2026 22:00", "Tue 10 Mar 2026 23:00", "Wed 11 Mar 2026 10:00"),  # nor does the night
        ("Wed 11 Mar 2026 10:00", "Wed 11 Mar 2026 15:00", "Wed 11 Mar 2026 15:00"),  # nothing was left
    ],
)
def test_as_much_opening_time_is_left_after_a_pause_as_before(paused: str, resumed: str, due: str) -> None:
    """R21, R33"""
    first = due_at(london(ASKED), Clock(), OFFICE)
    assert due_after_pause(first, london(paused), london(resumed), WORKING_DAY, OFFICE) == london(due)


def test_of_elapsed_hours_as_many_are_left() -> None:
    """R21"""
    first = due_at(london(ASKED), Clock(ClockPolicy.ELAPSED_24H), OFFICE)
    paused, resumed = london("Tue 10 Mar 2026 20:00"), london("Sat 14 Mar 2026 20:00")
    moved = due_after_pause(first, paused, resumed, ClockPolicy.ELAPSED_24H, OFFICE)
    assert moved == london("Sun 15 Mar 2026 10:00")


def test_an_extension_names_its_time_and_later_pauses_start_from_it() -> None:
    """R21: recomputed from the changes alone"""
    changes = [
        Change(ChangeKind.PAUSED, london("Tue 10 Mar 2026 11:00")),
        Change(ChangeKind.RESUMED, london("Tue 10 Mar 2026 12:00")),
        Change(ChangeKind.EXTENDED, london("Tue 10 Mar 2026 12:30"), london("Fri 13 Mar 2026 12:00")),
        Change(ChangeKind.PAUSED, london("Fri 13 Mar 2026 11:00")),
        Change(ChangeKind.RESUMED, london("Mon 16 Mar 2026 09:30")),
    ]
    first = due_at(london(ASKED), Clock(), OFFICE)
    assert recompute(first, WORKING_DAY, OFFICE, changes[:2]) == london("Wed 11 Mar 2026 11:00")
    assert recompute(first, WORKING_DAY, OFFICE, changes) == london("Mon 16 Mar 2026 10:30")
    assert recompute(first, WORKING_DAY, OFFICE, []) == first


@given(pause=st.integers(0, 60 * 24), length=st.integers(0, 60 * 24 * 10))
def test_a_pause_never_takes_time_away(pause: int, length: int) -> None:
    """R33"""
    first = due_at(london(ASKED), Clock(), OFFICE)
    paused = london(ASKED) + timedelta(minutes=pause)
    resumed = paused + timedelta(minutes=length)
    moved = due_after_pause(first, paused, resumed, WORKING_DAY, OFFICE)
    left = open_time_between(paused, first, OFFICE)
    assert moved >= max(resumed, first if left else resumed)
    assert open_time_between(resumed, moved, OFFICE) == left
