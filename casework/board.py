"""The board of open referrals for a room full of people: references, initials, stages and clocks (R53, defect 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
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
    Referral.clock_due_at, Referral.board_place,
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
    references = [row.reference for row in found]
    initials, counts = _initials(session, references), _counts(session, references)
    return [
        BoardRow(
            reference=row.reference, initials=initials.get(row.reference, []), stage=row.stage, urgency=row.urgency,
            urgency_rating=row.urgency_rating, called_urgent=row.called_urgent, since=_since(row),
            due_at=row.clock_due_at, to_reconsider=row.to_reconsider, with_manager=row.with_manager,
            **counts.get(row.reference, _NOBODY_ASKED),
        )
        for row in found
    ]  # fmt: skip


def _nearest() -> sa.Select[Any]:
    """The referrals to show: the first of what is open by an index, since the wall shows sixty of ten thousand; and of
    what somebody singled out, which is little, all.
    """
    again, called = _unsettled(Reconsideration).cte("again"), urgency.called().cte("called")
    with_manager = _unsettled(ManagerRequest).cte("with_manager")
    singled_out = sa.union(sa.select(again), sa.select(called)).cte("singled_out")
    # Whoever is named may not be the only one in the room.
    fit = sa.select(*_SHOWN).where(~hidden.is_restricted())
    is_open = col(Referral.stage) != Stage.CLOSED
    is_one, to_reconsider = (col(Referral.reference).in_(sa.select(each)) for each in (singled_out, again))
    others = fit.where(is_open, ~is_one).order_by(*_by_clock(Referral)).limit(MOST)
    shown = sa.union_all(fit.where(is_one, is_open | to_reconsider), sa.select(others.subquery())).subquery()
    is_again, is_called, is_with_manager = (each.c.reference.is_not(None) for each in (again, called, with_manager))
    query = sa.select(
        shown, is_again.label("to_reconsider"), is_called.label("called_urgent"),
        is_with_manager.label("with_manager"),
    )  # fmt: skip
    for beside in (again, called, with_manager):
        query = query.outerjoin(beside, beside.c.reference == shown.c.reference)
    place, *clock = _by_clock(shown.c)
    first_of_its_rating = place - place % 10
    return query.order_by(is_called.desc(), sa.case((is_again, first_of_its_rating), else_=place), *clock).limit(MOST)


def _by_clock(of: Any) -> list[Any]:
    return [of.board_place, of.clock_due_at, of.received_at, of.reference]


def _unsettled(kind: type[Reconsideration] | type[ManagerRequest]) -> sa.Select[str]:
    return sa.select(col(kind.reference)).where(col(kind.settled_at).is_(None)).distinct()


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
    # Not the least of all: the first of the index of what is open is found without a look at the others.
    query = sa.select(col(Referral.received_at)).where(col(Referral.stage) != Stage.CLOSED, ~hidden.is_restricted())
    received: datetime | None = session.execute(query.order_by(col(Referral.received_at)).limit(1)).scalar()
    return received


def _since(referral: sa.Row[Any]) -> datetime:
    reached = {
        Stage.CHECKING: referral.accepted_at,
        Stage.AWAITING_DECISION: referral.joined_at,
        Stage.HANDING_BACK: referral.decided_at,
        Stage.AWAITING_ACK: referral.handed_back_at,
    }
    since: datetime = reached.get(referral.stage) or referral.received_at
    return since


def _initials(session: Session, references: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(Subject).where(col(Subject.reference).in_(references)).order_by(col(Subject.number))
    for subject in session.exec(query):
        found.setdefault(subject.reference, []).append(f"{subject.given_name[:1]}{subject.family_name[:1]}".upper())
    return found
