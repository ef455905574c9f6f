"""Leaving word for the timekeeper, in the transaction of the act that is its reason (architecture §2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from models.base import new_id
from models.wake import Wake, WakeKind


def wake(session: Session, reference: str, due_at: datetime, kind: WakeKind = WakeKind.RUN, about: str = "") -> None:
    """Ask the timekeeper to do `kind` for a referral at `due_at` (hub time, aware UTC). Asking twice is asking once."""
    row = {
        "id": new_id(), "reference": reference, "kind": kind, "about": about, "due_at": due_at, "attempts": 0,
    }  # fmt: skip
    session.execute(insert(Wake).values(row).on_conflict_do_nothing())


def forget(session: Session, reference: str, kind: WakeKind, about: str = "") -> None:
    """Take back what no longer needs doing, such as the warning about a check that has been answered."""
    session.execute(
        sa.delete(Wake).where(col(Wake.reference) == reference, col(Wake.kind) == kind, col(Wake.about) == about)
    )


def release(session: Session, reference: str) -> None:
    """A referral's run has come to rest: wakes that were held back because it was busy may go to the engine now."""
    session.execute(
        sa.update(Wake)
        .where(col(Wake.reference) == reference, col(Wake.hold_until).is_not(None))
        .values(hold_until=None)
    )
