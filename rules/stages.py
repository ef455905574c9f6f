"""A referral's life, an agency check's life, and whose move it is at each stage.

These tables are the only place where a move is allowed; the database holds the same ones (`stage_move`), and a test
compares them and walks every pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from rules.errors import WrongStage


class Stage(StrEnum):
    """Where a referral stands."""

    RECEIVED = "RECEIVED"
    QUEUED_OUT_OF_HOURS = "QUEUED_OUT_OF_HOURS"
    AWAITING_BASIS = "AWAITING_BASIS"
    CHECKING = "CHECKING"
    AWAITING_DECISION = "AWAITING_DECISION"
    HANDING_BACK = "HANDING_BACK"
    AWAITING_ACK = "AWAITING_ACK"
    CLOSED = "CLOSED"


class Mover(StrEnum):
    """Who is to act next."""

    HUB = "the hub"
    CLOCK = "the next opening of the hub"
    AGENCIES = "the agencies asked"
    DUTY_OR_MASH = "the duty team, or the MASH team"
    DECISION_MAKER = "a decision maker"
    DUTY_TEAM = "the duty team"
    NOBODY = "nobody"


NEXT_STAGES: Mapping[Stage, frozenset[Stage]] = {
    Stage.RECEIVED: frozenset({Stage.AWAITING_BASIS, Stage.CHECKING, Stage.HANDING_BACK}),
    Stage.QUEUED_OUT_OF_HOURS: frozenset({Stage.AWAITING_BASIS, Stage.CHECKING, Stage.HANDING_BACK}),
    # Nobody is asked until the lawful basis is on record for everybody (R54).
    Stage.AWAITING_BASIS: frozenset({Stage.CHECKING, Stage.HANDING_BACK}),
    Stage.CHECKING: frozenset({Stage.AWAITING_DECISION, Stage.HANDING_BACK}),
    Stage.AWAITING_DECISION: frozenset({Stage.HANDING_BACK}),
    # Back to a person when what they signed may not leave as the record stands by now (R29).
    Stage.HANDING_BACK: frozenset({Stage.AWAITING_ACK, Stage.AWAITING_DECISION}),
    # Back again when a late return changes the decision (R24).
    Stage.AWAITING_ACK: frozenset({Stage.CLOSED, Stage.HANDING_BACK}),
    Stage.CLOSED: frozenset({Stage.HANDING_BACK}),
}

WHOSE_MOVE: Mapping[Stage, Mover] = {
    Stage.RECEIVED: Mover.HUB,
    Stage.QUEUED_OUT_OF_HOURS: Mover.CLOCK,
    Stage.AWAITING_BASIS: Mover.DUTY_OR_MASH,
    Stage.CHECKING: Mover.AGENCIES,
    Stage.AWAITING_DECISION: Mover.DECISION_MAKER,
    Stage.HANDING_BACK: Mover.HUB,
    Stage.AWAITING_ACK: Mover.DUTY_TEAM,
    Stage.CLOSED: Mover.NOBODY,
}

#: Until the decision is made, a referral can still end early: a clear concern, or a withdrawal (R06).
UNDECIDED = frozenset(
    {Stage.RECEIVED, Stage.QUEUED_OUT_OF_HOURS, Stage.AWAITING_BASIS, Stage.CHECKING, Stage.AWAITING_DECISION}
)


class CheckStatus(StrEnum):
    """Where one agency's check stands (requirements §4.9)."""

    REQUESTED = "REQUESTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLARIFY = "CLARIFY"
    RETURNED = "RETURNED"
    RETURNED_LATE = "RETURNED_LATE"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    NOT_AWAITED = "NOT_AWAITED"

    @property
    def settled(self) -> bool:
        """Whether the hub no longer waits for this agency."""
        return self not in OPEN_CHECKS


OPEN_CHECKS = frozenset({CheckStatus.REQUESTED, CheckStatus.ACKNOWLEDGED, CheckStatus.CLARIFY})
_ANSWERS = frozenset({CheckStatus.RETURNED, CheckStatus.RETURNED_LATE, CheckStatus.DECLINED})
_STOPPED = frozenset({CheckStatus.CANCELLED, CheckStatus.NOT_AWAITED})

NEXT_CHECK_STATUSES: Mapping[CheckStatus, frozenset[CheckStatus]] = {
    CheckStatus.REQUESTED: frozenset({CheckStatus.ACKNOWLEDGED, CheckStatus.CLARIFY}) | _ANSWERS | _STOPPED,
    CheckStatus.ACKNOWLEDGED: frozenset({CheckStatus.CLARIFY}) | _ANSWERS | _STOPPED,
    CheckStatus.CLARIFY: frozenset({CheckStatus.ACKNOWLEDGED}) | _ANSWERS | _STOPPED,
    CheckStatus.RETURNED: frozenset(),
    CheckStatus.RETURNED_LATE: frozenset(),
    # An agency that declined, or was no longer awaited, may still tell what it knows: an addendum (R24).
    CheckStatus.DECLINED: frozenset({CheckStatus.RETURNED, CheckStatus.RETURNED_LATE}),
    CheckStatus.NOT_AWAITED: frozenset({CheckStatus.RETURNED, CheckStatus.RETURNED_LATE}),
    CheckStatus.CANCELLED: frozenset(),
}

S = TypeVar("S", Stage, CheckStatus)


def check_move(allowed: Mapping[S, frozenset[S]], now: S, to: S, what: str) -> None:
    """Refuse a move that the table does not hold.

    `what` names the row in references and codes, for the message. Raises WrongStage.
    """
    if to not in allowed[now]:
        raise WrongStage(f"{what} is {now}: it cannot become {to}")
