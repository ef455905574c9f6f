"""Earlier referrals that may be about the same people: by what they are looked for, and what was found (R14)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import moment, new_id, reference_column
from rules.radar import Level


class ContactAnswer(StrEnum):
    """What a person said of an earlier referral that was found."""

    CONFIRMED = "CONFIRMED"
    DISMISSED = "DISMISSED"


class RadarKey(SQLModel, table=True):
    """One thing by which a subject is looked for among all others: a keyed digest, so that it holds no name."""

    __tablename__ = "radar_key"
    __table_args__ = (Index("radar_key_by_key", "key"),)

    subject_id: UUID = Field(foreign_key="subject.id", primary_key=True)
    #: Which of a subject's keys it is: each has one of a kind.
    kind: str = Field(max_length=12, primary_key=True)
    key: bytes = Field(sa_type=LargeBinary)


class EarlierContact(SQLModel, table=True):
    """An earlier referral's subject who may be one of this referral's, or live with them. It holds codes alone.

    Nothing is merged: it stands beside both, until a person confirms or dismisses it.
    """

    __tablename__ = "earlier_contact"
    __table_args__ = (
        UniqueConstraint("subject_id", "earlier_subject_id", name="earlier_contact_once"),
        CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name="earlier_contact_answered_by_somebody",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    #: The later referral, in which it was found.
    reference: str = reference_column()
    subject_id: UUID = Field(foreign_key="subject.id")
    earlier_subject_id: UUID = Field(foreign_key="subject.id", index=True)
    level: Level = Field(sa_type=Enum(Level, native_enum=False, create_constraint=True, length=10))
    score: int
    signs: list[str] = Field(sa_type=JSONB)
    found_at: datetime = moment()
    answer: ContactAnswer | None = Field(
        default=None,
        sa_type=Enum(ContactAnswer, native_enum=False, create_constraint=True, length=10),
        nullable=True,
    )
    answered_at: datetime | None = moment(nullable=True)
    answered_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
