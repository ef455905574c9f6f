"""Somebody's request for their own data, its clock, and a hold for fear of serious harm (S-28)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import moment, new_id, reference_column, sealed_text


class SubjectAccess(SQLModel, table=True):
    """One subject of one referral asked for what is held about them."""

    __tablename__ = "subject_access"
    __table_args__ = (
        CheckConstraint(
            "(held_at IS NULL) = (held_by IS NULL) AND (held_at IS NULL) = (held_because IS NULL)",
            name="subject_access_held_by_somebody",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    #: The subject's number: of S1 it is 1.
    number: int
    received_at: datetime = moment()
    entered_at: datetime = moment()
    entered_by: str = Field(foreign_key="account.id", max_length=60)
    #: Giving it would be likely to cause somebody serious harm (DPA 2018 Sch. 3 Pt 3): it is not given meanwhile.
    held_because: str | None = sealed_text(nullable=True)
    held_at: datetime | None = moment(nullable=True)
    held_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    exported_at: datetime | None = moment(nullable=True)
