"""A legal hold: nothing of a referral is erased until a named person lifts it again (R51, S-27)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.documents import HoldDocument, LiftDocument
from casework.ledger import Act
from models.retention import LegalHold
from rules.errors import Conflict, NotFound
from rules.permissions import Actor
from rules.retention import check_may_hold


def set_hold(session: Session, document: HoldDocument, *, by: Actor, at: datetime) -> UUID:
    """Hold a referral back from erasure; the id of the hold. Raises NotPermitted, NotFound, and Conflict for a second.

    The referral's row lock makes sure that it is held, or erased already, and nothing between.
    """
    check_may_hold(by)
    referrals.lock(session, document.reference)
    if _open(session, document.reference) is not None:
        raise Conflict("this referral is held already")
    hold = LegalHold(reference=document.reference, because=document.reason, set_at=at, set_by=by.id)
    session.add(hold)
    ledger.write(session, document.reference, Act.HOLD_SET, by=by, at=at, content={"because": document.reason})
    return hold.id


def lift(session: Session, hold_id: UUID, document: LiftDocument, *, by: Actor, at: datetime) -> None:
    """Let the schedule have its way again. Raises NotPermitted, NotFound, and Conflict when it was lifted already."""
    hold = one(session, hold_id, by=by, at=at)
    referrals.lock(session, hold.reference)
    session.refresh(hold)
    if hold.lifted_at is not None:
        raise Conflict("this hold was lifted already")
    hold.lifted_because, hold.lifted_at, hold.lifted_by = document.reason, at, by.id
    session.add(hold)
    ledger.write(session, hold.reference, Act.HOLD_LIFTED, by=by, at=at, content={"because": document.reason})


def one(session: Session, hold_id: UUID, *, by: Actor, at: datetime) -> LegalHold:
    """One hold, with its reason. Raises NotPermitted, NotFound."""
    check_may_hold(by)
    if found := session.get(LegalHold, hold_id):
        return found
    raise NotFound("there is no such hold")


def standing(session: Session) -> list[LegalHold]:
    """The holds that nobody has lifted, newest first."""
    query = select(LegalHold).where(col(LegalHold.lifted_at).is_(None)).order_by(col(LegalHold.set_at).desc())
    return list(session.exec(query))


def is_held(session: Session, reference: str) -> bool:
    """Whether a referral is held back from erasure."""
    return _open(session, reference) is not None


def _open(session: Session, reference: str) -> LegalHold | None:
    query = select(LegalHold).where(LegalHold.reference == reference, col(LegalHold.lifted_at).is_(None))
    return session.exec(query).first()
