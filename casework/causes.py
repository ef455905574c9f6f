"""Why a check breached, as a person says: the MASH team, or the manager of its agency (requirements §4.9, R25)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from casework import ledger, referrals
from casework.documents import CauseDocument
from casework.ledger import Act
from casework.register import codes_of
from models.check import AgencyCheck
from models.referral import Referral
from rules.errors import FieldError, NotAcceptable, NotPermitted, WrongStage
from rules.permissions import Actor, Role, check_may_answer_for, check_may_run_process


def record_cause(
    session: Session, reference: str, agency: str, document: CauseDocument, *, by: Actor, at: datetime
) -> None:
    """Write down the cause of a breach, of the code set breach_cause; what is said later stands instead.

    Raises NotFound for another agency's check, NotPermitted for its people who are not its manager, WrongStage for a
    check that never breached, and NotAcceptable.
    """
    referral, check = _breached(session, reference, agency, by)
    causes = codes_of(session, referral, "breach_cause")
    if document.cause not in causes:
        raise NotAcceptable(FieldError("/cause", f"use one of {', '.join(causes)}"))
    check.breach_cause, check.cause_given_at, check.cause_given_by = document.cause, at, by.id
    ledger.write(
        session, reference, Act.CAUSE_RECORDED, by=by, at=at, agency=agency, cause=document.cause, role=by.role
    )


def _breached(session: Session, reference: str, agency: str, by: Actor) -> tuple[Referral, AgencyCheck]:
    if by.role is not Role.AGENCY:
        check_may_run_process(by)
    else:
        check_may_answer_for(by, agency)
    referral, check = referrals.lock_with_check(session, reference, agency)
    if by.role is Role.AGENCY and not by.manages_colleagues:
        raise NotPermitted("only your agency's manager says why it was late")
    if check.breached_at is None:
        raise WrongStage(f"check {reference}/{agency} was never overdue: there is no breach to explain")
    return referral, check
