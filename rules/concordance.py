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
#: From how many things judged on samples are drawn by pattern, and from which variance on the normal curve will do.
_MANY = 2_000
_SMOOTH = 100
#: So many numbers between 0 and 1 have, added up, a variance of 1.
_NUMBERS = 12

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

    The samples come from SHAKE-256 of the seed; where more than 2,000 things were judged, from the same by how often
    each pattern is drawn. One in which everybody says the same of everything is full agreement.
    """
    pairable = [pattern for pattern in map(_pattern, units) if _judges(pattern) > 1]
    found, judgements = _alpha(Counter(pairable)), sum(map(_judges, pairable))
    if found is None:
        return Concordance(None, None, None, len(pairable), judgements)
    names = [f"{seed}/{draw}" for draw in range(draws)]
    if len(pairable) > _MANY:
        by_often = sorted(Counter(pairable).items(), key=lambda each: (-each[1], sorted(map(str, each[0]))))
        samples = [_drawn_by_pattern(by_often, name) for name in names]
    else:
        samples = [_drawn(pairable, name) for name in names]
    drawn = sorted(_or_full(_alpha(sample)) for sample in samples)
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


def _drawn_by_pattern(patterns: Sequence[tuple[Pattern, int]], name: str) -> Counter[Pattern]:
    """The same without drawing each: how often a pattern comes up, of what the patterns before it have left."""
    numbers = memoryview(hashlib.shake_256(name.encode()).digest(4 * _NUMBERS * len(patterns))).cast("I")
    found: Counter[Pattern] = Counter()
    left = to_draw = sum(often for _, often in patterns)
    for place, (pattern, often) in enumerate(patterns):
        chances = [number / 2**32 for number in numbers[_NUMBERS * place : _NUMBERS * (place + 1)]]
        found[pattern] = _binomial(chances, to_draw, often / left)
        to_draw, left = to_draw - found[pattern], left - often
    return found


def _binomial(chances: Sequence[float], number: int, share: float) -> int:
    """How many of so many turn out so. By the normal curve, from twelve chances, where hundreds may; else by one."""
    if share >= 1:
        return number
    if share > 0.5:
        return number - _binomial(chances, number, 1 - share)
    spread = number * share * (1 - share)
    if spread > _SMOOTH:
        width: float = spread**0.5
        return min(number, max(0, round(number * share + (sum(chances) - _NUMBERS / 2) * width)))
    found, likely = 0, (1 - share) ** number
    reached = likely
    while reached < chances[0] and found < number:
        likely *= (number - found) / (found + 1) * share / (1 - share)
        found, reached = found + 1, reached + likely
    return found


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
