"""Days fall into whole years, whole months and what is left, and every day into one of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from reports.spans import Spans, spans

KNOWN = (date(2024, 3, 5), date(2026, 7, 9))


def all_days(found: Spans) -> list[date]:
    """Each day that the spans hold, as often as they hold it."""
    whole = [(month, (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)) for month in found.other_months]
    whole += [(year, year.replace(month=12, day=31)) for year in found.years]
    return [first + timedelta(days=n) for first, last in (*whole, *found.days) for n in range((last - first).days + 1)]


@pytest.mark.parametrize(
    ("first", "last", "years", "other_months", "days"),
    [
        (date(2025, 2, 3), date(2025, 2, 20), 0, 0, 1),
        (date(2025, 2, 3), date(2025, 3, 20), 0, 0, 1),
        (date(2025, 2, 1), date(2025, 2, 28), 0, 1, 0),
        (date(2024, 12, 1), date(2026, 1, 1), 1, 1, 1),
        (date(2024, 4, 2), date(2026, 6, 29), 1, 13, 2),
        (date(2025, 1, 2), date(2025, 12, 31), 0, 11, 1),
    ],
)
def test_each_day_lies_in_one_span(first: date, last: date, years: int, other_months: int, days: int):
    """R25"""
    found = spans(first, last, KNOWN)
    assert (len(found.years), len(found.other_months), len(found.days)) == (years, other_months, days)
    assert sorted(all_days(found)) == [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_what_lies_before_all_that_is_known_or_after_it_makes_no_year_less_whole():
    """R25: up to today, and from before the hub was opened"""
    found = spans(date(2000, 6, 6), date(2026, 7, 20), KNOWN)
    assert found.years == (date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1))
    assert (found.other_months, found.days) == ((), ())


@pytest.mark.parametrize(
    ("first", "last"), [(date(2000, 1, 1), date(2001, 1, 1)), (date(2030, 1, 1), date(2030, 2, 1))]
)
def test_days_on_which_nothing_was_asked_hold_no_sum(first: date, last: date):
    """R25"""
    assert spans(first, last, KNOWN).months == ()
    assert spans(first, last, None) == Spans()
