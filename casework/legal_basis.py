"""What is on record of each person's consent, informing and lawful basis, for those who complete it (R54, R56)."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field
from sqlmodel import Session

from casework import ledger, legal_gate, referrals
from casework.follow import Seen
from casework.ledger import Act
from casework.register import profile_of
from models.referral import Subject
from rules.errors import FieldError
from rules.legal_gate import PARTS, Gate
from rules.people import Side
from rules.permissions import Actor, check_may_complete_basis
from rules.stages import Stage


class ReasonSeen(Seen):
    """A reason to ask agencies about a person, and the codes that go with it, the proposed one first."""

    request_reason: str
    article_6: list[str]
    article_9: list[str]
    dpa_condition: list[str]
    gateway: list[str]
    needs_consent: bool


class LackSeen(Seen):
    """One thing that keeps agencies from being asked."""

    field: str = Field(description="Where it is completed, such as basis/request_reason")
    why: str


class PersonSeen(Seen):
    """One person's legal state. No name: who is meant, the number and the role in the household say."""

    subject: str
    side: Side
    household_role: str
    informed: str
    informed_how: str | None
    informed_on: date | None
    consent: str
    consent_given_by: str | None
    consent_on: date | None
    consent_reason_code: str | None
    consent_reason: str | None
    request_reason: str | None
    article_6: str | None
    article_9: str | None
    dpa_condition: str | None
    gateway: str | None
    basis_confirmed_by: str | None
    missing: list[LackSeen]
    reasons: list[ReasonSeen] = Field(description="What the area's profile allows for this side and level of need")


class BasisSeen(Seen):
    """A referral's people as the law sees them."""

    reference: str
    version: int = Field(description="To be named by whoever completes it")
    stage: Stage
    to_be_confirmed: bool = Field(description="The information-governance lead has not confirmed the area's table yet")
    people: list[PersonSeen]


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> BasisSeen:
    """What is on record and what is missing, for the originating duty team and the MASH team; the reading is kept.

    Raises NotPermitted or NotFound.
    """
    referral = referrals.lock(session, reference)
    check_may_complete_basis(by, referral.duty_team)
    ledger.write(session, reference, Act.BASIS_READ, by=by, at=at)
    profile = profile_of(session, referral)
    gate, lacking = legal_gate.gate_of(profile), legal_gate.missing(session, reference)
    return BasisSeen.of(
        referral,
        to_be_confirmed=bool(profile.legal_gate and profile.legal_gate.to_be_confirmed),
        people=[
            _person(subject, lacking.get(subject.code, []), gate, referral.level_of_need)
            for subject in referrals.remaining(session, reference)
        ],
    )


def lacking(session: Session, reference: str, *, by: Actor, at: datetime) -> dict[str, list[FieldError]]:
    """What is missing, by subject; it holds nothing of anybody's. Raises NotPermitted or NotFound."""
    check_may_complete_basis(by, referrals.find(session, reference).duty_team)
    return legal_gate.missing(session, reference)


def _person(subject: Subject, lacking: list[FieldError], gate: Gate, level: str) -> PersonSeen:
    return PersonSeen.of(
        subject,
        subject=subject.code,
        missing=[LackSeen(field=each.pointer.strip("/"), why=each.detail) for each in lacking],
        reasons=[
            ReasonSeen(
                request_reason=row.request_reason, needs_consent=row.needs_consent,
                **{part: list(row.allowed[part]) for part in PARTS},
            )
            for row in gate.grounds_of(subject.side, level)
        ],
    )  # fmt: skip
