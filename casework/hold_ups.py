"""Hold-ups: which open referrals do not move as they should, since when, and on whom they wait (R73).

References, stages and codes alone. A threshold decision has no due time (R36), so waiting for one is no hold-up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col

from casework.db import now
from casework.ledger import Act
from casework.standing import is_hubs_move
from models.check import AgencyCheck
from models.decision import HandBack
from models.ledger import LedgerEntry
from models.referral import Referral
from models.wake import Repair
from rules.stages import OPEN_CHECKS, Mover, Stage

#: How long the hub may take over its own move before that is a hold-up.
HUB_IS_SLOW = timedelta(minutes=2)
#: How long an agency's clock may stand still before that is a hold-up.
PAUSE_IS_LONG = timedelta(hours=24)


class Why(StrEnum):
    """What holds a referral up."""

    NO_ANSWER = "NO_ANSWER"
    CLOCK_PAUSED = "CLOCK_PAUSED"
    NO_ACKNOWLEDGEMENT = "NO_ACKNOWLEDGEMENT"
    NO_BASIS = "NO_BASIS"
    HUB_DOES_NOT_MOVE = "HUB_DOES_NOT_MOVE"
    NOT_CARRIED = "NOT_CARRIED"
    STOPPED_BY_OPERATOR = "STOPPED_BY_OPERATOR"


class HoldUp(BaseModel):
    """One referral that is held up."""

    model_config = ConfigDict(frozen=True)

    reference: str
    stage: Stage
    why: Why
    waits_for: str = Field(description="An agency's or a duty team's code, or who is to move")
    since: datetime
    seconds: float = Field(description="How long, to the moment of asking")


def hold_ups(session: Session) -> list[HoldUp]:
    """Every hold-up of every open referral, the longest first. Looks at the record alone: the engine may be down."""
    at = now(session)
    found = [
        *_silent_agencies(session, at),
        *_forgotten_pauses(session, at),
        *_silent_teams(session),
        *_held_at_gate(session),
        *_hub(session, at),
        *_repairs(session, at),
    ]
    seen = [
        HoldUp(
            reference=reference, stage=stage, why=why, waits_for=who, since=since,
            seconds=max(0.0, (at - since).total_seconds()),
        )
        for reference, stage, why, who, since in found
    ]  # fmt: skip
    return sorted(seen, key=lambda each: (each.since, each.reference, each.waits_for))


Row = tuple[str, Stage, Why, str, datetime]


def _open(*columns: Any) -> sa.Select[Any]:
    return sa.select(col(Referral.reference), col(Referral.stage), *columns).where(col(Referral.stage) != Stage.CLOSED)


def _silent_agencies(session: Session, at: datetime) -> list[Row]:
    query = _open(col(AgencyCheck.agency), col(AgencyCheck.due_at)).join(
        AgencyCheck, col(AgencyCheck.reference) == col(Referral.reference)
    )
    going = col(AgencyCheck.paused_at).is_(None)
    late = query.where(col(AgencyCheck.status).in_(OPEN_CHECKS), going, col(AgencyCheck.due_at) < at)
    return [(reference, stage, Why.NO_ANSWER, who, since) for reference, stage, who, since in session.execute(late)]


def _forgotten_pauses(session: Session, at: datetime) -> list[Row]:
    """A pause ends by a person's hand alone, so somebody must be reminded of it."""
    query = _open(col(AgencyCheck.agency), col(AgencyCheck.paused_at)).join(
        AgencyCheck, col(AgencyCheck.reference) == col(Referral.reference)
    )
    long = query.where(col(AgencyCheck.paused_at) < at - PAUSE_IS_LONG)
    return [(reference, stage, Why.CLOCK_PAUSED, who, since) for reference, stage, who, since in session.execute(long)]


def _silent_teams(session: Session) -> list[Row]:
    """Told so long ago that the hub has chased."""
    chased = sa.exists().where(
        col(LedgerEntry.reference) == col(Referral.reference),
        col(LedgerEntry.act) == Act.ACK_CHASED,
        col(LedgerEntry.at) >= col(HandBack.issued_at),
    )
    query = _open(col(HandBack.duty_team), col(HandBack.issued_at)).join(
        HandBack, col(HandBack.reference) == col(Referral.reference)
    )
    silent = query.where(col(Referral.stage) == Stage.AWAITING_ACK, col(HandBack.acknowledged_at).is_(None), chased)
    newest: dict[tuple[str, str], Row] = {}
    for reference, stage, who, since in session.execute(silent.order_by(col(HandBack.version))):
        newest[reference, who] = (reference, stage, Why.NO_ACKNOWLEDGEMENT, who, since)
    return list(newest.values())


def _held_at_gate(session: Session) -> list[Row]:
    """Held for so long that the hub has chased; since when it was held first."""
    held, chased = (
        sa.select(sa.func.min(col(LedgerEntry.at)))
        .where(col(LedgerEntry.reference) == col(Referral.reference), col(LedgerEntry.act) == act)
        .correlate(Referral)
        .scalar_subquery()
        for act in (Act.BASIS_AWAITED, Act.BASIS_CHASED)
    )
    query = _open(held).where(col(Referral.stage) == Stage.AWAITING_BASIS, chased.is_not(None))
    return [
        (reference, stage, Why.NO_BASIS, Mover.DUTY_OR_MASH, since)
        for reference, stage, since in session.execute(query)
    ]


def _hub(session: Session, at: datetime) -> list[Row]:
    last_act = (
        sa.select(sa.func.max(col(LedgerEntry.at)))
        .where(col(LedgerEntry.reference) == col(Referral.reference))
        .correlate(Referral)
        .scalar_subquery()
    )
    last_due = (
        sa.select(sa.func.max(col(AgencyCheck.due_at)))
        .where(col(AgencyCheck.reference) == col(Referral.reference), col(AgencyCheck.due_at) <= at)
        .correlate(Referral)
        .scalar_subquery()
    )
    since = sa.func.greatest(last_act, last_due)
    query = _open(since).where(is_hubs_move(), since < at - HUB_IS_SLOW)
    return [
        (reference, stage, Why.HUB_DOES_NOT_MOVE, Mover.HUB, when) for reference, stage, when in session.execute(query)
    ]


def _repairs(session: Session, at: datetime) -> list[Row]:
    """Their times are real ones; the hub's own clock may be held still for a trial, so the spans are carried over."""
    ago = sa.func.clock_timestamp() - sa.func.coalesce(col(Repair.cancelled_at), col(Repair.alarmed_at))
    stopped = col(Repair.cancelled_run) == col(Referral.run_id)
    given_up = col(Repair.alarmed_at).is_not(None) & (col(Repair.stage) == col(Referral.stage))
    query = _open(sa.func.coalesce(stopped, sa.false()), ago).join(
        Repair, col(Repair.reference) == col(Referral.reference)
    )
    return [
        (reference, stage, Why.STOPPED_BY_OPERATOR if by_hand else Why.NOT_CARRIED, "an operator", at - span)
        for reference, stage, by_hand, span in session.execute(query.where(stopped | given_up))
    ]
