"""How long to wait before trying again what did not answer."""

from __future__ import annotations

import random

from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES

#: For whoever asks whether the engine is well: one that hangs is not, and is not to hold up who asks.
IS_IT_WELL = {PREFECT_API_REQUEST_TIMEOUT: 10.0, PREFECT_CLIENT_MAX_RETRIES: 0}
_chance = random.SystemRandom()


def back_off(failures: int, *, first: float = 1.0, most: float = 30.0) -> float:
    """Seconds before the next try after so many failures in a row (1 or more): doubling up to `most`.

    Any of the upper half of that, so that many who were refused together do not come back together.
    """
    ceiling = min(most, first * 2.0 ** min(failures - 1, 30))
    return ceiling * _chance.uniform(0.5, 1.0)
