"""Agreement as a number, against what others published."""

from __future__ import annotations

import random
import statistics

import pytest

from rules.concordance import alpha, concordance


def judged(*judges: str) -> list[tuple[str | None, ...]]:
    """Each judge's row of the published table, "." where they said nothing; one unit for each column."""
    rows = [[None if said == "." else said for said in judge.split()] for judge in judges]
    return list(zip(*rows, strict=True))


#: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), examples A, B and C; and the worked example of
#: three coders and fifteen units that the article on the coefficient in Wikipedia computes.
PUBLISHED = [
    (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
    (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
    (
        (
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        ),
        0.743,
    ),
    (
        (
            ". . . . . 3 4 1 2 1 1 3 3 . 3",
            "1 . 2 1 3 3 4 3 . . . . . . .",
            ". . 2 1 3 4 4 . 2 1 1 3 3 . 4",
        ),
        0.691,
    ),
]


@pytest.mark.parametrize(("judges", "published"), PUBLISHED)
def test_alpha_is_what_was_published_of_worked_examples(judges, published):
    """R37, R63"""
    assert alpha(judged(*judges)) == pytest.approx(published, abs=0.0005)


def test_full_agreement_is_one_and_contradiction_below_nothing():
    """R37"""
    assert alpha(judged("a b a b", "a b a b")) == 1
    assert alpha(judged("a b a b", "b a b a")) < 0


@pytest.mark.parametrize("judges", [("a a a", "a a a"), ("a . b", ". a ."), (".", ".")])
def test_where_chance_could_do_no_worse_there_is_no_number(judges):
    """R37: everybody said the same of everything, or nobody judged what another had judged."""
    found = concordance(judged(*judges))
    assert (found.alpha, found.low, found.high) == (None, None, None)


def test_the_interval_is_the_same_for_the_same_seed_and_holds_alpha():
    """R63"""
    units = judged(*PUBLISHED[2][0])
    found = concordance(units, draws=400, seed=7)
    assert found == concordance(units, draws=400, seed=7)
    other = concordance(units, draws=400, seed=8)
    assert (found.low, found.high) != (other.low, other.high)
    assert found.low < found.alpha < found.high
    assert (found.units, found.judgements) == (11, 40)


def test_where_much_was_judged_the_interval_is_that_of_drawing_each():
    """R63: from patterns that come up thousands of times and from such as hardly ever do"""
    units = [[True] * 6] * 2400 + [[True] * 4 + [False] * 2] * 480 + [[False] * 6] * 700 + [[True, False] * 3] * 9
    found, spread = concordance(units), statistics.stdev(alphas_of_each(units, draws=100))
    assert found.low < found.alpha < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.25)
    assert found == concordance(units)


def alphas_of_each(units: list[list[bool]], draws: int) -> list[float]:
    """Alpha of samples in which each thing is drawn by itself, by Python's own generator."""
    chance = random.Random(63)
    return [alpha(chance.choices(units, k=len(units))) or 1.0 for _ in range(draws)]


def test_more_of_the_same_makes_the_interval_narrower():
    """R63"""
    units = judged(*PUBLISHED[1][0])
    few, many = concordance(units, draws=300), concordance(units * 9, draws=300)
    assert many.high - many.low < (few.high - few.low) / 2
