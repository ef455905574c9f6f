"""The stages of a referral as a picture and a table, for docs/stages.md: `python -m rules.diagram > docs/stages.md`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from rules.stages import NEXT_CHECK_STATUSES, NEXT_STAGES, OPEN_CHECKS, UNDECIDED, WHOSE_MOVE, CheckStatus, Stage

State = TypeVar("State", bound=StrEnum)

_PAGE = """# The stages of a referral, and whose move it is

Generated from `rules/stages.py` by `python -m rules.diagram > docs/stages.md`; a test fails when this page is stale.

## A referral

{stages}

{moves}

While a referral waits for a decision it may be sent to a manager, for an outcome that the area profile keeps for one
(R39): it is then the manager's move, and its stage stays as it is.

## An agency check

{statuses}

{settled}
"""


def page() -> str:
    """The page docs/stages.md, in Markdown."""
    return _PAGE.format(
        stages=diagram(NEXT_STAGES, begins=[Stage.RECEIVED, Stage.QUEUED_OUT_OF_HOURS]),
        moves=_table(
            ("stage", "whose move it is", "can still end early (R06)"),
            [(stage, WHOSE_MOVE[stage], "yes" if stage in UNDECIDED else "no") for stage in Stage],
        ),
        statuses=diagram(NEXT_CHECK_STATUSES, begins=[CheckStatus.REQUESTED]),
        settled=_table(
            ("status", "is the agency still awaited?"),
            [(status, "yes" if status in OPEN_CHECKS else "no") for status in CheckStatus],
        ),
    )


def diagram(allowed: Mapping[State, frozenset[State]], begins: Sequence[State]) -> str:
    """A Mermaid state diagram of a table of moves, in the order in which the states are declared."""
    order = list(allowed)
    starts = [f"    [*] --> {state}" for state in begins]
    moves = [f"    {was} --> {to}" for was in order for to in order if to in allowed[was]]
    return "\n".join(["```mermaid", "stateDiagram-v2", *starts, *moves, "```"])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
