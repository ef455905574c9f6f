"""Counts that are printed, and what can be worked out of them."""

from __future__ import annotations

import random

import pytest

from rules.disclosure import LEAST, Counts, Printable, protect, rounded, share
from tests.rules.disclosing import Attacker

PACKS = 500


@pytest.mark.parametrize(
    ("count", "printed"),
    [(0, None), (1, None), (4, None), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (997, 995), (998, 1000)],
)
def test_a_count_under_five_is_suppressed_and_any_other_rounded_to_five(count, printed):
    """R59"""
    assert rounded(count) == printed


def table(*rows: tuple[int, ...]) -> Counts:
    return Counts(tuple(f"r{n}" for n in range(len(rows))), tuple(f"c{n}" for n in range(len(rows[0]))), rows)


def test_a_table_without_small_counts_is_only_rounded():
    """R59"""
    assert protect(table((12, 31), (8, 44))) == Printable(
        ("r0", "r1"), ("c0", "c1"), ((10, 30), (10, 45)), (45, 50), (20, 75), 95
    )


def test_what_would_give_a_suppressed_count_away_is_suppressed_with_it():
    """R59: 15 in all less the 10 that are printed are at least 1, so the 10 must go as well."""
    assert protect(table((10,), (4,))).cells == ((None,), (None,))
    assert protect(table((10,), (4,))).total == 15


def test_a_count_that_rounding_hides_already_costs_no_other():
    """R59: 10 in all and 10 printed leave anything from 0 to 4."""
    assert protect(table((10,), (0,))) == Printable(("r0", "r1"), ("c0",), ((10,), (None,)), (10, None), (10,), 10)


def test_a_percentage_says_no_more_than_the_figures_beside_it():
    """R59"""
    assert (share(5, 20), share(None, 20), share(5, None), share(0, 0)) == (25, None, None, None)
    assert share(15, 10) == 100


def test_a_table_that_does_not_add_up_is_refused():
    """R59"""
    with pytest.raises(ValueError, match="whole rows"):
        protect(Counts(("a", "b"), ("x", "y"), ((1, 2), (3,))))
    with pytest.raises(ValueError, match="below nothing"):
        protect(table((1, -2)))


def a_pack(chance: random.Random) -> list[Counts]:
    """The tables of a pack in the shapes that packs have, with many small counts, and some large."""
    shapes = [(3, 2), (chance.randint(2, 4), 3), (chance.randint(2, 6), 1)]
    return [table(*(tuple(_count(chance) for _ in range(width)) for _ in range(height))) for height, width in shapes]


def _count(chance: random.Random) -> int:
    return chance.choice((chance.randint(0, 4), chance.randint(3, 12), chance.randint(0, 40)))


def test_of_five_hundred_packs_no_suppressed_count_is_recovered():
    """R59: each count under 5 may be any of 0 to 4 for all that an attacker finds, and no other suppressed is known."""
    chance = random.Random(59)
    attacked = 0
    for _ in range(PACKS):
        for counts in a_pack(chance):
            attacked += _attack(counts, on_paper(protect(counts)))
    assert attacked > 5 * PACKS


def _attack(counts: Counts, printed: list[list[int | None]]) -> int:
    """How many suppressed figures withstood; fails at the first that did not."""
    true = [figure for row in counts.with_totals() for figure in row]
    if len(counts.columns) == 1:
        true = [row[0] for row in counts.with_totals()]
    attacker = Attacker(printed)
    hidden = [at for at, figure in enumerate(attacker.shown) if figure is None]
    for at in hidden:
        if true[at] < LEAST:
            ends = [value for value in (0, 4) if value != true[at]]
            assert list(attacker.values_of(at, ends)) == ends, (counts, printed, at)
        else:
            others = [true[at] + more for more in (1, -1, 2, -2, 3, -3, 4, -4)]
            assert any(attacker.values_of(at, others)), (counts, printed, at)
    return len(hidden)


def test_the_attacker_recovers_counts_where_only_the_small_ones_are_suppressed():
    """R59: what the trial above would show if nothing were suppressed for another's sake."""
    chance = random.Random(59)
    caught = 0
    for _ in range(20):
        for counts in a_pack(chance):
            true = counts.with_totals() if len(counts.columns) > 1 else [[row[0]] for row in counts.with_totals()]
            attacker = Attacker([[rounded(figure) for figure in row] for row in true])
            hidden = [at for at, figure in enumerate(attacker.shown) if figure is None]
            caught += sum(list(attacker.values_of(at, (0, 4))) != [0, 4] for at in hidden)
    assert caught > 20


def on_paper(printed: Printable) -> list[list[int | None]]:
    """The figures as they stand on the page, totals last."""
    if len(printed.columns) == 1:
        return [[row[0]] for row in printed.cells] + [[printed.total]]
    rows = [[*row, total] for row, total in zip(printed.cells, printed.row_totals, strict=True)]
    return [*rows, [*printed.column_totals, printed.total]]
