"""A referral is sent to a manager, for an outcome that a decision maker may not make (R39)."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlmodel import Session, col, select

from casework import collation, ledger, reconsider, referrals
from casework.accounts import name_of
from casework.documents import SendBackDocument, ToManagerDocument
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import MASH_TEAM, say
from casework.register import profile_of
from models.base import new_id
from models.decision import ManagerRequest
from notifications.messages import MessageName
from rules import authority
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_decide, check_may_run_process

DECIDED = "DECIDED"
SENT_BACK = "SENT_BACK"
#: How many of a manager's open tasks are shown: the oldest.
MOST = 100


class ManagerTask(Seen):
    """A referral that waits for a manager: codes and times alone."""

    reference: str
    outcome: str = Field(description="Code set outcome: what the sender would decide")
    sent_at: datetime
    sent_by: str = Field(description="The sender's account")


class ManagerTasks(Seen):
    """What waits for a manager, the oldest first."""

    referrals: list[ManagerTask]


class Sent(ManagerTask):
    """A referral as it was sent to a manager, in full, and what became of that."""

    sender: str
    reason: str
    conclusion: str | None = Field(description="DECIDED, SENT_BACK, or ENDED early; null while it waits")
    settled_at: datetime | None
    answer: str | None = Field(description="Why it was sent back")


def choices(session: Session, reference: str, *, by: Actor) -> list[str]:
    """The outcomes that this actor may not make, among those for the people of a referral."""
    check_may_decide(by)
    profile = profile_of(session, referrals.find(session, reference))
    sides = {subject.side for subject in referrals.remaining(session, reference)}
    possible = [outcome.code for outcome in profile.outcomes if sides & set(outcome.sides)]
    return authority.beyond(possible, profile.authority.outcomes, by)


def send(session: Session, reference: str, document: ToManagerDocument, *, by: Actor, at: datetime) -> None:
    """Ask a manager to decide, because an outcome is not this decision maker's to make; the manager is told (R39).

    Raises NotPermitted, WrongStage when there is nothing to decide or it was sent already, and NotAcceptable for an
    outcome that the sender may make.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    # As for a decision itself: it does not wait for the engine (F10).
    collation.collate(session, reference, at=at)
    collation.request_decision(session, reference, at=at)
    reconsider.check_can_be_decided(session, referral)
    if referrals.manager_request(session, reference):
        raise WrongStage(f"referral {reference} is with a manager already")
    if document.outcome not in choices(session, reference, by=by):
        raise NotAcceptable(FieldError("/outcome", "you may make this one yourself, or it is none for these people"))
    row = ManagerRequest(
        id=new_id(), reference=reference, outcome=document.outcome, reason=document.reason, sent_at=at, sent_by=by.id
    )
    session.add(row)
    said = {"reason": document.reason}
    ledger.write(session, reference, Act.SENT_TO_MANAGER, by=by, at=at, content=said, outcome=document.outcome)
    to = profile_of(session, referral).authority.tell
    say(session, MessageName.MANAGER_WANTED, to, at=at, reference=reference, occasion=str(row.id))


def send_back(session: Session, reference: str, document: SendBackDocument, *, by: Actor, at: datetime) -> None:
    """The manager does not decide, says why, and the team is told. Raises NotPermitted, WrongStage."""
    authority.check_is_manager(by)
    referrals.lock(session, reference)
    row = referrals.manager_request(session, reference)
    if row is None:
        raise WrongStage(f"referral {reference} is with no manager")
    row.settled_at, row.settled_by, row.conclusion, row.answer = at, by.id, SENT_BACK, document.reason
    said = {"reason": document.reason}
    ledger.write(session, reference, Act.SENT_BACK_BY_MANAGER, by=by, at=at, content=said, outcome=row.outcome)
    say(session, MessageName.MANAGER_SENT_BACK, MASH_TEAM, at=at, reference=reference, occasion=str(row.id))


def waiting(session: Session, *, by: Actor) -> ManagerTasks:
    """What waits for a manager, the oldest first; whoever decides sees it, and so what became of their own."""
    check_may_decide(by)
    query = select(ManagerRequest).where(col(ManagerRequest.settled_at).is_(None))
    rows = session.exec(query.order_by(col(ManagerRequest.sent_at), col(ManagerRequest.reference)).limit(MOST))
    return ManagerTasks(referrals=[ManagerTask.of(row) for row in rows])


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> Sent | None:
    """How a referral was last sent to a manager up to `at`, None when it never was; for who reads the assessment."""
    check_may_run_process(by)
    query = select(ManagerRequest).where(ManagerRequest.reference == reference, col(ManagerRequest.sent_at) <= at)
    row = session.exec(query.order_by(col(ManagerRequest.sent_at).desc()).limit(1)).first()
    if row is None:
        return None
    return Sent.of(row, sender=name_of(session, row.sent_by))
