"""The board of open referrals for a room full of people: references, initials, stages and clocks (R53, defect 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from casework import hidden, urgency
from casework.follow import Seen
from models.check import AgencyCheck
from models.decision import ManagerRequest, Reconsideration
from models.referral import Referral, Subject
from rules.permissions import Actor, check_may_run_process
from rules.stages import OPEN_CHECKS, Stage

#: How many referrals one board shows: the most urgent, and those whose clock is the nearest.
MOST = 60
_NOBODY_ASKED = {"asked": 0, "answered": 0, "paused": 0}
#: What the board needs of a referral: nothing that is sealed.
_SHOWN: tuple[Any, ...] = (
    Referral.reference, Referral.stage, Referral.urgency, Referral.urgency_rating, Referral.received_at,
    Referral.accepted_at, Referral.joined_at, Referral.decided_at, Referral.handed_back_at,
)  # fmt: skip


class BoardRow(Seen):
    """One open referral, fit to be seen by whoever walks past."""

    reference: str
    initials: list[str]
    stage: Stage
    urgency: str
    urgency_rating: str
    called_urgent: bool = Field(description="An agency wants it discussed now, and nobody has acknowledged that yet")
    since: datetime = Field(description="When it came to this stage")
    due_at: datetime | None = Field(description="When the last open check whose clock goes is due")
    answered: int
    asked: int
    paused: int = Field(description="Checks whose clock a person has stopped")
    to_reconsider: bool
    with_manager: bool = Field(description="It was sent to a manager, and waits there")


def rows(session: Session, *, by: Actor) -> list[BoardRow]:
    """The open referrals, the most urgent first. For the MASH profile alone.

    First what an agency calls urgent, then by rating; of one rating those that wait for a decision, then by their
    clocks (R10).
    """
    check_may_run_process(by)
    found = session.execute(_nearest()).all()
    references = [referral.reference for referral, *_ in found]
    initials, counts = _initials(session, references), _counts(session, references)
    return [
        BoardRow.of(
            referral, initials=initials.get(referral.reference, []), since=_since(referral), due_at=due_at,
            to_reconsider=to_reconsider, called_urgent=called, with_manager=with_manager,
            **counts.get(referral.reference, _NOBODY_ASKED),
        )
        for referral, due_at, to_reconsider, called, with_manager in found
    ]  # fmt: skip


def _nearest() -> sa.Select[tuple[Referral, datetime | None, bool, bool, bool]]:
    """The referrals to show. Of checks only the open are looked at: those of all years are a hundred times as many."""
    going = sa.case((col(AgencyCheck.paused_at).is_(None), col(AgencyCheck.due_at)))
    due = (
        sa.select(col(AgencyCheck.reference).label("reference"), sa.func.max(going).label("due_at"))
        .where(col(AgencyCheck.status).in_(OPEN_CHECKS))
        .group_by(col(AgencyCheck.reference))
        .subquery()
    )
    again = sa.exists().where(
        col(Reconsideration.reference) == col(Referral.reference), col(Reconsideration.settled_at).is_(None)
    )
    called = urgency.is_called()
    with_manager = sa.exists().where(
        col(ManagerRequest.reference) == col(Referral.reference), col(ManagerRequest.settled_at).is_(None)
    )
    waits_for_us = sa.case((again, 0), (col(Referral.stage) == Stage.AWAITING_DECISION, 1), else_=2)
    to_reconsider = sa.select(col(Reconsideration.reference)).where(col(Reconsideration.settled_at).is_(None))
    by_age = (col(Referral.received_at), col(Referral.reference))
    return (
        sa.select(Referral, due.c.due_at, again, called, with_manager)
        .options(load_only(*_SHOWN))
        .outerjoin(due, due.c.reference == col(Referral.reference))
        .where((col(Referral.stage) != Stage.CLOSED) | col(Referral.reference).in_(to_reconsider))
        # Whoever is named may not be the only one in the room.
        .where(~hidden.is_restricted())
        .order_by(
            called.desc(),
            urgency.order(col(Referral.urgency_rating)),
            waits_for_us,
            sa.nulls_last(due.c.due_at),
            *by_age,
        )
        .limit(MOST)
    )


def _counts(session: Session, references: list[str]) -> dict[str, dict[str, int]]:
    """How many were asked about each referral, how many of them answered, and how many clocks stand still."""
    query = (
        sa.select(
            col(AgencyCheck.reference),
            sa.func.count(),
            sa.func.count().filter(col(AgencyCheck.status).not_in(OPEN_CHECKS)),
            sa.func.count(col(AgencyCheck.paused_at)),
        )
        .where(col(AgencyCheck.reference).in_(references))
        .group_by(col(AgencyCheck.reference))
    )
    return {
        reference: {"asked": asked, "answered": answered, "paused": paused}
        for reference, asked, answered, paused in session.execute(query)
    }


def oldest(session: Session, *, by: Actor) -> datetime | None:
    """When the open referral that has waited the longest came in; None when none is open."""
    check_may_run_process(by)
    received: datetime | None = session.execute(
        sa.select(sa.func.min(col(Referral.received_at))).where(
            col(Referral.stage) != Stage.CLOSED, ~hidden.is_restricted()
        )
    ).scalar()
    return received


def _since(referral: Referral) -> datetime:
    reached = {
        Stage.CHECKING: referral.accepted_at,
        Stage.AWAITING_DECISION: referral.joined_at,
        Stage.HANDING_BACK: referral.decided_at,
        Stage.AWAITING_ACK: referral.handed_back_at,
    }
    return reached.get(referral.stage) or referral.received_at


def _initials(session: Session, references: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(Subject).where(col(Subject.reference).in_(references)).order_by(col(Subject.number))
    for subject in session.exec(query):
        found.setdefault(subject.reference, []).append(f"{subject.given_name[:1]}{subject.family_name[:1]}".upper())
    return found
