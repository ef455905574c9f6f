"""Drawing what is looked at a second time."""

from __future__ import annotations

from collections import Counter

import pytest

from rules.dip_sample import Case, draw

CASES = [
    *(Case("child/NFA", f"N{number:03}") for number in range(60)),
    *(Case("child/C_ASSESS", f"A{number:03}") for number in range(30)),
    *(Case("adult/A_S42", f"S{number:03}") for number in range(9)),
    Case("adult/OTHER_LA", "T000"),
]


def test_the_same_seed_draws_the_same_sample_in_whatever_order_the_cases_come():
    """R63"""
    assert draw(CASES, 20, 7) == draw(reversed(CASES), 20, 7)
    assert draw(CASES, 20, 7) != draw(CASES, 20, 8)
    # Drawn once; whoever changes how it is drawn changes what past seeds mean.
    assert [case.key for case in draw(CASES, 5, 7)] == FIVE


FIVE = ["A003", "N012", "N040", "S002", "T000"]


@pytest.mark.parametrize(
    ("size", "shares"),
    [
        (20, {"child/NFA": 12, "child/C_ASSESS": 6, "adult/A_S42": 1, "adult/OTHER_LA": 1}),
        (4, {"child/NFA": 1, "child/C_ASSESS": 1, "adult/A_S42": 1, "adult/OTHER_LA": 1}),
        (2, {"child/NFA": 1, "child/C_ASSESS": 1}),
        (100, {"child/NFA": 60, "child/C_ASSESS": 30, "adult/A_S42": 9, "adult/OTHER_LA": 1}),
        (500, {"child/NFA": 60, "child/C_ASSESS": 30, "adult/A_S42": 9, "adult/OTHER_LA": 1}),
    ],
)
def test_each_outcome_and_side_is_drawn_in_proportion_and_the_rare_ones_too(size, shares):
    """R63"""
    assert Counter(case.stratum for case in draw(CASES, size, 1)) == shares


def test_of_nothing_nothing_is_drawn():
    """R63"""
    assert draw([], 10, 1) == []
