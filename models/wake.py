"""What is to happen, and when: the rows that the timekeeper lives by; and the injected clock."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import moment, new_id
from rules.stages import Stage


class WakeKind(StrEnum):
    """What the timekeeper does with a row that has come due."""

    RUN = "RUN"
    WARN = "WARN"
    BREACH = "BREACH"
    CHASE_ACK = "CHASE_ACK"
    ESCALATE_DISSENT = "ESCALATE_DISSENT"
    CHASE_BASIS = "CHASE_BASIS"
    TRY_GATE = "TRY_GATE"


class Wake(SQLModel, table=True):
    """Do `kind` for a referral once `due_at` has come.

    `about` tells apart wakes of one kind: an agency's code, a duty team's, or nothing. `due_at` is hub time;
    `hold_until` is real time, and only keeps a row away from the engine while its run is busy or the engine is down.
    """

    __table_args__ = (
        UniqueConstraint("reference", "kind", "about", "due_at", name="wake_once"),
        Index("wake_by_due", "due_at"),
        Index("wake_held", "hold_until", postgresql_where=text("hold_until IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = Field(foreign_key="referral.reference", index=True, max_length=9)
    kind: WakeKind = Field(sa_type=Enum(WakeKind, native_enum=False, create_constraint=True, length=40))
    about: str = Field(default="", max_length=40)
    due_at: datetime = moment()
    hold_until: datetime | None = moment(nullable=True)
    attempts: int = 0


class Repair(SQLModel, table=True):
    """How often a referral was brought back at this stage, and what was seen of its run; real times, not hub time.

    `tries` counts restarts at `stage`. `doubted_state` is the engine's state id in which the run was seen busy while
    nobody held the referral, since `doubted_at`. `cancelled_run` is the run that an operator stopped.
    """

    reference: str = Field(foreign_key="referral.reference", primary_key=True, max_length=9)
    stage: Stage = Field(sa_type=Enum(Stage, native_enum=False, create_constraint=True, length=40))
    tries: int = 0
    tried_at: datetime | None = moment(nullable=True)
    alarmed_at: datetime | None = moment(nullable=True)
    doubted_state: UUID | None = Field(default=None)
    doubted_at: datetime | None = moment(nullable=True)
    cancelled_run: UUID | None = Field(default=None)
    cancelled_at: datetime | None = moment(nullable=True)


class Turn(SQLModel, table=True):
    """When one of the timekeeper's rounds was last taken, in real time, so that several copies share them."""

    name: str = Field(primary_key=True, max_length=40)
    taken_at: datetime = moment()


class ScenarioClock(SQLModel, table=True):
    """Holds the hub's time still for a scenario; empty in real life. The application's role cannot write it."""

    __tablename__ = "scenario_clock"
    __table_args__ = (CheckConstraint("id = 1", name="scenario_clock_is_one"),)

    id: int = Field(default=1, primary_key=True)
    now: datetime = moment()
