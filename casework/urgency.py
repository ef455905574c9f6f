"""How urgent a referral is: the MASH team's rating of it, and an agency's call to discuss it now (R10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_agency
from casework.register import profile_of
from casework.urgency_documents import RatingDocument, UrgentCallDocument
from models.base import new_id
from models.check import UrgentCall
from notifications.messages import MessageName
from rules.errors import Conflict, FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_answer_for, check_may_run_process
from rules.urgency import UrgencyRating, check_can_be_discussed, check_can_be_rated, place


class CallSeen(Seen):
    """An agency said that a referral must be discussed now."""

    agency: str
    reason: str
    raised_at: datetime
    acknowledged_at: datetime | None = Field(description="When the MASH team said that it knows")


class UrgencySeen(Seen):
    """How urgent a referral is, and why."""

    rating: str
    rated_at: datetime | None
    rated_because: str | None
    calls: list[CallSeen]


def rate(session: Session, reference: str, document: RatingDocument, *, by: Actor, at: datetime) -> None:
    """The MASH team changes how urgent a referral is, and says why; every queue follows (R10).

    Raises Conflict when somebody rated it otherwise meanwhile, WrongStage once it is decided, and NotAcceptable for a
    rating that is none, or is the one it has.
    """
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    check_can_be_rated(referral.stage, f"referral {reference}")
    if document.rating not in set(UrgencyRating):
        raise NotAcceptable(FieldError("/rating", f"use one of {', '.join(UrgencyRating)}"))
    if document.rating_seen != referral.urgency_rating:
        raise Conflict(f"referral {reference} was rated {referral.urgency_rating} meanwhile")
    if document.rating == referral.urgency_rating:
        raise NotAcceptable(FieldError("/rating", "this is how it is rated already"))
    was = referral.urgency_rating
    referral.rate(UrgencyRating(document.rating), document.rationale, at)
    bands = profile_of(session, referral).bands
    for check in referrals.checks(session, reference):
        check.place = place(referral.urgency_rating, referral.urgency, bands)
    ledger.write(
        session, reference, Act.URGENCY_RATED, by=by, at=at, content={"rationale": document.rationale},
        rating=referral.urgency_rating, was=was,
    )  # fmt: skip


def call(
    session: Session, reference: str, agency: str, document: UrgentCallDocument, *, by: Actor, at: datetime
) -> None:
    """A representative says on their check that it must be discussed now; the MASH team is told (R10).

    The wait goes on until the team ends it. Raises NotFound for anybody else's check, and WrongStage when there is
    nothing to discuss, or an earlier call of the agency's is not acknowledged yet.
    """
    check_may_answer_for(by, agency)
    referral, _ = referrals.lock_with_check(session, reference, agency)
    check_can_be_discussed(referral.stage, f"referral {reference}")
    if any(each.acknowledged_at is None for each in calls(session, reference, agency)):
        raise WrongStage(f"check {reference}/{agency}: the team was told, and has not acknowledged it yet")
    made = UrgentCall(
        id=new_id(), reference=reference, agency=agency, reason=document.reason, raised_at=at, raised_by=by.id
    )
    session.add(made)
    said = {"reason": document.reason}
    ledger.write(session, reference, Act.URGENT_CALLED, by=by, at=at, content=said, agency=agency)
    say(session, MessageName.URGENT_CALLED, MASH_TEAM, at=at, reference=reference, occasion=str(made.id))


def acknowledge(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> None:
    """The MASH team knows of an agency's call, and the agency is told so (R10). Raises WrongStage without one."""
    check_may_run_process(by)
    referrals.lock(session, reference)
    referrals.check_of(session, reference, agency)
    waiting = [each for each in calls(session, reference, agency) if each.acknowledged_at is None]
    if not waiting:
        raise WrongStage(f"check {reference}/{agency} has no call that waits")
    for each in waiting:
        each.acknowledged_at, each.acknowledged_by = at, by.id
        ledger.write(session, reference, Act.URGENT_ACKNOWLEDGED, by=by, at=at, agency=agency)
        say(
            session, MessageName.URGENT_ACKNOWLEDGED, to_agency(agency),
            at=at, reference=reference, occasion=str(each.id),
        )  # fmt: skip


def calls(session: Session, reference: str, agency: str | None = None) -> list[UrgentCall]:
    """What agencies, or one of them, called urgent about a referral, oldest first."""
    query = select(UrgentCall).where(UrgentCall.reference == reference)
    if agency is not None:
        query = query.where(UrgentCall.agency == agency)
    return list(session.exec(query.order_by(col(UrgentCall.raised_at))))


def seen(session: Session, reference: str, agency: str) -> list[CallSeen]:
    """What one agency called urgent, to be shown; the caller has checked who reads."""
    return [CallSeen.of(each) for each in calls(session, reference, agency)]


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> UrgencySeen:
    """How urgent a referral is and who says so, for whoever reads the assessment up to `at`, and with it (R10)."""
    check_may_run_process(by)
    referral = referrals.find(session, reference)
    return UrgencySeen(
        rating=referral.urgency_rating, rated_at=referral.rated_at, rated_because=referral.rated_because,
        calls=[CallSeen.of(each) for each in calls(session, reference) if each.raised_at <= at],
    )  # fmt: skip


def order(rating: sa.SQLColumnExpression[Any]) -> sa.ColumnElement[int]:
    """The place of a referral's rating among all: the most urgent is the first."""
    places = {each.value: place for place, each in enumerate(UrgencyRating)}
    return sa.case(places, value=sa.cast(rating, sa.String), else_=99)


def called() -> sa.Select[str]:
    """The referrals about which an agency's call waits for an acknowledgement."""
    return sa.select(col(UrgentCall.reference)).where(col(UrgentCall.acknowledged_at).is_(None)).distinct()
