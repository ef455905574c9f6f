"""When the office is open."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from rules.calendar import OfficeCalendar
from tests.rules.london import ALL_WEEK, DAYTIME, OFFICE, london


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("Tue 10 Mar 2026 08:29:59", False),
        ("Tue 10 Mar 2026 08:30", True),
        ("Tue 10 Mar 2026 16:59:59", True),
        ("Tue 10 Mar 2026 17:00", False),
        ("Sat 14 Mar 2026 12:00", False),
        ("Fri 03 Apr 2026 12:00", False),
        ("Thu 24 Dec 2026 12:00", True),
        ("Thu 24 Dec 2026 12:30", False),
        ("Mon 30 Mar 2026 08:30", True),  # summer time: 07:30 UTC
        ("Mon 26 Oct 2026 08:29", False),  # winter time again
    ],
)
def test_the_office_is_open_in_its_hours(moment: str, is_open: bool) -> None:
    """R26"""
    assert OFFICE.is_open(london(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("Tue 10 Mar 2026 12:00", "Tue 10 Mar 2026 12:00"),
        ("Tue 10 Mar 2026 17:00", "Wed 11 Mar 2026 08:30"),
        ("Sat 14 Mar 2026 20:00", "Mon 16 Mar 2026 08:30"),
        ("Thu 24 Dec 2026 12:30", "Tue 29 Dec 2026 08:30"),
        ("Tue 10 Mar 2026 00:00", "Tue 10 Mar 2026 08:30"),
    ],
)
def test_it_says_when_it_opens_next(moment: str, opens: str) -> None:
    """R26"""
    assert OFFICE.opens_after(london(moment)) == london(opens)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 3, 13), date(2026, 3, 16)),
        (date(2026, 3, 14), date(2026, 3, 16)),
        (date(2026, 4, 2), date(2026, 4, 7)),
        (date(2024, 2, 28), date(2024, 2, 29)),
        (date(2026, 12, 31), date(2027, 1, 4)),
    ],
)
def test_the_next_working_day_skips_closed_days(day: date, following: date) -> None:
    """R21"""
    assert OFFICE.next_working_day(day) == following


def test_an_office_may_open_for_once_on_a_closed_weekday() -> None:
    """R26: hours of a single date win over those of its weekday, and a closed day wins over both."""
    saturday, sunday = date(2026, 3, 14), date(2026, 3, 15)
    office = OfficeCalendar(
        "Europe/London", {0: DAYTIME}, {sunday: "Move"}, {saturday: DAYTIME, sunday: DAYTIME}, "v", date(2026, 12, 31)
    )
    assert office.is_working_day(saturday)
    assert not office.is_working_day(sunday)


@pytest.mark.parametrize(
    ("day", "at", "moment"),
    [
        (date(2026, 3, 29), time(0, 59), datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        (date(2026, 3, 29), time(1, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),  # jumped over
        (date(2026, 3, 29), time(2, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 10, 25), time(1, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of two
        (date(2026, 10, 25), time(1, 30, fold=1), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 10, 25), time(2, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
    ],
)
def test_local_times_on_the_days_on_which_the_clocks_change(day: date, at: time, moment: datetime) -> None:
    """R21"""
    assert ALL_WEEK.at_local(day, at) == moment


def test_no_local_time_of_a_day_comes_before_an_earlier_one() -> None:
    """R21: every minute of both days on which the clocks change, in order."""
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        moments = [ALL_WEEK.at_local(day, time(minute // 60, minute % 60)) for minute in range(1440)]
        assert moments == sorted(moments)


@pytest.mark.parametrize(
    ("opening", "short"),
    [
        ({}, {}),
        ({0: None}, {}),
        ({0: (time(17), time(8))}, {}),
        ({0: DAYTIME}, {date(2026, 1, 5): (time(9), time(9))}),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(opening, short) -> None:
    """R21"""
    with pytest.raises(ValueError, match="open"):
        OfficeCalendar("Europe/London", opening, {}, short, "v", date(2026, 12, 31))


def test_an_unknown_zone_is_refused() -> None:
    """R21"""
    with pytest.raises(ZoneInfoNotFoundError):
        OfficeCalendar("Europe/Bath", {0: DAYTIME}, {}, {}, "v", date(2026, 12, 31))


def test_open_time_runs_forwards_and_backwards_over_the_same_spans() -> None:
    """R21"""
    start, end = london("Thu 02 Apr 2026 10:00"), london("Wed 08 Apr 2026 12:00")
    forwards, backwards = [], []
    for span in OFFICE.spans_from(start):
        if span[0] >= end:
            break
        forwards.append((span[0], min(span[1], end)))
    for span in OFFICE.spans_before(end):
        if span[1] <= start:
            break
        backwards.append((max(span[0], start), span[1]))
    assert forwards == backwards[::-1]
    assert sum((b - a for a, b in forwards), timedelta()) == timedelta(hours=7 + 8.5 + 3.5)
