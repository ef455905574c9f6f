"""The clock's own acts: warnings, breaches, chases, escalations. Each exactly once, however many copies keep time."""

from __future__ import annotations

import logging
import random
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import clock
from casework.breaches import record_breaches
from casework.db import now, unit_of_work
from engine.trouble import kind_of_error
from models.wake import Wake, WakeKind
from rules.errors import Refused, Unavailable

log = logging.getLogger("mash.timekeeper")

#: How many referrals are looked up at once; each is then done in a transaction of its own.
BATCH = 200
#: No wake is ever held back for longer: what is held further ahead was held by a clock that has been set back.
LONGEST_HOLD = sa.text("interval '15 minutes'")
HOLD_WHEN_STUCK = sa.text("interval '10 minutes'")
REAL_NOW = sa.func.clock_timestamp()

#: The clock's own wakes; the others are the engine's.
IS_THE_CLOCKS = col(Wake.kind) != WakeKind.RUN
#: How many breaches are noted in one transaction.
MANY = 500

_chance = random.SystemRandom()


def not_held() -> sa.ColumnElement[bool]:
    """For a query on wakes: nothing holds the row back at this moment of the database's clock."""
    until = col(Wake.hold_until)
    return until.is_(None) | (until <= REAL_NOW) | (until > REAL_NOW + LONGEST_HOLD)


def keep_clock(session: Session, at: datetime, *, reference: str | None = None, most: int = 1) -> int:
    """Do up to `most` due acts of the clock, of one referral or of any, in this transaction; say how many there were.

    `at` is hub time, aware UTC. A row that another copy is at work on is left to it. Raises Unavailable.
    """
    query = select(Wake).where(*_due(at)).order_by(col(Wake.due_at), col(Wake.id)).limit(most)
    if reference is not None:
        query = query.where(col(Wake.reference) == reference)
    rows = session.exec(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        _fire(session, row, at)
    return len(rows)


def keep_time() -> int:
    """Do what is due now; say how many acts that were, 0 when nothing is due.

    Breaches go by the hundred. Whatever they leave, and everything else, goes referral by referral, each in its own
    transaction: one referral's trouble is its own, and the others' deadlines are noted all the same.
    """
    return _note_breaches() or _each_by_itself()


def _note_breaches() -> int:
    try:
        with unit_of_work() as session:
            at = now(session)
            due = select(Wake).where(*_due(at), col(Wake.kind) == WakeKind.BREACH)
            rows = session.exec(due.order_by(col(Wake.due_at)).limit(MANY).with_for_update(skip_locked=True)).all()
            return record_breaches(session, rows, at=at)
    except Unavailable:
        raise
    except Exception:
        log.error("breaches are noted one by one: %s", kind_of_error())
        return 0


def _each_by_itself() -> int:
    with unit_of_work() as session:
        at = now(session)
        due = sa.select(col(Wake.reference)).where(*_due(at)).group_by(col(Wake.reference))
        references = list(session.execute(due.order_by(sa.func.min(col(Wake.due_at))).limit(BATCH)).scalars())
    # Several copies see the same list: each begins elsewhere, so that they do not queue behind each other.
    start = _chance.randrange(len(references)) if references else 0
    return sum(_keep_time_of(reference, at) for reference in references[start:] + references[:start])


def _keep_time_of(reference: str, at: datetime) -> int:
    try:
        with unit_of_work() as session:
            return keep_clock(session, at, reference=reference, most=BATCH)
    except Unavailable:
        raise
    except Exception:
        log.error("%s: its deadlines are held back: %s", reference, kind_of_error())
        with unit_of_work() as session:
            _hold(session, *_due(at), col(Wake.reference) == reference)
        return 0


def _due(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return IS_THE_CLOCKS, col(Wake.due_at) <= at, not_held()


def _fire(session: Session, row: Wake, at: datetime) -> None:
    try:
        with session.begin_nested():
            clock.fire(session, row, at=at)
    except Refused as refusal:
        # What it was to do is no longer possible, and never will be: the reason goes to the log, not the row's ghost.
        log.warning("wake %s of %s dropped: %s", row.kind, row.reference, refusal)
        session.delete(row)
    except Unavailable:
        raise
    except Exception:
        # One bad row must not stop every clock in the hub. Only the kind is logged: the text may hold content.
        log.error("wake %s of %s held back: %s", row.kind, row.reference, kind_of_error())
        _hold(session, col(Wake.id) == row.id)


def _hold(session: Session, *which: sa.ColumnElement[bool]) -> None:
    session.execute(
        sa.update(Wake)
        .where(*which)
        .values(hold_until=REAL_NOW + HOLD_WHEN_STUCK)
        .execution_options(synchronize_session=False)
    )
