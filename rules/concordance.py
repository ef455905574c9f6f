"""How far people agree beyond chance when they judge the same things: Krippendorff's alpha (R37, R63). Pure.

For nominal data, any number of judges, and judgements that are missing: K. Krippendorff, "Computing Krippendorff's
Alpha-Reliability" (University of Pennsylvania, 2011). 1 is full agreement, 0 what chance would give, and below 0 they
disagree by system. Its interval is a bootstrap over the things judged, of a stated seed: the same every time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

#: How often the things judged are drawn anew, and with which seed, unless somebody says otherwise.
DRAWS = 1000
SEED = 20160401
_TAIL = 0.025

#: What each judge said of one thing; None where a judge said nothing.
Unit = Sequence[Hashable | None]
#: The same without who said it: each thing said, with how often.
Pattern = frozenset[tuple[Hashable, int]]


@dataclass(frozen=True)
class Concordance:
    """Alpha, its 95 % interval, and on how much it rests.

    `alpha` is None when nothing was judged twice, or everybody said the same of everything: there is no chance to beat.
    """

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    judgements: int


def alpha(units: Iterable[Unit]) -> float | None:
    """Krippendorff's alpha for nominal data; None where it is not defined. A thing judged once says nothing."""
    return _alpha(Counter(map(_pattern, units)))


def concordance(units: Iterable[Unit], *, draws: int = DRAWS, seed: int = SEED) -> Concordance:
    """Alpha with its interval: the 2.5th and 97.5th percentile of alpha over `draws` samples of the things judged.

    The samples come from SHAKE-256 of the seed. One in which everybody says the same of everything is full agreement.
    """
    pairable = [pattern for pattern in map(_pattern, units) if _judges(pattern) > 1]
    found, judgements = _alpha(Counter(pairable)), sum(map(_judges, pairable))
    if found is None:
        return Concordance(None, None, None, len(pairable), judgements)
    drawn = sorted(_or_full(_alpha(_drawn(pairable, f"{seed}/{draw}"))) for draw in range(draws))
    low, high = drawn[int(_TAIL * draws)], drawn[min(draws - 1, int((1 - _TAIL) * draws))]
    return Concordance(found, low, high, len(pairable), judgements)


def _pattern(unit: Unit) -> Pattern:
    return frozenset(Counter(said for said in unit if said is not None).items())


def _judges(pattern: Pattern) -> int:
    return sum(times for _, times in pattern)


def _drawn(patterns: Sequence[Pattern], name: str) -> Counter[Pattern]:
    """As many of them as there are, each drawn from all."""
    numbers = memoryview(hashlib.shake_256(name.encode()).digest(4 * len(patterns))).cast("I")
    return Counter(patterns[number * len(patterns) >> 32] for number in numbers)


def _alpha(units: Counter[Pattern]) -> float | None:
    """By the coincidences that differ: within each thing judged, against all that was said anywhere."""
    said: Counter[Hashable] = Counter()
    differing = 0.0
    for pattern, often in units.items():
        judges = _judges(pattern)
        if judges > 1:
            for word, times in pattern:
                said[word] += times * often
            differing += often * (judges**2 - sum(times**2 for _, times in pattern)) / (judges - 1)
    total = said.total()
    by_chance = total**2 - sum(times**2 for times in said.values())
    return 1 - (total - 1) * differing / by_chance if by_chance else None


def _or_full(found: float | None) -> float:
    return 1.0 if found is None else found
