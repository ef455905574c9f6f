"""A referral, and the people it is about."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, reference_column, sealed_text
from rules.people import Side
from rules.stages import NEXT_STAGES, Stage, check_move
from rules.urgency import UrgencyRating, board_place


class Referral(SQLModel, table=True):
    """What a duty team sent to the hub, and where it stands (R01-R05)."""

    __table_args__ = (
        UniqueConstraint("duty_team", "sender_id", name="referral_sender_id_once"),
        CheckConstraint("(rated_at IS NULL) = (rated_because IS NULL)", name="referral_rating_has_a_reason"),
        CheckConstraint("(stage = 'CLOSED') = (closed_at IS NOT NULL)", name="referral_closed_has_a_time"),
        # The lists, oldest first: of what is open, which stays small, and of everything.
        Index("referral_open_by_age", "received_at", "reference", postgresql_where=text("stage <> 'CLOSED'")),
        # What a duty team's list shows of what is closed: the newest.
        Index("referral_closed_lately", "closed_at", postgresql_where=text("stage = 'CLOSED'")),
        Index("referral_by_age", "received_at", "reference"),
        # The board: the most urgent first.
        Index(
            "referral_on_board",
            "board_place",
            "clock_due_at",
            "received_at",
            "reference",
            postgresql_where=text("stage <> 'CLOSED'"),
        ),
    )

    reference: str = Field(primary_key=True, max_length=9)
    duty_team: str = code()
    sender_id: str = Field(max_length=100)
    body_digest: str = Field(max_length=64)
    upstream_reference: str = Field(max_length=100)
    profile_version: str = Field(foreign_key="area_profile.version", max_length=40)
    stage: Stage = Field(sa_type=Enum(Stage, native_enum=False, create_constraint=True, length=40), index=True)
    version: int = 1

    received_at: datetime = moment()
    accepted_at: datetime | None = moment(nullable=True)
    joined_at: datetime | None = moment(nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    handed_back_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    discuss_now_at: datetime | None = moment(nullable=True)
    #: Its content was erased under the retention schedule: codes, times and its ledger are left (R51).
    erased_at: datetime | None = moment(nullable=True)

    sending_officer: str = sealed_text()
    reply_to: str = sealed_text()
    decided_to_refer_by: str = sealed_text()
    decided_to_refer_at: datetime = moment()
    why_not_enough: str = sealed_text()

    safeguarding_concern: bool
    extent_unclear: bool
    clarification_question: str | None = sealed_text(nullable=True)
    #: Codes of the set question_about: whom the question is for. Empty: everybody.
    question_about: list[str] = Field(default_factory=list, sa_type=JSONB)
    narrative: str = sealed_text()
    source: str = code()
    level_of_need: str = code()
    urgency: str = code()
    #: The hub's own rating, and why it was last changed (R10).
    urgency_rating: UrgencyRating = Field(
        default=UrgencyRating.GREEN,
        sa_type=Enum(UrgencyRating, native_enum=False, create_constraint=True, length=10),
    )
    rated_at: datetime | None = moment(nullable=True)
    rated_because: str | None = sealed_text(nullable=True)
    #: Where it stands on the board, the lowest first: see rules.urgency.board_place (R10).
    board_place: int = Field(sa_type=SmallInteger)
    #: When the last open check whose clock goes is due, which the record keeps up whenever a check changes.
    clock_due_at: datetime | None = moment(nullable=True)

    #: The run that carries this referral in the engine, and how many runs it has had. A hint, never the truth.
    run_id: UUID | None = Field(default=None)
    runs: int = 0

    def move_to(self, stage: Stage, at: datetime) -> None:
        """Move on. `at` is aware UTC. Raises WrongStage for a move that NEXT_STAGES does not hold."""
        check_move(NEXT_STAGES, self.stage, stage, f"referral {self.reference}")
        self.stage = stage
        self.version += 1
        self.closed_at = at if stage is Stage.CLOSED else None
        self.board_place = board_place(self.urgency_rating, stage)

    def rate(self, rating: UrgencyRating, because: str, at: datetime) -> None:
        """The hub rates how urgent it is, and says why (R10). `at` is aware UTC."""
        self.urgency_rating, self.rated_because, self.rated_at = rating, because, at
        self.board_place = board_place(rating, self.stage)


class Subject(SQLModel, table=True):
    """A child or an adult whom the referral is about (R08). In the engine and in messages: a number, never a name."""

    __table_args__ = (
        UniqueConstraint("reference", "number", name="subject_number_once"),
        CheckConstraint("number > 0", name="subject_number_positive"),
        # Whether somebody was referred before.
        Index("subject_by_person", "person_digest", postgresql_where=text("person_digest IS NOT NULL")),
        # Whose home is kept from others.
        Index("subject_protected", "reference", "household", postgresql_where=text("protected_address")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    reference: str = reference_column()
    number: int
    side: Side = Field(
        sa_type=Enum(
            Side, native_enum=False, create_constraint=True, length=10, values_callable=lambda e: [m.value for m in e]
        )
    )
    household: int = 1
    household_role: str = sealed_text()

    given_name: str = sealed_text()
    family_name: str = sealed_text()
    born_on_sealed: str | None = sealed_text(nullable=True)
    nhs_number: str | None = sealed_text(nullable=True)
    #: The same for the same NHS number, to whoever holds the hub's key: by it re-referrals are counted (R60).
    person_digest: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    address: str | None = sealed_text(nullable=True)
    protected_address: bool
    #: How often the details above were put on record, and when they were last corrected (UK GDPR Article 16).
    details_version: int = 1
    corrected_at: datetime | None = moment(nullable=True)

    voice: str | None = sealed_text(nullable=True)
    voice_missing_because: str | None = sealed_text(nullable=True)
    #: Told of the referral, and consenting to it, are two facts (requirements §4.7, R56).
    informed: str = code()
    informed_how: str | None = code(nullable=True)
    informed_on: date | None = None
    consent: str = code()
    consent_given_by: str | None = sealed_text(nullable=True)
    consent_on: date | None = None
    consent_reason_code: str | None = code(nullable=True)
    consent_reason: str | None = sealed_text(nullable=True)
    #: On what agencies are asked about this person, and whose word that is (requirements §4.8, R54).
    request_reason: str | None = code(nullable=True)
    article_6: str | None = code(nullable=True)
    article_9: str | None = code(nullable=True)
    dpa_condition: str | None = code(nullable=True)
    gateway: str | None = code(nullable=True)
    basis_confirmed_by: str | None = sealed_text(nullable=True)
    open_to_worker: str | None = sealed_text(nullable=True)

    #: The outcome code with which this subject left before any decision: clear concern, withdrawn, already open.
    exit_code: str | None = code(nullable=True)
    exit_reason: str | None = code(nullable=True)

    @property
    def born_on(self) -> date | None:
        """The date of birth, when it is known."""
        return date.fromisoformat(self.born_on_sealed) if self.born_on_sealed else None

    @property
    def code(self) -> str:
        """How this subject is called where no name may stand: S1, S2 …"""
        return f"S{self.number}"


class MisdirectedContact(SQLModel, table=True):
    """An agency tried to refer directly; the board pack counts these (R02). It holds nothing of what was sent."""

    __tablename__ = "misdirected_contact"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    agency: str = Field(foreign_key="agency.code", max_length=40)
    at: datetime = moment()
