"""A dip sample of decided cases, and what a second decision maker would have decided, not knowing the first (R63)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Enum, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, reference_column, sealed_text
from rules.people import Side


class DipSample(SQLModel, table=True):
    """Cases drawn from those decided in a period: the same seed draws the same again."""

    __tablename__ = "dip_sample"
    __table_args__ = (
        CheckConstraint("first_on <= last_on", name="dip_sample_of_a_period"),
        CheckConstraint("size > 0", name="dip_sample_of_something"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    seed: int = Field(sa_type=BigInteger)
    first_on: date
    last_on: date
    #: How many were wanted, and of how many decided cases they were drawn.
    size: int
    decided: int
    drawn_at: datetime = moment()
    drawn_by: str = Field(foreign_key="account.id", max_length=60)


class SecondLook(SQLModel, table=True):
    """One person's case in a sample: what was decided first, and, once somebody looked, what they would have decided.

    It stands beside the decision and never changes it.
    """

    __tablename__ = "second_look"
    __table_args__ = (
        UniqueConstraint("sample_id", "subject_id", name="second_look_once_a_sample"),
        CheckConstraint(
            "(looked_at IS NULL) = (looked_by IS NULL) AND (looked_at IS NULL) = (outcome IS NULL)"
            " AND (looked_at IS NULL) = (threshold_met IS NULL) AND (looked_at IS NULL) = (level_of_need IS NULL)"
            " AND (looked_at IS NULL) = (reason IS NULL)",
            name="second_look_is_whole",
        ),
        Index("second_look_open", "reference", postgresql_where=text("looked_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    sample_id: UUID = Field(foreign_key="dip_sample.id", index=True)
    reference: str = reference_column()
    subject_id: UUID = Field(foreign_key="subject.id")
    subject_number: int
    decision_id: UUID = Field(foreign_key="threshold_decision.id")
    side: Side = Field(
        sa_type=Enum(
            Side, native_enum=False, create_constraint=True, length=10, values_callable=lambda e: [m.value for m in e]
        )
    )
    first_met: bool
    first_level: str = code()
    first_outcome: str = code()
    threshold_met: bool | None = None
    level_of_need: str | None = code(nullable=True)
    outcome: str | None = code(nullable=True)
    reason: str | None = sealed_text(nullable=True)
    looked_at: datetime | None = moment(nullable=True)
    looked_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)

    @property
    def subject(self) -> str:
        """How the subject is called where no name may stand: S1, S2 …"""
        return f"S{self.subject_number}"
