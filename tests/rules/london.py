"""Moments as a person in London writes them, and an England office to try them on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from rules.calendar import OfficeCalendar

LONDON = ZoneInfo("Europe/London")

#: Written out by hand: the calendar under test is not made by the library that it is compared with.
BANK_HOLIDAYS = {
    date(2023, 12, 25): "Christmas Day",
    date(2023, 12, 26): "Boxing Day",
    date(2024, 1, 1): "New Year's Day",
    date(2024, 3, 29): "Good Friday",
    date(2024, 4, 1): "Easter Monday",
    date(2025, 12, 25): "Christmas Day",
    date(2025, 12, 26): "Boxing Day",
    date(2026, 1, 1): "New Year's Day",
    date(2026, 4, 3): "Good Friday",
    date(2026, 4, 6): "Easter Monday",
    date(2026, 5, 4): "Early May bank holiday",
    date(2026, 5, 25): "Spring bank holiday",
    date(2026, 8, 31): "Summer bank holiday",
    date(2026, 12, 25): "Christmas Day",
    date(2026, 12, 28): "Boxing Day (substitute day)",
    date(2027, 1, 1): "New Year's Day",
    date(2027, 3, 26): "Good Friday",
    date(2027, 3, 29): "Easter Monday",
    date(2027, 12, 27): "Christmas Day (substitute day)",
    date(2027, 12, 28): "Boxing Day (substitute day)",
}
DAYTIME = (time(8, 30), time(17))

#: Monday to Friday, 08:30 to 17:00.
OFFICE = OfficeCalendar(
    zone="Europe/London",
    opening=dict.fromkeys(range(5), DAYTIME),
    closed_days=BANK_HOLIDAYS,
    short_days={date(2026, 12, 24): (time(8, 30), time(12, 30))},
    version="by-hand",
    known_until=date(2027, 12, 31),
)
#: Every day, 08:00 to 20:00: an office that works on the Sundays on which the clocks change.
ALL_WEEK = OfficeCalendar(
    zone="Europe/London",
    opening=dict.fromkeys(range(7), (time(8), time(20))),
    closed_days={},
    short_days={},
    version="all-week",
    known_until=date(2027, 12, 31),
)


def london(words: str, *, fold: int = 0) -> datetime:
    """Such as "Fri 13 Mar 2026 16:30", as an aware moment in UTC.

    `fold` 1 means the second coming of a time that comes twice. Raises ValueError when the weekday is wrong or the
    time does not exist, so that a table of cases cannot lie.
    """
    shape = "%a %d %b %Y %H:%M:%S" if words.count(":") == 2 else "%a %d %b %Y %H:%M"
    wall = datetime.strptime(words, shape).replace(tzinfo=LONDON, fold=fold)
    moment = wall.astimezone(UTC)
    if wall.strftime("%a") != words[:3]:
        raise ValueError(f"{words}: that day is a {wall.strftime('%A')}")
    if moment.astimezone(LONDON).strftime(shape) != wall.strftime(shape):
        raise ValueError(f"{words}: the clocks jump over this time")
    return moment
