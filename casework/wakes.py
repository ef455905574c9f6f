"""Leaving word for the timekeeper, in the transaction of the act that is its reason (architecture §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from models.base import new_id
from models.wake import Wake, WakeKind

_DEADLINE = "deadline"


def wake(session: Session, reference: str, due_at: datetime, kind: WakeKind = WakeKind.RUN, about: str = "") -> None:
    """Ask the timekeeper to do `kind` for a referral at `due_at` (hub time, aware UTC). Asking twice is asking once."""
    session.execute(insert(Wake).values(_row(reference, due_at, kind, about)).on_conflict_do_nothing())


def wake_for_each(session: Session, reference: str, planned: Mapping[WakeKind, datetime], about: str) -> None:
    """Ask the timekeeper to do each of these at its time, in one statement. Asking twice is asking once."""
    rows = [_row(reference, due_at, kind, about) for kind, due_at in planned.items()]
    session.execute(insert(Wake).on_conflict_do_nothing(), rows)


def wake_all(session: Session, references: Iterable[str], due_at: datetime, about: str = "") -> None:
    """Ask the timekeeper to run many referrals at `due_at`, in one statement. Asking twice is asking once."""
    rows = [_row(reference, due_at, WakeKind.RUN, about) for reference in references]
    if rows:
        session.execute(insert(Wake).on_conflict_do_nothing(), rows)


def _row(reference: str, due_at: datetime, kind: WakeKind, about: str) -> dict[str, Any]:
    return {"id": new_id(), "reference": reference, "kind": kind, "about": about, "due_at": due_at, "attempts": 0}


def wake_at_deadline(session: Session, reference: str, due_at: datetime) -> None:
    """The join happens when the last agency's time is up: keep one wake, at the latest due time, not one for each."""
    planned = [
        row.due_at for row in session.exec(select(Wake).where(Wake.reference == reference, Wake.about == _DEADLINE))
    ]
    if not planned or max(planned) < due_at:
        forget(session, reference, WakeKind.RUN, _DEADLINE)
        wake(session, reference, due_at, about=_DEADLINE)


def move_deadline(session: Session, reference: str, due_at: datetime | None) -> None:
    """A due time has moved, perhaps to an earlier time: the one wake goes to `due_at`; None when no clock is going."""
    forget_deadline(session, reference)
    if due_at is not None:
        wake(session, reference, due_at, about=_DEADLINE)


def forget_deadline(session: Session, reference: str) -> None:
    """The returns are joined, or no longer awaited: the deadline need wake nobody."""
    forget(session, reference, WakeKind.RUN, _DEADLINE)


def forget(session: Session, reference: str, kind: WakeKind, about: str = "") -> None:
    """Take back what no longer needs doing, such as the warning about a check that has been answered.

    A row that the timekeeper is about to fire is left to it: it holds the row and wants the referral, which the
    caller holds, and fired it finds nothing to do (F20).
    """
    mine = select(Wake.id).where(Wake.reference == reference, Wake.kind == kind, Wake.about == about)
    free = mine.with_for_update(skip_locked=True)
    session.execute(sa.delete(Wake).where(col(Wake.id).in_(free)))


def release(session: Session, reference: str) -> None:
    """A referral's run has come to rest: wakes that were held back because it was busy may go to the engine now."""
    session.execute(
        sa.update(Wake)
        .where(col(Wake.reference) == reference, col(Wake.hold_until).is_not(None))
        .values(hold_until=None)
    )
