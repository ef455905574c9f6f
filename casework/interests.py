"""A conflict of interest: whoever declares one loses the referral at once, and a colleague has its check (S-6)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from casework import ledger, referrals
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_agency
from casework.register import check_code
from casework.restriction_documents import InterestDocument
from models.restriction import InterestConflict
from notifications.messages import MessageName
from rules.permissions import Actor, Role, check_may_answer_for, check_may_run_process


def declare(session: Session, reference: str, document: InterestDocument, *, by: Actor, at: datetime) -> None:
    """From their next request on there is no such referral for this actor, restricted or not.

    An agency's check stays its own, on the clock that it has; whoever takes it over is told. Where nobody of the agency
    is left, the MASH team is. Raises NotFound for anybody else's check, NotPermitted, NotAcceptable.
    """
    _check_is_theirs(session, reference, by)
    check_code(document.ground, "interest_ground", "/ground")
    more = {"agency": by.agency} if by.agency else {}
    ledger.write(session, reference, Act.INTEREST_DECLARED, by=by, at=at, ground=document.ground, **more)
    made = InterestConflict(account_id=by.id, reference=reference, ground=document.ground, declared_at=at)
    session.add(made)
    session.flush()
    # Whoever declares it must not read it in a shared mailbox: the letter finds its way when it leaves.
    to = to_agency(by.agency) if by.agency else MASH_TEAM
    say(session, MessageName.INTEREST_DECLARED, to, at=at, reference=reference, occasion=by.id)


def _check_is_theirs(session: Session, reference: str, by: Actor) -> None:
    if by.role is Role.AGENCY:
        check_may_answer_for(by, by.agency or "")
        referrals.check_of(session, reference, by.agency or "")
    else:
        check_may_run_process(by)
    referrals.lock(session, reference)


def stepped_back(session: Session, reference: str, account_id: str) -> bool:
    """Whether somebody has declared a conflict of interest in a referral."""
    query = select(InterestConflict.id).where(
        InterestConflict.reference == reference, InterestConflict.account_id == account_id
    )
    return session.exec(query).first() is not None
