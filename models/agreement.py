"""Information sharing agreements: who may share with whom, under which version, until when (R55)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id


class SharingAgreement(SQLModel, table=True):
    """One signed version of an agreement. A renewal is a row of its own, so that what was in force stays readable."""

    __tablename__ = "sharing_agreement"
    __table_args__ = (
        CheckConstraint("in_force_to IS NULL OR in_force_to >= in_force_from", name="sharing_agreement_has_a_length"),
        CheckConstraint("ended_on IS NULL OR ended_on >= in_force_from", name="sharing_agreement_ends_after_it_begins"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    title: str = Field(max_length=200)
    version: str = code()
    #: Codes of agencies and duty teams of the area's profile.
    parties: list[str] = Field(sa_type=JSONB)
    scope: str
    signed_on: date
    in_force_from: date
    in_force_to: date | None = None
    review_on: date
    ended_on: date | None = None
    renews: UUID | None = Field(default=None, foreign_key="sharing_agreement.id", unique=True)
    added_at: datetime = moment()
    added_by: str = Field(max_length=60)


class AgreementEvent(SQLModel, table=True):
    """What an administrator did to an agreement. Append-only."""

    __tablename__ = "agreement_event"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    agreement_id: UUID = Field(foreign_key="sharing_agreement.id", index=True)
    at: datetime = moment()
    actor: str = Field(max_length=60)
    act: str = code()
    detail: dict[str, Any] = Field(sa_type=JSONB)
