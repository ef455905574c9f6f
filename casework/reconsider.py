"""Information that comes after the decision: the decision stays as it is, and a person says whether it stands (R24)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.ledger import Act
from casework.notices import MASH_TEAM, say
from models.base import new_id
from models.check import AgencyCheck
from models.decision import Reconsideration
from models.referral import Referral
from notifications.messages import MessageName
from rules.errors import WrongStage
from rules.permissions import HUB, Actor, check_may_decide
from rules.stages import Stage

STANDS = "STANDS"
CHANGED = "CHANGED"


def open_reconsideration(session: Session, referral: Referral, check: AgencyCheck, *, at: datetime) -> None:
    """Ask the decision makers to look again. The caller holds the referral's row."""
    row = Reconsideration(id=new_id(), reference=referral.reference, check_id=check.id, opened_at=at)
    session.add(row)
    ledger.write(session, referral.reference, Act.RECONSIDER_OPENED, by=HUB, at=at, agency=check.agency)
    say(session, MessageName.RECONSIDER_WANTED, MASH_TEAM, at=at, reference=referral.reference, occasion=str(row.id))


def open_ones(session: Session, reference: str) -> list[Reconsideration]:
    """What still waits for somebody to look again, oldest first."""
    query = (
        select(Reconsideration)
        .where(Reconsideration.reference == reference, col(Reconsideration.settled_at).is_(None))
        .order_by(col(Reconsideration.opened_at))
    )
    return list(session.exec(query))


def let_stand(session: Session, reference: str, reason: str, *, by: Actor, at: datetime) -> None:
    """The decision stands although something came after it. Raises WrongStage when nothing was to be reconsidered."""
    check_may_decide(by)
    referrals.lock(session, reference)
    settle(session, reference, STANDS, reason, by=by, at=at)


def check_can_be_decided(session: Session, referral: Referral) -> bool:
    """Whether this decision settles what was to be reconsidered. Raises WrongStage when none is called for."""
    again = bool(open_ones(session, referral.reference))
    settled = referral.stage in (Stage.AWAITING_ACK, Stage.CLOSED) and referral.decided_at is not None
    if referral.stage is Stage.AWAITING_DECISION or (settled and again):
        return again
    raise WrongStage(f"referral {referral.reference} is {referral.stage}: there is nothing to decide")


def settle(session: Session, reference: str, conclusion: str, reason: str, *, by: Actor, at: datetime) -> None:
    """Close every open reconsideration with one conclusion. Raises WrongStage when there is none."""
    waiting = open_ones(session, reference)
    if not waiting:
        raise WrongStage(f"referral {reference} has nothing to reconsider")
    for row in waiting:
        row.settled_at, row.settled_by, row.conclusion, row.reason = at, by.id, conclusion, reason
        ledger.write(
            session, reference, Act.RECONSIDER_SETTLED, by=by, at=at, content={"reason": reason}, conclusion=conclusion
        )
