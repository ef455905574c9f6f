"""What is to be erased when its time is over, who agreed to that, and what is held back from it (R51, S-27)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, text
from sqlmodel import Field, SQLModel

from models.base import moment, new_id, reference_column, sealed_text
from rules.retention import Kind

_OPEN = "lifted_at IS NULL"


class LegalHold(SQLModel, table=True):
    """Nothing of this referral is erased, whatever the schedule says, until a named person lifts the hold."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_because IS NULL)",
            name="legal_hold_lifted_by_somebody",
        ),
        Index("legal_hold_once", "reference", unique=True, postgresql_where=text(_OPEN)),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    because: str = sealed_text()
    set_at: datetime = moment()
    set_by: str = Field(foreign_key="account.id", max_length=60)
    lifted_because: str | None = sealed_text(nullable=True)
    lifted_at: datetime | None = moment(nullable=True)
    lifted_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)


class ErasureList(SQLModel, table=True):
    """The referrals whose time was over on one day: what two people agree to erase."""

    __tablename__ = "erasure_list"
    __table_args__ = (
        CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name="erasure_list_agreed_at"),
        CheckConstraint("(seconded_by IS NULL) = (seconded_at IS NULL)", name="erasure_list_seconded_at"),
        CheckConstraint(
            "seconded_by IS NULL OR (agreed_by IS NOT NULL AND agreed_by <> seconded_by)",
            name="erasure_list_by_two_people",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    listed_at: datetime = moment()
    profile_version: str = Field(max_length=40)
    agreed_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    agreed_at: datetime | None = moment(nullable=True)
    seconded_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    seconded_at: datetime | None = moment(nullable=True)
    #: When it was worked off, or another list took its place.
    ended_at: datetime | None = moment(nullable=True)


class Erasure(SQLModel, table=True):
    """One referral of such a list. Once `erased_at` is set nothing is left of it but codes, times and its ledger."""

    list_id: UUID = Field(primary_key=True, foreign_key="erasure_list.id")
    reference: str = Field(primary_key=True, foreign_key="referral.reference", index=True, max_length=9)
    kind: Kind = Field(
        sa_type=Enum(
            Kind, native_enum=False, create_constraint=True, length=40, name="retentionkind",
            values_callable=lambda e: [m.value for m in e],
        )
    )  # fmt: skip
    kept_until: datetime = moment()
    erased_at: datetime | None = moment(nullable=True)
    #: It was passed over when the list was worked off: a code.
    passed_over: str | None = Field(default=None, max_length=40)
