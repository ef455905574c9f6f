"""What is wrong with the hub itself, and telling operations staff of it: codes alone, never a referral (R73)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import upkeep
from casework.hold_ups import Why, hold_ups
from casework.notices import OPERATIONS, say
from models.alarm import RaisedAlarm
from models.check import AgencyCheck
from models.referral import Referral
from rules.alarms import BURST, BURST_WITHIN, UNDELIVERED_WITHIN, Alarm, is_to_be_told, since
from rules.stages import Stage

_OPERATORS = {Why.NOT_CARRIED, Why.STOPPED_BY_OPERATOR}


def seen_in_record(session: Session, at: datetime) -> dict[Alarm, bool]:
    """Which alarms the record alone gives reason for. `at` is the hub's time."""
    return {
        Alarm.WAITS_FOR_OPERATOR: any(each.why in _OPERATORS for each in hold_ups(session)),
        Alarm.LETTER_UNDELIVERED: upkeep.undelivered(session, UNDELIVERED_WITHIN) > 0,
        Alarm.BREACH_BURST: _missed_lately(session, at) > BURST,
    }


def _missed_lately(session: Session, at: datetime) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(AgencyCheck)
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(col(Referral.stage) != Stage.CLOSED, col(AgencyCheck.breached_at) > at - BURST_WITHIN)
    )
    missed: int = session.execute(query).scalar_one()
    return missed


def keep(session: Session, seen: Mapping[Alarm, bool], *, at: datetime, real_now: datetime) -> list[Alarm]:
    """Note which alarms stand, and write to operations staff of those that it is time to tell. Which these were.

    One that is not in `seen` could not be looked at, and stays as it is. `at` is the hub's time, `real_now` real.
    """
    known = {row.code: row for row in session.exec(select(RaisedAlarm))}
    told = []
    for alarm, stands in seen.items():
        row = known.get(alarm)
        if not stands:
            if row is not None:
                session.delete(row)
            continue
        row = row or RaisedAlarm(code=alarm, since=real_now, seen_at=real_now)
        begun = since(row.since, row.seen_at, real_now)
        if begun != row.since:
            row.told_at = None
        row.since, row.seen_at = begun, real_now
        if is_to_be_told(alarm, row.since, row.told_at, real_now):
            say(session, alarm, OPERATIONS, at=at, occasion=real_now.isoformat())
            row.told_at = real_now
            told.append(alarm)
        session.add(row)
    return told


def standing(session: Session) -> dict[Alarm, datetime]:
    """The alarms that stood when a timekeeper last looked, each with since when (real time), the longest first."""
    rows = session.exec(select(RaisedAlarm).order_by(col(RaisedAlarm.since), col(RaisedAlarm.code)))
    return {Alarm(row.code): row.since for row in rows}
