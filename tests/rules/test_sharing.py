"""When an agreement is in force, and when somebody is to look at it (R55, R62)."""

from __future__ import annotations

from datetime import date

import pytest

from rules.sharing import Force, Term

ONE_YEAR = Term(date(2026, 4, 1), date(2027, 3, 31), review_on=date(2026, 12, 1))
OPEN_ENDED = Term(date(2026, 4, 1), None, review_on=date(2026, 12, 1))
ENDED = Term(date(2026, 4, 1), None, review_on=date(2026, 12, 1), ended_on=date(2026, 6, 1))


@pytest.mark.parametrize(
    ("term", "day", "force"),
    [
        (ONE_YEAR, date(2026, 3, 31), Force.NOT_YET),
        (ONE_YEAR, date(2026, 4, 1), Force.IN_FORCE),
        (ONE_YEAR, date(2026, 10, 2), Force.IN_FORCE),
        (ONE_YEAR, date(2026, 10, 3), Force.REVIEW_DUE),  # 59 days before the review
        (ONE_YEAR, date(2027, 1, 30), Force.REVIEW_DUE),
        (ONE_YEAR, date(2027, 1, 31), Force.ENDS_SOON),  # 59 days before the end
        (ONE_YEAR, date(2027, 3, 31), Force.ENDS_SOON),  # the last day counts
        (ONE_YEAR, date(2027, 4, 1), Force.OVER),
        (OPEN_ENDED, date(2036, 1, 1), Force.REVIEW_DUE),
        (ENDED, date(2026, 5, 31), Force.IN_FORCE),
        (ENDED, date(2026, 6, 1), Force.OVER),
    ],
)
def test_an_agreement_is_in_force_from_its_first_day_to_its_last(term: Term, day: date, force: Force):
    """R55"""
    assert term.on(day) is force
    assert force.holds is (force not in {Force.NOT_YET, Force.OVER})
