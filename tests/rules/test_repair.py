"""A burst of crashes does not use up the tries, and what it hit goes on soon after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile

import pytest

from rules.repair import HELD, OFTEN, RARELY, has_held, is_time, pause_after

SWEEP = timedelta(seconds=5)


def _tries() -> Iterator[timedelta]:
    """When a referral is tried that is found in trouble at every sweep, for ever."""
    now, last, tries = timedelta(), None, 0
    while True:
        if is_time(tries, None if last is None else now - last):
            last, tries = now, tries + 1
            yield now
        now += SWEEP


@pytest.mark.parametrize(("tries", "seconds"), [(0, 0), (1, 10), (2, 30), (3, 60), (4, 90), (5, 90), (39, 90)])
def test_the_first_try_is_at_once_and_each_next_one_later(tries, seconds):
    """Issue 3, item 3"""
    assert pause_after(tries) == timedelta(seconds=seconds)


def test_within_a_minute_of_crashes_three_tries_are_made():
    """F2-F4"""
    made = list(takewhile(lambda at: at < timedelta(minutes=1), _tries()))
    assert made == [timedelta(), timedelta(seconds=10), timedelta(seconds=40)]


@pytest.mark.parametrize("storm", [timedelta(seconds=n) for n in (1, 20, 60, 200, 420, 1800, 3000)], ids=str)
def test_however_long_a_storm_within_an_hour_the_next_try_is_within_two_minutes_of_its_end(storm):
    """INV9: with what a sweep takes to see it"""
    after = next(at for at in _tries() if at >= storm) - storm
    assert after + timedelta(seconds=20) < timedelta(minutes=2)


def test_what_nothing_mends_is_tried_rarely_after_an_hour():
    hour, two = timedelta(hours=1), timedelta(hours=2)
    later = [at for at in takewhile(lambda at: at < two, _tries()) if at >= hour]
    assert len(later) == two // RARELY - hour // RARELY


@pytest.mark.parametrize("tries", [1, 3, 5, 39, 40, 100])
def test_a_trouble_that_goes_on_never_looks_mended_and_one_that_is_new_does(tries):
    assert not has_held(tries, pause_after(tries) + timedelta(minutes=1))
    assert has_held(tries, pause_after(tries) + HELD)


def test_a_clock_that_was_set_back_holds_nothing_up():
    """F24"""
    assert is_time(3, -OFTEN)
    assert has_held(3, -OFTEN)
    assert is_time(0, None)
