"""Who may know of a referral at all: restrictions, the people named in them, and conflicts of interest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, reference_column, sealed_text

_IN_FORCE = "lifted_at IS NULL"


class Restriction(SQLModel, table=True):
    """A referral is hidden from everybody but the people named in its restriction, until it is lifted."""

    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_because IS NULL)", name="restriction_lifted_for_a_reason"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="restriction_lifted_by_somebody"),
        CheckConstraint("review_due_at > restricted_at", name="restriction_reviewed_later"),
        # One at a time, and what every query asks for: those in force are few, however many there were.
        Index("restriction_in_force", "reference", unique=True, postgresql_where=text(_IN_FORCE)),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    ground: str = code()
    reason: str = sealed_text()
    restricted_by: str = Field(foreign_key="account.id", max_length=60)
    restricted_at: datetime = moment()
    review_due_at: datetime = moment()
    lifted_at: datetime | None = moment(nullable=True)
    lifted_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    lifted_because: str | None = sealed_text(nullable=True)


class NamedPerson(SQLModel, table=True):
    """Somebody who knows of a restricted referral: named for good, or let in for an hour by breaking the glass."""

    __tablename__ = "named_person"
    __table_args__ = (Index("named_person_of", "restriction_id", "account_id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    restriction_id: UUID = Field(foreign_key="restriction.id")
    account_id: str = Field(foreign_key="account.id", max_length=60)
    named_by: str = Field(foreign_key="account.id", max_length=60)
    named_at: datetime = moment()
    until: datetime | None = moment(nullable=True)
    removed_at: datetime | None = moment(nullable=True)


class InterestConflict(SQLModel, table=True):
    """Somebody has said that they are too near to a referral; from then on there is none for them."""

    __tablename__ = "interest_conflict"
    __table_args__ = (UniqueConstraint("account_id", "reference", name="interest_conflict_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", max_length=60)
    reference: str = reference_column()
    ground: str = code()
    declared_at: datetime = moment()
