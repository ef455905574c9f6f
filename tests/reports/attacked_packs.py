"""Whole packs, drawn by chance and attacked by differencing their totals: `python -m tests.reports.attacked_packs [N]`.

Each table has the shape that packs give it in the area's own profile, and many small counts. The attacker takes from
each printed total what is printed of its row or column, again and again, until nothing more can be said (R59).
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator

from models.profile import Profile, load_profile
from models.settings import HOUSE
from rules.disclosure import LEAST, Counts, protect
from rules.people import Side
from tests.rules.disclosing import Attacker, Cells
from tests.rules.test_disclosure import on_paper

MANY = 500
#: How many: none, hardly any, few, many.
_KINDS = ((0, 0), (0, 4), (3, 12), (5, 60))


def shapes(profile: Profile) -> list[tuple[int, int]]:
    """Rows and columns of the tables of one board's pack, as reports/packs.py makes them."""
    agencies = len(profile.agencies)
    outcomes = len([one for one in profile.outcomes if Side.CHILD in one.sides])
    return [(3, 3), (agencies, 6), (agencies, 3), (outcomes, 1), (2, 2), (agencies, 2), (agencies, 1), (3, 1)]


def a_pack(chance: random.Random, profile: Profile) -> Iterator[Counts]:
    """The tables of one pack. Agencies differ: of some hardly anything is asked."""
    for height, width in shapes(profile):
        rows = []
        for _ in range(height):
            quiet = chance.random() < 0.4
            rows.append(tuple(chance.randint(*chance.choice(_KINDS[: 2 if quiet else 4])) for _ in range(width)))
        yield Counts(tuple(map(str, range(height))), tuple(map(str, range(width))), tuple(rows))


def recovered(counts: Counts, printed: Cells) -> tuple[int, int]:
    """Of one table, printed so: how many figures are suppressed, and of how many of these too much can be said.

    Of a count under 5 that is anything beyond "under 5"; of one that went with it, which number it is.
    """
    attacker, figures = Attacker(printed), [figure for row in in_full(counts) for figure in row]
    hidden = [at for at, figure in enumerate(attacker.shown) if figure is None]
    return len(hidden), sum(_is_lost(figures[at], *attacker.known[at]) for at in hidden)


def in_full(counts: Counts) -> list[list[int]]:
    """The table with its totals; where there is one column, none across."""
    return [row if len(counts.columns) > 1 else row[:1] for row in counts.with_totals()]


def _is_lost(true: int, low: int, high: int) -> bool:
    assert low <= true <= high, "the attacker's own reckoning is wrong"
    return (low > 0 or high < LEAST - 1) if true < LEAST else low == high


def attack(packs: int, seed: int = 59) -> tuple[int, int]:
    """How many figures of so many packs are suppressed, and how many of them are recovered."""
    chance, profile = random.Random(seed), load_profile(HOUSE / "profiles" / "bnes.toml")
    found = [recovered(counts, on_paper(protect(counts))) for _ in range(packs) for counts in a_pack(chance, profile)]
    return sum(hidden for hidden, _ in found), sum(lost for _, lost in found)


if __name__ == "__main__":
    began, wanted = time.monotonic(), int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    suppressed, known = attack(wanted)
    sys.stdout.write(
        f"{wanted} packs, {suppressed:,} suppressed figures, {known} recovered; {time.monotonic() - began:.0f} s\n"
    )
    sys.exit(known > 0)
