"""A restricted referral opened in an emergency, and what was made of that afterwards."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, sealed_text


class GlassBreak(SQLModel, table=True):
    """Somebody asked to be let in, by whatever reference; each use is looked at by information governance (S-7)."""

    __tablename__ = "glass_break"
    __table_args__ = (
        CheckConstraint("opened = (until IS NOT NULL)", name="glass_break_opened_until"),
        CheckConstraint("until <= at + interval '60 minutes'", name="glass_break_an_hour_at_most"),
        CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)",
            name="glass_break_reviewed_by_somebody",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert: str = Field(unique=True, max_length=9)
    #: As it was asked for: there may be no such referral, and that is looked at too.
    reference: str = Field(max_length=9)
    account_id: str = Field(foreign_key="account.id", max_length=60)
    reason: str = sealed_text()
    opened: bool
    at: datetime = moment()
    until: datetime | None = moment(nullable=True)
    review_due_at: datetime = moment()
    reviewed_at: datetime | None = moment(nullable=True)
    reviewed_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    verdict: str | None = code(nullable=True)
    note: str | None = sealed_text(nullable=True)
