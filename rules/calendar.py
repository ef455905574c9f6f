"""When the office is open. Opening hours and closed days are data; nothing here knows an area or asks the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Opening and closing time of one day, local; at the closing time itself the office is closed.
Hours = tuple[time, time]
#: One stretch of open time: first and last moment, both aware UTC.
Span = tuple[datetime, datetime]

DAY = timedelta(days=1)


@dataclass(frozen=True)
class OfficeCalendar:
    """The opening hours of one office (R21, R26).

    `opening` maps a weekday (0 is Monday) to its hours, or to None when closed all day; a weekday left out is closed.
    `closed_days` maps a date to the reason that a person would give, such as "Good Friday"; it wins over everything.
    `short_days` gives single dates hours of their own. After `known_until` nobody has looked up the bank holidays:
    such days count as ordinary weekdays, and a deadline that falls there says so.

    Raises ValueError when no weekday is ever open, when hours end before they begin, or when `zone` is unknown.
    """

    zone: str
    opening: Mapping[int, Hours | None]
    closed_days: Mapping[date, str]
    short_days: Mapping[date, Hours]
    version: str
    known_until: date

    def __post_init__(self) -> None:
        spans = [hours for hours in (*self.opening.values(), *self.short_days.values()) if hours]
        if not any(self.opening.get(weekday) for weekday in range(7)):
            raise ValueError("no weekday is open")
        if any(opens >= closes for opens, closes in spans):
            raise ValueError("hours must open before they close, on one day")
        ZoneInfo(self.zone)

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone in which all hours and dates of this calendar are read."""
        return ZoneInfo(self.zone)

    def local(self, moment: datetime) -> datetime:
        """An aware moment as this office's clock shows it. Raises ValueError for a moment without a zone."""
        if moment.utcoffset() is None:
            raise ValueError("a moment must carry its zone")
        return moment.astimezone(self.zone_info)

    def at_local(self, day: date, at: time) -> datetime:
        """The moment, aware UTC, at which this office's clock shows `at` on `day`.

        A time that the clocks jump over in spring becomes the first moment after the jump; a time that comes twice
        in autumn means its first coming. Both keep the order of any two times of one day.
        """
        first = datetime.combine(day, at.replace(fold=0), self.zone_info)
        moment = first.astimezone(UTC)
        if moment.astimezone(self.zone_info).replace(tzinfo=None) == first.replace(tzinfo=None):
            return moment
        return _end_of_gap(first)

    def hours_on(self, day: date) -> Hours | None:
        """The local opening hours of one day, None when it is closed."""
        if day in self.closed_days:
            return None
        return self.short_days.get(day) or self.opening.get(day.weekday())

    def span_on(self, day: date) -> Span | None:
        """The open time of one day as moments in UTC, None when it is closed."""
        hours = self.hours_on(day)
        return (self.at_local(day, hours[0]), self.at_local(day, hours[1])) if hours else None

    def is_working_day(self, day: date) -> bool:
        """Whether the office opens at all on this date."""
        return self.hours_on(day) is not None

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`, never `day` itself."""
        following = day + DAY
        while not self.is_working_day(following):
            following += DAY
        return following

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody is there at this aware moment."""
        span = self.span_on(self.local(moment).date())
        return span is not None and span[0] <= moment < span[1]

    def opens_after(self, moment: datetime) -> datetime:
        """The first open moment from `moment` on, aware UTC: `moment` itself when the office is open."""
        opens, _ = next(self.spans_from(moment))
        return opens

    def spans_from(self, moment: datetime) -> Iterator[Span]:
        """All open time from an aware moment on, day by day and without end; the first span begins no earlier."""
        moment = self.local(moment).astimezone(UTC)
        day = self.local(moment).date()
        while True:
            span = self.span_on(day)
            if span and span[1] > moment:
                yield max(span[0], moment), span[1]
            day = self.next_working_day(day)

    def spans_before(self, moment: datetime) -> Iterator[Span]:
        """All open time before an aware moment, backwards day by day and without end."""
        moment = self.local(moment).astimezone(UTC)
        day = self.local(moment).date()
        while True:
            span = self.span_on(day)
            if span and span[0] < moment:
                yield span[0], min(span[1], moment)
            day -= DAY

    def closed_between(self, first: date, last: date) -> list[date]:
        """The closed days from `first` to the day before `last`, in order."""
        days = (first + timedelta(days=number) for number in range((last - first).days))
        return [day for day in days if not self.is_working_day(day)]


def _end_of_gap(missing: datetime) -> datetime:
    """The moment at which the clocks jump over the local time `missing`, aware UTC.

    Read with the offset after the jump (fold 1), a missing time gives a moment shortly before the jump: from there
    walk on by minutes, since clocks change on whole minutes.
    """
    moment = missing.replace(fold=1, second=0, microsecond=0).astimezone(UTC)
    before = moment.astimezone(missing.tzinfo).utcoffset()
    while moment.astimezone(missing.tzinfo).utcoffset() == before:
        moment += timedelta(minutes=1)
    return moment
