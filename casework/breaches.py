"""Noting many breaches at once: ten thousand due times may pass in one minute (F22, L6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import ledger
from casework.ledger import Act
from casework.notices import say_all, to_agency
from models.check import AgencyCheck
from models.referral import Referral
from models.wake import Wake
from notifications.messages import MessageName
from rules.permissions import HUB


def record_breaches(session: Session, rows: Sequence[Wake], *, at: datetime) -> int:
    """Do what these due BREACH wakes ask, and remove them, as `clock.fire` does for one of them (R23, INV5).

    The caller holds the rows. A referral that somebody is at work on is not waited for: its rows stay for the next
    turn. Returns how many rows were done. Raises whatever the database says of any of them: then none was done.
    """
    if not rows:
        return 0
    free = _lock(session, {row.reference for row in rows})
    mine = {(row.reference, row.about): row for row in rows if row.reference in free}
    found = session.exec(select(AgencyCheck).where(col(AgencyCheck.reference).in_(free))).all()
    overdue = [
        check
        for check in sorted(found, key=lambda check: (check.reference, check.agency))
        if (check.reference, check.agency) in mine
        if check.is_overdue(at) and check.breached_at is None
    ]
    for check in overdue:
        check.record_breach(at)
    ledger.write_all(session, [_entry(check) for check in overdue], Act.CHECK_BREACHED, by=HUB, at=at)
    told = [(check.reference, to_agency(check.agency)) for check in overdue]
    say_all(session, MessageName.CHECK_OVERDUE, told, at=at)
    session.execute(sa.delete(Wake).where(col(Wake.id).in_([row.id for row in mine.values()])))
    return len(mine)


def _entry(check: AgencyCheck) -> tuple[str, dict[str, str]]:
    return check.reference, {"agency": check.agency, "breached_at": check.due_at.isoformat()}


def _lock(session: Session, references: set[str]) -> set[str]:
    """Those of the referrals whose rows were free; they are held now, without a look at what is in them."""
    query = sa.select(col(Referral.reference)).where(col(Referral.reference).in_(references))
    locked = query.order_by(col(Referral.reference)).with_for_update(skip_locked=True)
    return set(session.execute(locked).scalars())
