"""When an answer is due, and why then. Pure: the moment, the policy and the calendar are all handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from rules.calendar import OfficeCalendar

_DAY_WORDS = "%a %d %b %Y"
_DAY_HOURS = 24


class ClockPolicy(StrEnum):
    """How the time for an answer is counted (R21)."""

    NEXT_WORKING_DAY_SAME_TIME = "NEXT_WORKING_DAY_SAME_TIME"
    ELAPSED_24H = "ELAPSED_24H"
    OFFICE_HOURS = "OFFICE_HOURS"


@dataclass(frozen=True)
class Clock:
    """A clock policy with what it needs.

    `hours` is the open time of OFFICE_HOURS. For NEXT_WORKING_DAY_SAME_TIME it counts whole days, closed ones left out:
    72 is the third working day, and None the next. With `starts_at_opening`, what is asked while the office is closed
    counts as asked when it next opens (R21, R26). Raises ValueError when these do not fit.
    """

    policy: ClockPolicy = ClockPolicy.NEXT_WORKING_DAY_SAME_TIME
    hours: float | None = None
    starts_at_opening: bool = True

    def __post_init__(self) -> None:
        if not self._has_its_hours():
            raise ValueError(
                "hours belong to OFFICE_HOURS, and in whole days, such as 72, to NEXT_WORKING_DAY_SAME_TIME"
            )
        if self.hours is not None and not 0 < self.hours <= 1000:
            raise ValueError("hours must be more than 0 and at most 1000")

    @property
    def days(self) -> int:
        """On which working day after the one of the question NEXT_WORKING_DAY_SAME_TIME ends."""
        return int((self.hours or _DAY_HOURS) // _DAY_HOURS)

    def _has_its_hours(self) -> bool:
        match self.policy:
            case ClockPolicy.OFFICE_HOURS:
                return self.hours is not None
            case ClockPolicy.NEXT_WORKING_DAY_SAME_TIME:
                return self.hours is None or self.hours % _DAY_HOURS == 0
            case ClockPolicy.ELAPSED_24H:
                return self.hours is None


def due_at(asked_at: datetime, clock: Clock, calendar: OfficeCalendar) -> datetime:
    """When an answer is due to what was asked at `asked_at`; both are aware, the result is UTC (R21).

    NEXT_WORKING_DAY_SAME_TIME keeps the local time over a change of the clocks: a time that does not exist on that
    day becomes the first moment after the jump, a time that comes twice means the first. ELAPSED_24H is exactly
    86,400 seconds, closed days or not. OFFICE_HOURS counts open time alone, and may end at a closing time.

    Without `starts_at_opening` a question asked on a closed day is due at that time on the next working day.
    Raises ValueError for a moment without a zone.
    """
    start = _start(asked_at, clock, calendar)
    match clock.policy:
        case ClockPolicy.ELAPSED_24H:
            return start + timedelta(seconds=86_400)
        case ClockPolicy.OFFICE_HOURS:
            return office_time_after(start, timedelta(hours=clock.hours or 0), calendar)
        case ClockPolicy.NEXT_WORKING_DAY_SAME_TIME:
            asked = calendar.local(start)
            day = asked.date()
            for _ in range(clock.days):
                day = calendar.next_working_day(day)
            return calendar.at_local(day, asked.time())


def office_hours(hours: float) -> Clock:
    """The clock that counts `hours` of open time, for chases and escalations."""
    return Clock(ClockPolicy.OFFICE_HOURS, hours)


def office_hours_before(moment: datetime, hours: float, calendar: OfficeCalendar) -> datetime:
    """The moment, aware UTC, from which `hours` of open time are left until `moment`.

    A warning sent then finds somebody at work: four elapsed hours before an opening would be in the night.
    """
    left = timedelta(hours=hours)
    for opens, closes in calendar.spans_before(moment):
        if left <= closes - opens:
            return closes - left
        left -= closes - opens
    raise AssertionError("open time before a moment never ends")


def office_time_after(start: datetime, left: timedelta, calendar: OfficeCalendar) -> datetime:
    """The moment, aware UTC, at which `left` of open time has passed since `start`; it may be a closing time."""
    for opens, closes in calendar.spans_from(start):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AssertionError("open time never ends")


def is_late(at: datetime, due_at: datetime) -> bool:
    """Whether `at` is late: the very moment of the due time is on time (F19)."""
    return at > due_at


def explain(asked_at: datetime, clock: Clock, calendar: OfficeCalendar) -> list[str]:
    """Why an answer is due when it is: plain sentences, local times, each closed day that was skipped by name.

    The first sentence begins with "Asked", the last with "Due".
    """
    start, due = _start(asked_at, clock, calendar), due_at(asked_at, clock, calendar)
    sentences = [f"Asked {moment_words(asked_at, calendar)}."]
    if start != asked_at:
        sentences.append(f"The office was closed: the clock starts {moment_words(start, calendar)}.")
    sentences += _counted(clock)
    sentences += _skipped(calendar, asked_at, start if clock.policy is ClockPolicy.ELAPSED_24H else due)
    sentences += _clocks_changed(clock, calendar, start, due)
    if calendar.local(due).date() > calendar.known_until:
        sentences.append(f"Bank holidays after {calendar.known_until.strftime(_DAY_WORDS)} were not yet known.")
    return [*sentences, f"Due {moment_words(due, calendar)}."]


def elapsed_words(elapsed: timedelta) -> str:
    """A length of time in its two largest units, such as "1 day 3 hours"; rounded down, its sign left out."""
    minutes = int(abs(elapsed).total_seconds() // 60)
    units = (("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60))
    first = next((place for place, (_, count) in enumerate(units) if count), None)
    if first is None:
        return "less than a minute"
    return " ".join(_plural(count, unit) for unit, count in units[first : first + 2] if count)


def _start(asked_at: datetime, clock: Clock, calendar: OfficeCalendar) -> datetime:
    asked_at = calendar.local(asked_at).astimezone(UTC)
    return calendar.opens_after(asked_at) if clock.starts_at_opening else asked_at


def _counted(clock: Clock) -> list[str]:
    match clock.policy:
        case ClockPolicy.ELAPSED_24H:
            return ["24 hours are counted without a break."]
        case ClockPolicy.OFFICE_HOURS:
            return [f"Only opening time is counted: {_hours_words(clock.hours or 0)}."]
        case ClockPolicy.NEXT_WORKING_DAY_SAME_TIME:
            return [f"{clock.days} working days are counted."] if clock.days > 1 else []


def _skipped(calendar: OfficeCalendar, since: datetime, until: datetime) -> list[str]:
    closed = calendar.closed_between(calendar.local(since).date(), calendar.local(until).date())
    return [f"Closed {', '.join(_day_name(calendar, day) for day in closed)}."] if closed else []


def _day_name(calendar: OfficeCalendar, day: date) -> str:
    reason = calendar.closed_days.get(day)
    return f"{day.strftime('%a %d %b')} ({reason})" if reason else day.strftime("%a")


def _clocks_changed(clock: Clock, calendar: OfficeCalendar, start: datetime, due: datetime) -> list[str]:
    if calendar.local(start).utcoffset() == calendar.local(due).utcoffset():
        return []
    if clock.policy is ClockPolicy.ELAPSED_24H:
        return ["The clocks change in between, so the local time of day moves."]
    return ["The clocks change in between."]


def moment_words(moment: datetime, calendar: OfficeCalendar) -> str:
    """A moment in the office's local time, such as "Fri 13 Mar 2026 16:30"; of one that comes twice, which."""
    local = calendar.local(moment)
    words = local.strftime(f"{_DAY_WORDS} %H:%M")
    comes_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    return f"{words} {local.tzname()}" if comes_twice else words


def _hours_words(hours: float) -> str:
    return _plural(int(hours), "hour") if hours == int(hours) else f"{hours:g} hours"


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
