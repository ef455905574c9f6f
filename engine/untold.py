"""Which entries of the ledger the engine was not told of yet. It keeps that itself: wiped, it has forgotten both."""

from __future__ import annotations

from casework.db import unit_of_work
from casework.telling import newest
from engine.runs import Runs


def untold(runs: Runs, what: str, most: int) -> tuple[int, int] | None:
    """After which entry of the ledger and up to which the engine is to be told now; None when it was told of all.

    `what`: the variable in which the engine remembers how far; `most`: of so many entries at once. An engine that has
    forgotten is told of the newest. Raises Unavailable.
    """
    with unit_of_work() as session:
        last = newest(session)
    told = runs.told(what)
    # Numbers that lie ahead are of a record that was there before a restore.
    after = told if told is not None and told <= last else max(0, last - most)
    return None if after == last else (after, min(last, after + most))
