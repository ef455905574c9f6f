"""A quarter before the known bank holidays end, somebody is told (R21, finding 23)."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta

import pytest

from casework import calendar_end
from casework.register import current_profile
from engine import rounds
from tests.casework.factory import act
from tests.record import Record
from tests.reports.conftest import held

DAY = timedelta(days=1)
#: Bank holidays are known until the end of this year: on the last of September it is 92 days more, the day after 91.
KNOWN_UNTIL = date(2030, 12, 31)
IN_TIME, THEN = date(2030, 9, 30), date(2030, 10, 1)


def ten_on(day: date) -> datetime:
    return datetime.combine(day, time(10), current_profile().zone_info)


def told(record: Record) -> list[tuple[str, str]]:
    return record.ask("SELECT message, recipient FROM notice")


def test_whoever_keeps_the_calendar_is_told_a_quarter_ahead_and_once(record: Record):
    """R21: not a day before, and not again on each day after"""
    assert current_profile().hours.known_until == KNOWN_UNTIL
    assert act(calendar_end.warn, current_profile(), at=ten_on(IN_TIME)) is None
    assert told(record) == []
    for day in range(3):
        to_do = act(calendar_end.warn, current_profile(), at=ten_on(THEN + day * DAY))
        assert "compare those of 2031 with the published list" in (to_do or "")
    assert told(record) == [("calendar_ends", "mash:alarm")]


def test_the_timekeeper_looks_once_a_day_and_says_to_operators_what_to_do(
    record: Record, caplog: pytest.LogCaptureFixture
):
    """R21, R23: by whichever copy comes first"""
    caplog.set_level(logging.WARNING, "mash.timekeeper")
    with held(record, ten_on(THEN)):
        for _ in range(3):
            rounds.look_ahead()
    assert told(record) == [("calendar_ends", "mash:alarm")]
    [warning] = [each.getMessage() for each in caplog.records if each.name == "mash.timekeeper"]
    assert "bank holidays are known until 2030-12-31 only" in warning
