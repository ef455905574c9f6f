"""Days as whole years, whole months and the days that are left: what is summed up already need not be counted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spans:
    """Some days: `months` lie between two others and follow each other; `years` are those of which all twelve do."""

    months: tuple[date, ...] = ()
    years: tuple[date, ...] = ()
    days: tuple[tuple[date, date], ...] = ()

    @property
    def other_months(self) -> tuple[date, ...]:
        """The whole months that are in none of the whole years."""
        return tuple(month for month in self.months if month.replace(month=1) not in self.years)


def spans(first: date, last: date, known: tuple[date, date] | None) -> Spans:
    """The days from `first` to `last`, both included, where something was asked from one known day to another only.

    A month is whole as well when what lies outside is before everything that is known, or after it.
    """
    if known is None:
        return Spans()
    first = known[0].replace(month=1, day=1) if first <= known[0] else first
    last = known[1].replace(month=12, day=31) if last >= known[1] else last
    months = [month for month in _months(first, last) if month >= first and _following(month) - _DAY <= last]
    if not months:
        return Spans(days=((first, last),) if first <= last else ())
    left = ((first, months[0] - _DAY), (_following(months[-1]), last))
    januaries = [month for month in months if month.month == 1 and month.replace(month=12) in months]
    return Spans(tuple(months), tuple(januaries), tuple(some for some in left if some[0] <= some[1]))


def _months(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        found.append(month)
        month = _following(month)
    return found


def _following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
