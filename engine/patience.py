"""How long to wait before trying again what did not answer."""

from __future__ import annotations

import random

_chance = random.SystemRandom()


def back_off(failures: int, *, first: float = 1.0, most: float = 30.0) -> float:
    """Seconds before the next try after so many failures in a row (1 or more): doubling up to `most`.

    Any of the upper half of that, so that many who were refused together do not come back together.
    """
    ceiling = min(most, first * 2.0 ** min(failures - 1, 30))
    return ceiling * _chance.uniform(0.5, 1.0)
