"""The board of open referrals for a room full of people: references, initials, stages and clocks (R53, defect 11)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework.follow import Seen
from models.check import AgencyCheck
from models.decision import Reconsideration
from models.referral import Referral, Subject
from rules.permissions import Actor, check_may_run_process
from rules.stages import OPEN_CHECKS, Stage

#: How many referrals one board shows: those whose clock is the nearest.
MOST = 60


class BoardRow(Seen):
    """One open referral, fit to be seen by whoever walks past."""

    reference: str
    initials: list[str]
    stage: Stage
    urgency: str
    since: datetime = Field(description="When it came to this stage")
    due_at: datetime | None = Field(description="When the last open check whose clock goes is due")
    answered: int
    asked: int
    paused: int = Field(description="Checks whose clock a person has stopped")
    to_reconsider: bool


def rows(session: Session, *, by: Actor) -> list[BoardRow]:
    """The open referrals, those that wait for a decision first, then by their clocks. For the MASH profile alone."""
    check_may_run_process(by)
    going = col(AgencyCheck.status).in_(OPEN_CHECKS) & col(AgencyCheck.paused_at).is_(None)
    open_due = sa.func.max(sa.case((going, col(AgencyCheck.due_at))))
    counts = (
        sa.select(
            col(AgencyCheck.reference).label("reference"),
            open_due.label("due_at"),
            sa.func.count().label("asked"),
            sa.func.count().filter(col(AgencyCheck.status).not_in(OPEN_CHECKS)).label("answered"),
            sa.func.count(col(AgencyCheck.paused_at)).label("paused"),
        )
        .group_by(col(AgencyCheck.reference))
        .subquery()
    )
    again = sa.exists().where(
        col(Reconsideration.reference) == col(Referral.reference), col(Reconsideration.settled_at).is_(None)
    )
    order = sa.case((again, 0), (col(Referral.stage) == Stage.AWAITING_DECISION, 1), else_=2)
    query = (
        sa.select(Referral, counts.c.due_at, counts.c.asked, counts.c.answered, counts.c.paused, again)
        .outerjoin(counts, counts.c.reference == col(Referral.reference))
        .where((col(Referral.stage) != Stage.CLOSED) | again)
        .order_by(order, sa.nulls_last(counts.c.due_at), col(Referral.received_at), col(Referral.reference))
        .limit(MOST)
    )
    found = session.execute(query).all()
    initials = _initials(session, [row[0].reference for row in found])
    return [
        BoardRow.of(
            referral, initials=initials.get(referral.reference, []), since=_since(referral), due_at=due_at,
            asked=asked or 0, answered=answered or 0, paused=paused or 0, to_reconsider=to_reconsider,
        )
        for referral, due_at, asked, answered, paused, to_reconsider in found
    ]  # fmt: skip


def oldest(session: Session, *, by: Actor) -> datetime | None:
    """When the open referral that has waited the longest came in; None when none is open."""
    check_may_run_process(by)
    received: datetime | None = session.execute(
        sa.select(sa.func.min(col(Referral.received_at))).where(col(Referral.stage) != Stage.CLOSED)
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
