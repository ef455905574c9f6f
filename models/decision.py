"""The joined returns, the team's discussion, the threshold decision, and what was handed back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, reference_column, sealed_json, sealed_text
from rules.authority import Grade


class CollatedTemplate(SQLModel, table=True):
    """The collated template at one moment: at the join, or as the decision makers saw it (R27, R41). Never changed."""

    __tablename__ = "collated_template"
    __table_args__ = (UniqueConstraint("reference", "version", name="collated_template_version_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    version: int
    template_version: str = Field(max_length=20)
    taken_for: str = code()
    taken_at: datetime = moment()
    content: dict[str, Any] = sealed_json()
    digest: str = Field(max_length=64)


class Discussion(SQLModel, table=True):
    """The team talked about the returns: when, how, and who was present for each agency (R34)."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    held_at: datetime = moment()
    mode: str = code()
    present: list[dict[str, Any]] = sealed_json()
    note: str = sealed_text()
    recorded_at: datetime = moment()
    recorded_by: str = Field(foreign_key="account.id", max_length=60)


class View(SQLModel, table=True):
    """What one agency thinks of the threshold; disagreement is never hidden (R37)."""

    __tablename__ = "threshold_view"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    agency: str = Field(foreign_key="agency.code", max_length=40)
    view: str = code()
    threshold_met: bool | None = None
    level_of_need: str | None = code(nullable=True)
    reason: str | None = sealed_text(nullable=True)
    recorded_at: datetime = moment()
    recorded_by: str = Field(foreign_key="account.id", max_length=60)


class Dissent(SQLModel, table=True):
    """The escalation of a disagreement: one for a referral, with its stage and the time of the next."""

    reference: str = Field(primary_key=True, foreign_key="referral.reference", max_length=9)
    stage: str = code()
    since: datetime = moment()
    next_at: datetime | None = moment(nullable=True)
    resolved_at: datetime | None = moment(nullable=True)
    resolution: str | None = sealed_text(nullable=True)
    resolved_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)


class ThresholdDecision(SQLModel, table=True):
    """Whether the threshold is met for one subject, and what follows (R35). A change is a new version (R24)."""

    __tablename__ = "threshold_decision"
    __table_args__ = (
        UniqueConstraint("subject_id", "version", name="decision_version_once"),
        CheckConstraint("version > 0", name="decision_version_positive"),
        CheckConstraint(
            "(quorum_missing IS NULL) = (below_quorum_because IS NULL)", name="decision_below_quorum_has_a_reason"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    subject_id: UUID = Field(foreign_key="subject.id", index=True)
    version: int
    threshold_met: bool
    level_of_need: str = code()
    outcome: str = code()
    rationale: str = sealed_text()
    words_for_duty_team: str = sealed_text()
    actions: list[dict[str, Any]] = sealed_json()
    consent: str | None = code(nullable=True)
    threshold_document: str = Field(max_length=40)
    without_discussion_because: str | None = sealed_text(nullable=True)
    #: The agencies for want of which it is below quorum, comma-separated codes; null when it is not (R38).
    quorum_missing: str | None = Field(default=None, max_length=400)
    below_quorum_because: str | None = sealed_text(nullable=True)
    collated_template_id: UUID = Field(foreign_key="collated_template.id")
    decided_at: datetime = moment()
    decided_by: str = Field(foreign_key="account.id", max_length=60)
    #: With whose authority it was signed (R39).
    grade: Grade = Field(
        default=Grade.DECISION_MAKER, sa_type=Enum(Grade, native_enum=False, create_constraint=True, length=20)
    )


class ManagerRequest(SQLModel, table=True):
    """A decision maker sends a referral to a manager, for an outcome that is not theirs to make (R39).

    It ends when somebody decides, the manager sends it back with a reason, or the referral ends early.
    """

    __tablename__ = "manager_request"
    __table_args__ = (
        CheckConstraint("(settled_at IS NULL) = (conclusion IS NULL)", name="manager_request_settled_somehow"),
        CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="manager_request_settled_by_somebody"),
        CheckConstraint(
            "(COALESCE(conclusion, '') = 'SENT_BACK') = (answer IS NOT NULL)", name="manager_request_back_with_a_reason"
        ),
        Index("manager_request_open_once", "reference", unique=True, postgresql_where=text("settled_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    outcome: str = code()
    reason: str = sealed_text()
    sent_at: datetime = moment()
    sent_by: str = Field(foreign_key="account.id", max_length=60)
    settled_at: datetime | None = moment(nullable=True)
    settled_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    conclusion: str | None = code(nullable=True)
    answer: str | None = sealed_text(nullable=True)


class ItemRelease(SQLModel, table=True):
    """What a decision said of one item of a return: the duty team may have it, or not, and then why (R29)."""

    __tablename__ = "item_release"
    __table_args__ = (
        UniqueConstraint("decision_id", "return_id", "number", name="item_chosen_once"),
        CheckConstraint("released = (withheld_because IS NULL)", name="item_withheld_has_a_reason"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    decision_id: UUID = Field(foreign_key="threshold_decision.id", index=True)
    return_id: UUID = Field(foreign_key="agency_return.id")
    number: int
    agency: str = Field(foreign_key="agency.code", max_length=40)
    released: bool
    withheld_because: str | None = code(nullable=True)


class Reconsideration(SQLModel, table=True):
    """A return came after the decision: somebody must say whether the decision stands (R24)."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    check_id: UUID = Field(foreign_key="agency_check.id")
    opened_at: datetime = moment()
    settled_at: datetime | None = moment(nullable=True)
    settled_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
    conclusion: str | None = code(nullable=True)
    reason: str | None = sealed_text(nullable=True)


class HandBack(SQLModel, table=True):
    """What one duty team is told about its own subjects, and its acknowledgement (R42, R43)."""

    __tablename__ = "hand_back"
    __table_args__ = (UniqueConstraint("reference", "duty_team", "version", name="hand_back_version_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    duty_team: str = code()
    version: int
    issued_at: datetime = moment()
    outcomes: list[dict[str, Any]] = sealed_json()
    acknowledged_at: datetime | None = moment(nullable=True)
    acknowledged_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
