"""A referral that ends before a decision: the concern became clear, or the duty team withdrew it (R06)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from casework import ledger, legal_gate, referrals
from casework.checks import stop_asking_about, stop_awaiting
from casework.documents import EarlyEndDocument
from casework.follow import Seen
from casework.ledger import Act
from casework.register import profile_of
from casework.wakes import wake
from models.referral import Referral, Subject
from rules.eligibility import CLEAR_CONCERN, WITHDRAWN
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.people import Side
from rules.permissions import Actor, check_may_end_early
from rules.stages import UNDECIDED, CheckStatus, Stage

ENDED = "ENDED"


class StillHere(Seen):
    """Somebody in a referral who has not left it, for whoever says who leaves."""

    subject: str
    side: Side
    given_name: str
    family_name: str


def still_here(session: Session, reference: str, *, by: Actor, at: datetime) -> list[StillHere]:
    """The people of a referral who may leave it early; the reading is in the ledger. Raises NotFound, NotPermitted."""
    referral = referrals.lock(session, reference)
    check_may_end_early(by, referral.duty_team)
    ledger.write(session, reference, Act.DETAILS_READ, by=by, at=at)
    return [StillHere.of(each, subject=each.code) for each in referrals.remaining(session, reference)]


def are_several(session: Session, reference: str, *, by: Actor) -> bool:
    """Whether more than one person may leave a referral early, so that one must be chosen; nothing of them is shown.

    Raises NotFound, NotPermitted.
    """
    check_may_end_early(by, referrals.find(session, reference).duty_team)
    return len(referrals.remaining(session, reference)) > 1


def clear_concern(session: Session, reference: str, document: EarlyEndDocument, *, by: Actor, at: datetime) -> None:
    """The concern is clear and agreed now: back to the duty team for the existing procedure, at once (seed L278)."""
    _end(session, reference, document, CLEAR_CONCERN, by=by, at=at)


def withdraw(session: Session, reference: str, document: EarlyEndDocument, *, by: Actor, at: datetime) -> None:
    """The duty team takes its referral back, with a coded reason (requirements §4.9)."""
    if document.reason is None:
        raise NotAcceptable(FieldError("/reason", "a withdrawal needs a reason"))
    _end(session, reference, document, WITHDRAWN, by=by, at=at)


def _end(
    session: Session, reference: str, document: EarlyEndDocument, exit_code: str, *, by: Actor, at: datetime
) -> None:
    referral = referrals.lock(session, reference)
    check_may_end_early(by, referral.duty_team)
    if referral.stage not in UNDECIDED:
        raise WrongStage(f"referral {reference} is {referral.stage}: it can no longer end early")
    for subject in _leaving(session, referral, document):
        subject.exit_code, subject.exit_reason = exit_code, document.reason
        ledger.write(session, reference, Act.SUBJECT_EXITED, by=by, at=at, subject=subject.code, outcome=exit_code)
    # Whoever is deciding has these subjects on their screen: their decision must meet a conflict (F18).
    referral.version += 1
    session.flush()
    if remaining := {subject.code for subject in referrals.remaining(session, reference)}:
        gone = {subject.code for subject in referrals.subjects(session, reference)} - remaining
        stop_asking_about(session, referral, gone, by=by, at=at)
        # It may have waited for want of what the law wants about those who left.
        legal_gate.go_on_if_complete(session, referral, by=by, at=at)
        return
    ledger.write(session, reference, Act.ENDED_EARLY, by=by, at=at, outcome=exit_code)
    stop_awaiting(session, referral, CheckStatus.CANCELLED, by=by, at=at)
    referrals.settle_manager_request(session, reference, ENDED, by=by, at=at)
    referral.move_to(Stage.HANDING_BACK, at)
    wake(session, reference, at)


def _leaving(session: Session, referral: Referral, document: EarlyEndDocument) -> list[Subject]:
    remaining = {subject.code: subject for subject in referrals.remaining(session, referral.reference)}
    wrong = [
        FieldError(f"/subjects/{number}", f"not a subject that is still here: use one of {', '.join(remaining)}")
        for number, code in enumerate(document.subjects)
        if code not in remaining
    ]
    reasons = profile_of(session, referral).codes["withdrawal_reason"]
    if document.reason is not None and document.reason not in reasons:
        wrong.append(FieldError("/reason", f"use one of {', '.join(reasons)}"))
    if wrong:
        raise NotAcceptable(*wrong)
    return [remaining[code] for code in document.subjects] or list(remaining.values())
