"""Which cases are looked at a second time: a stratified sample that anybody can draw again (R63). Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Case:
    """One that may be drawn: of which stratum, and by what it is known (a reference and a subject's code)."""

    stratum: str
    key: str


def draw(cases: Iterable[Case], size: int, seed: int) -> list[Case]:
    """At most `size` of the cases: of each stratum in proportion, and of each at least one while there is room.

    Within a stratum they come by the SHA-256 of seed and key, so that the same cases and the same seed give the same
    sample on any machine and in any language. In the order of their keys.
    """
    strata: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        strata[case.stratum].append(case)
    shares = _shares({stratum: len(of_it) for stratum, of_it in strata.items()}, size)
    drawn = [
        case
        for stratum, number in shares.items()
        for case in sorted(strata[stratum], key=lambda each: _place(each, seed))[:number]
    ]
    return sorted(drawn, key=lambda case: case.key)


def _place(case: Case, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{case.key}".encode()).hexdigest()


def _shares(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """How many of each stratum: one of each, the largest first; then who is furthest below their proportion."""
    total = sum(sizes.values())
    by_size = sorted(sizes, key=lambda stratum: (-sizes[stratum], stratum))
    shares = {stratum: int(place < size) for place, stratum in enumerate(by_size)}
    for _ in range(min(size, total) - sum(shares.values())):
        short = [stratum for stratum in by_size if shares[stratum] < sizes[stratum]]
        shares[max(short, key=lambda stratum: sizes[stratum] * size / total - shares[stratum])] += 1
    return shares
