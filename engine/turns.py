"""Rounds that one copy of the timekeeper takes for all, each in its turn."""

from __future__ import annotations

from datetime import timedelta

from casework.db import unit_of_work
from casework.repairs import take_turn


def is_ours(name: str, every: timedelta) -> bool:
    """Whether this copy is to take a round that one of them takes in every so long; the turn is taken by asking."""
    with unit_of_work() as session:
        return take_turn(session, name, every)
