"""A person decides whether the threshold is met, for each subject, on what they saw (R35, R36, R41)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from casework import collation, ledger, quorum, reconsider, referrals, releases, to_manager
from casework.discussion import held
from casework.documents import DecisionDocument, SubjectDecision
from casework.items import Standing
from casework.ledger import Act
from casework.register import profile_of
from casework.wakes import wake
from models.decision import CollatedTemplate, ThresholdDecision
from models.profile import Profile
from models.referral import Referral, Subject
from rules import authority, threshold
from rules.errors import Conflict, FieldError, NotAcceptable
from rules.permissions import Actor, check_may_decide
from rules.stages import Stage


def decide(session: Session, reference: str, document: DecisionDocument, *, by: Actor, at: datetime) -> None:
    """Sign a threshold decision: all subjects at once, on the version that the decider saw.

    Raises NotPermitted for anybody but a signed-in decision maker, NeedsManager for an outcome that is not theirs to
    make (R39), Conflict when the referral changed since
    (a second decider at the same moment, F18), WrongStage before the join or after a decision that nothing
    questions, and NotAcceptable with every bad field.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    if referral.version != document.version_seen:
        raise Conflict(
            f"referral {reference} changed while you decided: it is {referral.stage}, version {referral.version}"
        )
    # Should the engine be down, a person's decision does not wait for it: the join is made here (F10).
    collation.collate(session, reference, at=at)
    collation.request_decision(session, reference, at=at)
    again = reconsider.check_can_be_decided(session, referral)
    matrix = profile_of(session, referral).authority.outcomes
    authority.check_may_make((decision.outcome for decision in document.decisions), matrix, by)
    subjects = referrals.remaining(session, reference)
    _check_document(session, referral, document, subjects)
    seen = collation.keep(session, referral, collation.FOR_A_DECISION, by=by, at=at)
    session.flush()
    if again:
        reconsider.settle(session, reference, reconsider.CHANGED, _summary(document), by=by, at=at)
    for decision in document.decisions:
        subject = next(s for s in subjects if s.code == decision.subject)
        _sign(session, referral, subject, decision, document=document, seen=seen, by=by, at=at)
    referrals.settle_manager_request(session, reference, to_manager.DECIDED, by=by, at=at)
    referral.decided_at = at
    referral.move_to(Stage.HANDING_BACK, at)
    wake(session, reference, at)


def offers(session: Session, reference: str, *, by: Actor) -> dict[str, list[Standing]]:
    """For each subject the items that may go to its duty team (R29).

    They are shown beside the assessment: the caller reads that with `collation.read`, which is in the ledger.
    """
    check_may_decide(by)
    return {
        subject.code: releases.on_offer(session, reference, subject.code)
        for subject in referrals.remaining(session, reference)
    }


def absent(session: Session, reference: str, *, by: Actor) -> list[str]:
    """The agencies for want of which a decision would be below quorum now (R38)."""
    check_may_decide(by)
    return _absent(session, referrals.find(session, reference), referrals.remaining(session, reference))


def _check_document(session: Session, referral: Referral, document: DecisionDocument, subjects: list[Subject]) -> None:
    profile = profile_of(session, referral)
    by_code = {subject.code: subject for subject in subjects}
    found = [
        problem
        for number, decision in enumerate(document.decisions)
        if decision.subject in by_code
        for problem in (
            *_problems(decision, by_code[decision.subject], profile, f"/decisions/{number}"),
            *releases.problems(session, referral, decision, f"/decisions/{number}"),
            *releases.stopped(session, referral, decision, by_code[decision.subject], f"/decisions/{number}"),
        )
    ]
    if sorted(decision.subject for decision in document.decisions) != sorted(by_code):
        found.append(FieldError("/decisions", f"decide once for each of {', '.join(sorted(by_code))}"))
    if not held(session, referral.reference) and not document.without_discussion_because:
        found.append(
            FieldError("/without_discussion_because", "the team has not discussed this: record that, or say why not")
        )
    elif (missing := _absent(session, referral, subjects)) and not _why_below_quorum(document):
        found.append(
            FieldError("/below_quorum_because", f"{', '.join(missing)} took no part: say why you decide without")
        )
    if found:
        raise NotAcceptable(*found)


def _absent(session: Session, referral: Referral, subjects: list[Subject]) -> list[str]:
    missing = quorum.missing(session, referral)
    return list(dict.fromkeys(agency for subject in subjects for agency in missing[subject.side]))


def _why_below_quorum(document: DecisionDocument) -> str | None:
    """Without a discussion nobody took part, and one reason says why."""
    return document.below_quorum_because or document.without_discussion_because


def _problems(decision: SubjectDecision, subject: Subject, profile: Profile, pointer: str) -> list[FieldError]:
    proposed = threshold.Proposed(
        side=subject.side,
        threshold_met=decision.threshold_met,
        outcome=decision.outcome,
        level_of_need=decision.level_of_need,
        consent=decision.consent,
    )
    levels, consents = profile.codes["need_level"], profile.codes["consent"]
    return threshold.problems(proposed, profile.outcome_rules(), levels, consents, pointer)


def _sign(
    session: Session,
    referral: Referral,
    subject: Subject,
    decision: SubjectDecision,
    *,
    document: DecisionDocument,
    seen: CollatedTemplate,
    by: Actor,
    at: datetime,
) -> None:
    earlier = referrals.decisions(session, referral.reference).get(subject.id)
    missing = quorum.missing(session, referral)[subject.side]
    signed = ThresholdDecision(
        reference=referral.reference,
        subject_id=subject.id,
        version=earlier.version + 1 if earlier else 1,
        threshold_document=profile_of(session, referral).threshold.version,
        without_discussion_because=document.without_discussion_because,
        quorum_missing=",".join(missing) or None,
        below_quorum_because=_why_below_quorum(document) if missing else None,
        collated_template_id=seen.id,
        decided_at=at,
        decided_by=by.id,
        grade=authority.grade_of(by),
        **decision.model_dump(mode="json", exclude={"subject", "items", "false_alarm_because"}),
    )
    session.add(signed)
    ledger.write(
        session, referral.reference, Act.DECIDED, by=by, at=at, content=_said(decision, document),
        subject=subject.code, version=signed.version, threshold_met=signed.threshold_met, outcome=signed.outcome,
        level_of_need=signed.level_of_need, threshold_document=signed.threshold_document, seen=seen.version,
        below_quorum=missing, grade=signed.grade,
    )  # fmt: skip
    releases.record(session, referral, signed, decision.items, subject=subject, by=by, at=at)
    releases.record_override(session, referral, decision, subject=subject, by=by, at=at)


def _said(decision: SubjectDecision, document: DecisionDocument) -> dict[str, Any]:
    said = decision.model_dump(mode="json", exclude={"subject"})
    reasons = document.model_dump(include={"without_discussion_because", "below_quorum_because"})
    return {**said, **reasons}


def _summary(document: DecisionDocument) -> str:
    return "; ".join(f"{decision.subject}: {decision.rationale}" for decision in document.decisions)
