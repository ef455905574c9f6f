"""What the hub's own clock does: it warns, notes a breach, chases and escalates. It never decides (R23, R36)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from casework import discussion, ledger, legal_gate, outcome, referrals
from casework.checks import record_breach
from casework.ledger import Act
from casework.notices import say, to_agency
from models.wake import Wake, WakeKind
from notifications.messages import MessageName
from rules.permissions import HUB
from rules.stages import OPEN_CHECKS


def fire(session: Session, wake: Wake, *, at: datetime) -> None:
    """Do what a due wake row of the clock asks, and remove the row: both in one transaction, so exactly once (R23)."""
    kind, reference, about = wake.kind, wake.reference, wake.about
    # First, since what is done may take the row back, or ask for another.
    session.delete(wake)
    session.flush()
    match kind:
        case WakeKind.WARN:
            warn(session, reference, about, at=at)
        case WakeKind.BREACH:
            referrals.lock(session, reference)
            record_breach(session, referrals.check_of(session, reference, about), at=at)
        case WakeKind.CHASE_ACK:
            outcome.chase(session, reference, about, at=at)
        case WakeKind.CHASE_BASIS:
            legal_gate.chase(session, reference, at=at)
        case WakeKind.TRY_GATE:
            legal_gate.try_again(session, reference, at=at)
        case WakeKind.ESCALATE_DISSENT:
            discussion.escalate_dissent(session, reference, at=at)
        case WakeKind.RUN:
            raise ValueError("a run is woken through the engine, not by the clock")


def warn(session: Session, reference: str, agency: str, *, at: datetime) -> None:
    """Tell an agency, once, that its check is due soon. Not when it is answered, or overdue already."""
    referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    if check.status not in OPEN_CHECKS or check.warned_at is not None or check.paused_at or at > check.due_at:
        return
    check.warned_at = at
    ledger.write(session, reference, Act.CHECK_WARNED, by=HUB, at=at, agency=agency)
    # A due time that was moved is warned of anew.
    occasion = check.due_at.isoformat()
    say(session, MessageName.CHECK_DUE_SOON, to_agency(agency), at=at, reference=reference, occasion=occasion)
