"""What people say about how the hub works, and what was changed (R61). Never about a referral."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import moment, new_id, sealed_text


class Feedback(SQLModel, table=True):
    """One person's feedback on the process, and its answer. Sealed, since somebody may name a family all the same."""

    __table_args__ = (
        CheckConstraint("went_well IS NOT NULL OR should_change IS NOT NULL", name="feedback_says_something"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="feedback_answer_has_a_time"),
        CheckConstraint("NOT for_everybody OR answer IS NOT NULL", name="feedback_shown_is_answered"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    given_at: datetime = moment(index=True)
    given_by: str = Field(foreign_key="account.id", index=True, max_length=60)
    went_well: str | None = sealed_text(nullable=True)
    should_change: str | None = sealed_text(nullable=True)
    answer: str | None = sealed_text(nullable=True)
    what_changed: str | None = sealed_text(nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answered_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    for_everybody: bool = False
