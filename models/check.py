"""What one agency was asked about one referral, and what it answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, reference_column, sealed_json, sealed_text
from rules.errors import WrongStage
from rules.stages import NEXT_CHECK_STATUSES, CheckStatus, check_move

_OPEN = "status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY')"
_NOT_OPEN = "NOT (status IN ('REQUESTED', 'ACKNOWLEDGED', 'CLARIFY'))"
_UNHEARD = "acknowledged_at IS NULL"
_SETTLED = "('RETURNED', 'RETURNED_LATE', 'DECLINED', 'CANCELLED', 'NOT_AWAITED')"


class AgencyCheck(SQLModel, table=True):
    """What one agency was asked about one referral, and by when (R21, R22). A clock of its own."""

    __tablename__ = "agency_check"
    __table_args__ = (
        UniqueConstraint("reference", "agency", name="agency_asked_once"),
        CheckConstraint("due_at > requested_at", name="check_due_after_asked"),
        CheckConstraint(f"(status IN {_SETTLED}) = (settled_at IS NOT NULL)", name="check_settled_has_a_time"),
        CheckConstraint("status <> 'RETURNED' OR settled_at <= due_at", name="check_returned_is_on_time"),
        CheckConstraint("status <> 'RETURNED_LATE' OR settled_at > due_at", name="check_returned_late_is_late"),
        CheckConstraint("(status = 'DECLINED') <= (decline_reason IS NOT NULL)", name="check_declined_has_a_reason"),
        CheckConstraint("breached_at IS NULL OR breached_at = due_at", name="check_breached_when_due"),
        CheckConstraint("(paused_at IS NULL) = (pause_reason IS NULL)", name="check_pause_has_a_reason"),
        CheckConstraint(
            "paused_at IS NULL OR (settled_at IS NULL AND breached_at IS NULL)", name="check_paused_is_awaited"
        ),
        CheckConstraint(
            "(breach_cause IS NULL) = (cause_given_at IS NULL) AND (breach_cause IS NULL) = (cause_given_by IS NULL)"
            " AND (breach_cause IS NULL OR breached_at IS NOT NULL)",
            name="check_cause_is_of_a_breach",
        ),
        CheckConstraint(
            "(answers_question IS NULL) = (marked_at IS NULL) AND (answers_question IS NULL) = (marked_by IS NULL)"
            " AND (dated IS NULL) = (sourced IS NULL) AND (dated IS NULL OR answers_question IS NOT NULL)",
            name="check_marked_by_somebody",
        ),
        # An agency's queue, and its newest settled checks, among the millions of all agencies and years.
        Index("check_open_by_agency", "agency", "place", "due_at", "reference", postgresql_where=text(_OPEN)),
        # A referral's clock on the board: of its open checks alone; the second wall asks whose they are.
        Index("check_open_by_referral", "reference", "due_at", "paused_at", "agency", postgresql_where=text(_OPEN)),
        Index("check_settled_by_agency", "agency", "settled_at", postgresql_where=text(_NOT_OPEN)),
        # What information governance sees of a year: how many were asked, and the newest refusals.
        Index("check_by_age", "requested_at", "agency", "status", "reference"),
        Index("check_declined", "settled_at", postgresql_where=text("status = 'DECLINED'")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    agency: str = Field(foreign_key="agency.code", max_length=40)
    status: CheckStatus = Field(
        default=CheckStatus.REQUESTED,
        sa_type=Enum(CheckStatus, native_enum=False, create_constraint=True, length=40),
    )
    sides: str = Field(max_length=20)
    #: Where it stands in its agency's queue, the lowest first: see rules.urgency.place (R10).
    place: int = Field(sa_type=SmallInteger)

    requested_at: datetime = moment()
    due_at: datetime = moment()
    clock_policy: str = code()
    calendar_version: str = Field(max_length=60)
    due_in_words: str = Field(sa_type=Text)
    #: Whether the returns are joined only when this agency has answered, or its time is up (R20).
    blocking: bool = True
    #: Whether the referral's run has taken note of it; false while a person has asked and no run has come by.
    noted_by_run: bool = True
    question: str | None = sealed_text(nullable=True)
    #: Why this agency: the code set asked_because. And on what basis about whom, as it stood when it was asked (R54).
    asked_because: str = code()
    basis: dict[str, Any] = Field(sa_type=JSONB)

    acknowledged_at: datetime | None = moment(nullable=True)
    known: str | None = code(nullable=True)
    warned_at: datetime | None = moment(nullable=True)
    paused_at: datetime | None = moment(nullable=True)
    pause_reason: str | None = code(nullable=True)
    breached_at: datetime | None = moment(nullable=True)
    breach_noticed_at: datetime | None = moment(nullable=True)
    #: Why it breached, of the code set breach_cause, as a person last said (requirements §4.9).
    breach_cause: str | None = code(nullable=True)
    cause_given_at: datetime | None = moment(nullable=True)
    cause_given_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    #: How good its return is, as a person last said; of items' dates and sources where it holds any (R31).
    answers_question: bool | None = None
    dated: bool | None = None
    sourced: bool | None = None
    marked_at: datetime | None = moment(nullable=True)
    marked_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    settled_at: datetime | None = moment(nullable=True)
    decline_reason: str | None = code(nullable=True)
    decline_note: str | None = sealed_text(nullable=True)

    def move_to(self, status: CheckStatus, at: datetime) -> None:
        """Move on. `at` is aware UTC. Raises WrongStage for a move that NEXT_CHECK_STATUSES does not hold."""
        check_move(NEXT_CHECK_STATUSES, self.status, status, f"check {self.reference}/{self.agency}")
        self.status = status
        self.settled_at = at if status.settled else None

    def record_return(self, at: datetime) -> None:
        """Take a return at the moment `at`: exactly at the due time is on time (F19). Raises WrongStage."""
        self.move_to(CheckStatus.RETURNED_LATE if at > self.due_at else CheckStatus.RETURNED, at)

    def record_breach(self, at: datetime) -> None:
        """Write down that the due time passed with no answer, once; it is the due time's fact, noticed at `at`.

        Raises WrongStage when the check is settled, paused, or not yet past due.
        """
        if not self.is_overdue(at):
            raise WrongStage(f"check {self.reference}/{self.agency} is not overdue")
        if self.breached_at is None:
            self.breached_at, self.breach_noticed_at = self.due_at, at

    def is_overdue(self, at: datetime) -> bool:
        """Whether it is open at `at` (aware UTC), its clock goes, and its time is up."""
        return not self.status.settled and self.paused_at is None and at > self.due_at

    def is_awaited(self, at: datetime) -> bool:
        """Whether the returns are not joined yet because of this agency: it may still answer in time (R20, R22)."""
        return self.blocking and not self.status.settled and not self.is_overdue(at)

    @property
    def late_by(self) -> timedelta | None:
        """How long after its due time the return came; None when it is not late."""
        if self.status is CheckStatus.RETURNED_LATE and self.settled_at:
            return self.settled_at - self.due_at
        return None


class AgencyNotAsked(SQLModel, table=True):
    """An agency that was not asked when the others were, why, and who has it asked all the same (R55)."""

    __tablename__ = "agency_not_asked"
    __table_args__ = (
        CheckConstraint(
            "(overridden_at IS NULL) = (overridden_by IS NULL) AND (overridden_at IS NULL) = (override_reason IS NULL)",
            name="agency_not_asked_overridden_by_somebody",
        ),
        Index("agency_not_asked_overridden", "overridden_at", postgresql_where=text("overridden_at IS NOT NULL")),
    )

    reference: str = Field(foreign_key="referral.reference", primary_key=True, max_length=9)
    agency: str = Field(foreign_key="agency.code", primary_key=True, max_length=40)
    reason: str = code()
    at: datetime = moment()
    overridden_at: datetime | None = moment(nullable=True)
    overridden_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    override_reason: str | None = sealed_text(nullable=True)


class Return(SQLModel, table=True):
    """An agency's answer. "Nothing known" is a full one (R27). A correction is a new version, never a change."""

    __tablename__ = "agency_return"
    __table_args__ = (
        UniqueConstraint("check_id", "version", name="return_version_once"),
        CheckConstraint("version > 0", name="return_version_positive"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    check_id: UUID = Field(foreign_key="agency_check.id", index=True)
    version: int = 1
    result: str = code()
    recorded_at: datetime = moment()
    recorded_by: str = Field(foreign_key="account.id", max_length=60)
    addendum: bool = False

    summary: str | None = sealed_text(nullable=True)
    items: list[dict[str, Any]] = sealed_json()
    systems_searched: list[dict[str, Any]] = sealed_json()
    not_searched_because: str | None = sealed_text(nullable=True)
    consultations: list[dict[str, Any]] = sealed_json()


class FollowUp(SQLModel, table=True):
    """The MASH team asks an agency about its return, and the agency answers; both timed (R33).

    It has a clock of its own, which a person may stop. An answer that is late is no breach, and holds up nobody.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        CheckConstraint("due_at > asked_at", name="follow_up_due_after_asked"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="follow_up_answer_has_a_time"),
        CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name="follow_up_answered_by_somebody"),
        CheckConstraint(
            "(paused_at IS NULL) = (pause_reason IS NULL) AND (paused_at IS NULL) = (paused_by IS NULL)",
            name="follow_up_pause_has_a_reason",
        ),
        CheckConstraint("paused_at IS NULL OR answered_at IS NULL", name="follow_up_paused_is_awaited"),
        Index("follow_up_open_once", "check_id", unique=True, postgresql_where=text("answered_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    check_id: UUID = Field(foreign_key="agency_check.id", index=True)
    question: str = sealed_text()
    asked_at: datetime = moment()
    asked_by: str = Field(foreign_key="account.id", max_length=60)
    due_at: datetime = moment()
    clock_policy: str = code()
    calendar_version: str = Field(max_length=60)
    due_in_words: str = Field(sa_type=Text)
    paused_at: datetime | None = moment(nullable=True)
    pause_reason: str | None = code(nullable=True)
    paused_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    answer: str | None = sealed_text(nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answered_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)


class UrgentCall(SQLModel, table=True):
    """A representative says "urgent, discuss now" on their agency's check; the MASH team says that it knows (R10)."""

    __tablename__ = "urgent_call"
    __table_args__ = (
        CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="urgent_call_acknowledged_by_somebody"
        ),
        # One that nobody has acknowledged is enough for an agency; and the board looks at these alone.
        Index("urgent_call_open_once", "reference", "agency", unique=True, postgresql_where=text(_UNHEARD)),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    agency: str = Field(foreign_key="agency.code", max_length=40)
    reason: str = sealed_text()
    raised_at: datetime = moment()
    raised_by: str = Field(foreign_key="account.id", max_length=60)
    acknowledged_at: datetime | None = moment(nullable=True)
    acknowledged_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)


class Clarification(SQLModel, table=True):
    """An agency asks what is meant, and the hub answers; both timed (R33). It stops no clock by itself."""

    __table_args__ = (
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="clarification_answer_has_a_time"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    check_id: UUID = Field(foreign_key="agency_check.id", index=True)
    question: str = sealed_text()
    asked_at: datetime = moment()
    asked_by: str = Field(foreign_key="account.id", max_length=60)
    answer: str | None = sealed_text(nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answered_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
