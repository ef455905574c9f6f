"""Who holds up what, as a table on the engine's screen, kept up by the timekeepers (R73; issue 7, item 1)."""

from __future__ import annotations

from datetime import timedelta

from casework.db import now, unit_of_work
from casework.hold_ups import HoldUp, hold_ups
from engine.runs import Runs
from engine.turns import is_ours

KEY = "hold-ups"
EVERY = timedelta(minutes=5)
#: The longest ones; a table of thousands is read by nobody.
MOST = 200


def show_in_turn(runs: Runs) -> None:
    """Show it, if no copy of the timekeeper has done so for five minutes. Raises Unavailable."""
    if is_ours(KEY, EVERY):
        show(runs)


def show(runs: Runs) -> None:
    """Put the table in place of the last one: references, stages and codes alone. Raises Unavailable."""
    with unit_of_work() as session:
        at, found = now(session), hold_ups(session)
    shown = f"The {MOST} longest of {len(found)}" if len(found) > MOST else f"All {len(found)}"
    runs.show_table(KEY, [_row(each) for each in found[:MOST]], f"{shown}, as of {at:%d %b %Y %H:%M} UTC.")


def _row(each: HoldUp) -> dict[str, str]:
    return {
        "reference": each.reference,
        "waits for": each.waits_for,
        "why": each.why,
        "stage": each.stage,
        "since": f"{each.since:%d %b %Y %H:%M} UTC",
        "for": str(timedelta(seconds=round(each.seconds))),
    }
