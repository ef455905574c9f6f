"""A referral's clocks, by agency code, as a page at its run, kept up by the timekeepers (R73; issue 7, point 1).

A round of its own, not part of the telling: a page costs the engine a call, and what wakes a run goes first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.db import now, unit_of_work
from casework.register import current_profile, local_words
from casework.telling import Clock, clocks, told_between
from engine.runs import Runs
from engine.turns import is_ours
from engine.untold import untold
from models.profile import Profile

KEY = "clocks"
#: The variable in which the engine remembers up to which entry of the ledger pages were shown.
SHOWN = "mash_clocks_shown"
EVERY = timedelta(minutes=1)
#: How many entries of the ledger one round looks at, and how many are looked at once more (engine/story.py): together
#: no more runs than the engine gives in one answer.
MOST, AGAIN = 100, 20
#: Seconds between one page and the next: told all at once, they would hold up who waits for a decision.
BREATH = 0.1
HEADS = ("agency", "asked", "due", "stands", "answered or ended")


def show_in_turn(runs: Runs) -> None:
    """Show them, if no copy of the timekeeper has done so for a minute. Raises Unavailable."""
    if is_ours(KEY, EVERY):
        show(runs)


def show(runs: Runs) -> int:
    """Show the clocks of each referral that was told of since the last time, and say how many. Raises Unavailable."""
    span = untold(runs, SHOWN, MOST)
    if span is None:
        return 0
    after, upto = span
    with unit_of_work() as session:
        at, profile = now(session), current_profile()
        run_of = {act.reference: act.run_id for act in told_between(session, after - AGAIN, upto) if act.agency}
        found = clocks(session, run_of)
    known = runs.read(run_of.values())
    pages = {run_of[reference]: page(reference, mine, at, profile) for reference, mine in found.items()}
    runs.show_pages(KEY, {run_id: text for run_id, text in pages.items() if run_id in known}, BREATH)
    runs.note_told(upto, SHOWN)
    return len(pages)


def page(reference: str, mine: list[Clock], at: datetime, profile: Profile) -> str:
    """The page in Markdown: codes and local times alone."""
    lines = [HEADS, ("---",) * len(HEADS), *(_row(each, profile) for each in mine)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# Clocks of {reference}\n\nAs of {local_words(at, profile)}.\n\n{table}\n"


def _row(clock: Clock, profile: Profile) -> tuple[str, ...]:
    still = f", since {local_words(clock.paused_at, profile)}" if clock.paused_at else ""
    ended = local_words(clock.settled_at, profile) if clock.settled_at else ""
    return (
        clock.agency,
        local_words(clock.asked_at, profile),
        local_words(clock.due_at, profile),
        f"{clock.stands}{still}",
        ended,
    )
