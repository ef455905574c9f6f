"""Feedback on the process, from anybody who works with the hub, and what was changed because of it (R61)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col, select

from casework.document_parts import Document, Text
from casework.follow import Seen
from casework.notices import MASH_ALARM, say
from models.account import Account
from models.base import new_id
from models.feedback import Feedback
from notifications.messages import MessageName
from rules.errors import FieldError, NotAcceptable, NotFound
from rules.permissions import Actor, Role, check_may_answer_feedback, may_answer_feedback

#: How many of each kind a page shows: the newest.
_SHOWN = 100


class FeedbackDocument(Document):
    """What somebody says about how the hub works."""

    went_well: Text | None = None
    should_change: Text | None = None


class FeedbackAnswer(Document):
    """The answer to one feedback, what was changed, and whether partners read both."""

    answer: Text
    what_changed: Text | None = None
    for_everybody: bool


class FeedbackSeen(Seen):
    """One feedback as the portal shows it: by whom only as a role."""

    id: UUID
    given_at: datetime
    role: Role
    went_well: str | None
    should_change: str | None
    answer: str | None
    what_changed: str | None
    answered_at: datetime | None
    for_everybody: bool


class FeedbackRegister(Seen):
    """What one person may read of the register, newest first."""

    own: list[FeedbackSeen]
    answered: list[FeedbackSeen] = Field(description="Everybody's that partners may read")
    waiting: list[FeedbackSeen] = Field(description="Not answered yet; empty for who does not answer")


def give(session: Session, document: FeedbackDocument, *, by: Actor, at: datetime) -> UUID:
    """Take somebody's feedback, and tell the MASH manager that there is one. Raises NotAcceptable for an empty one."""
    if not (document.went_well or document.should_change):
        raise NotAcceptable(FieldError("/should_change", "say what went well, or what should change"))
    given = Feedback(id=new_id(), given_at=at, given_by=by.id, **document.model_dump())
    session.add(given)
    say(session, MessageName.FEEDBACK_GIVEN, MASH_ALARM, at=at, occasion=str(given.id))
    return given.id


def answer(session: Session, feedback_id: UUID, document: FeedbackAnswer, *, by: Actor, at: datetime) -> None:
    """Answer a feedback, or answer it anew, and say what was changed. Raises NotPermitted or NotFound."""
    check_may_answer_feedback(by)
    found = session.get(Feedback, feedback_id, with_for_update=True)
    if found is None:
        raise NotFound("there is no such feedback")
    found.answer, found.what_changed = document.answer, document.what_changed
    found.for_everybody, found.answered_at, found.answered_by = document.for_everybody, at, by.id


def register(session: Session, *, by: Actor) -> FeedbackRegister:
    """What this person may read: their own, what partners may read, and what they should answer."""
    query = select(Feedback).order_by(col(Feedback.given_at).desc()).limit(_SHOWN)
    own = query.where(Feedback.given_by == by.id)
    answered = query.where(col(Feedback.for_everybody))
    waiting = query.where(col(Feedback.answered_at).is_(None))
    return FeedbackRegister(
        own=[_seen(session, each) for each in session.exec(own)],
        answered=[_seen(session, each) for each in session.exec(answered)],
        waiting=[_seen(session, each) for each in session.exec(waiting)] if may_answer_feedback(by) else [],
    )


def to_answer(session: Session, feedback_id: UUID, *, by: Actor) -> FeedbackSeen:
    """One feedback, for who answers it. Raises NotPermitted or NotFound."""
    check_may_answer_feedback(by)
    if found := session.get(Feedback, feedback_id):
        return _seen(session, found)
    raise NotFound("there is no such feedback")


def _seen(session: Session, feedback: Feedback) -> FeedbackSeen:
    giver = session.get_one(Account, feedback.given_by)
    return FeedbackSeen.of(feedback, role=giver.role)
