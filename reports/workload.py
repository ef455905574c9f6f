"""What agencies are asked to do: checks on a working day, how long one takes, in which hour most come (R67)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlmodel import Session

from models.profile import Profile
from reports import figures
from reports.figures import Asked, By, Table


class Workload(NamedTuple):
    """Of one agency, or of all together (`agency` is None): the checks that it was asked on some days."""

    agency: str | None
    asked: int
    on_a_working_day: float
    #: The median of what was answered, in office time.
    minutes_each: int | None
    busiest_hour: int | None


def workload(session: Session, asked: Asked, profile: Profile, known: Table | None = None) -> list[Workload]:
    """Of each agency that was asked, in order, and of all together last. Why checks breached makes no difference.

    `known` is the table of the same checks by agency, where the caller has it: it is half of the work.
    """
    if known is None or asked.cause is not None:
        asked = replace(asked, cause=None)
        known = figures.table(session, asked, By.AGENCY)
    days = working_days(asked.first, asked.last, profile)
    by_hour = figures.asked_by_hour(session, asked, profile.area.zone)
    of_all = sum(by_hour.values(), Counter[int]())
    return [
        Workload(row.of, row.asked, a_day(row.asked, days), row.median_open_minutes, busiest(hours))
        for row, hours in [*((row, by_hour[row.of]) for row in known.rows), (known.total, of_all)]
    ]


def working_days(first: date, last: date, profile: Profile) -> int:
    """How many working days lie between two local days, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(map(profile.calendar().is_working_day, days))


def a_day(asked: int, days: int) -> float:
    """How many a working day, on average; none where there was no working day."""
    return asked / days if days else 0.0


def busiest(hours: Mapping[int, int]) -> int | None:
    """The hour of the day in which most were asked, the earlier of two; None while nothing was."""
    return max(hours, key=lambda hour: (hours[hour], -hour), default=None)
