"""What was decided about each person, for those who may read the assessment (R35, R38, R29)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlmodel import Session

from casework import referrals, releases
from casework.accounts import name_of
from casework.follow import Seen
from casework.register import profile_of
from models.decision import ThresholdDecision
from models.profile import Profile
from models.referral import Referral, Subject
from rules.permissions import Actor, check_may_read_assessment


class DecisionSeen(Seen):
    """The effective decision on one subject."""

    subject: str
    version: int
    threshold_met: bool
    level_of_need: str
    outcome: str
    rationale: str
    words_for_duty_team: str
    actions: list[dict[str, Any]]
    decided_at: datetime
    decider: str
    grade: str = Field(description="With whose authority: DECISION_MAKER or MANAGER")
    without_discussion_because: str | None
    quorum_missing: list[str] = Field(description="The agencies for want of which it is below quorum")
    below_quorum_because: str | None
    released: list[dict[str, Any]] = Field(description="What the duty team reads of the returns")
    withheld: list[dict[str, str]] = Field(description="Items kept from the duty team: agency and reason, no text")


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> list[DecisionSeen]:
    """The decisions that stand at `at`, by subject. The assessment is read with them, and that is in the ledger."""
    check_may_read_assessment(by)
    referral, decisions = referrals.find(session, reference), referrals.decisions(session, reference)
    return [
        _seen(session, referral, subject, decisions[subject.id])
        for subject in referrals.subjects(session, reference)
        if subject.id in decisions and decisions[subject.id].decided_at <= at
    ]


def _seen(session: Session, referral: Referral, subject: Subject, decision: ThresholdDecision) -> DecisionSeen:
    profile: Profile = profile_of(session, referral)
    return DecisionSeen.of(
        decision,
        subject=subject.code,
        decider=name_of(session, decision.decided_by),
        quorum_missing=decision.quorum_missing.split(",") if decision.quorum_missing else [],
        released=releases.released(session, decision, profile, referral.received_at),
        withheld=releases.withheld(session, decision, profile),
    )
