"""Keeping the figures up: the referrals that changed are worked out anew, and the office's days are told to the record.

The record works the figures out itself (migration 0031); the application may only say when.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models.agency import AreaProfile
from models.profile import Profile

#: How many referrals are worked out in one transaction.
AT_ONCE = 2_000
#: How many years before and after the known bank holidays opening time can still be counted.
YEARS_BEFORE, YEARS_AFTER = 10, 2


def refresh(session: Session, most: int = AT_ONCE) -> int:
    """Work out anew what changed since, of at most so many referrals, and say of how many; 0 when all is done.

    While another copy is at it, nothing is done.
    """
    keep_offices(session)
    done: int = session.execute(sa.text("SELECT reports.refresh(:most)"), {"most": most}).scalar_one()
    return done


def rebuild(session: Session) -> None:
    """Work out everything anew, from the record as it stands."""
    keep_offices(session)
    session.execute(sa.text("SELECT reports.rebuild()"))


def keep_offices(session: Session) -> None:
    """Tell the record the opening days of every version of the profile that it does not know yet (R21)."""
    known = dict(session.execute(sa.text("SELECT profile_version, digest FROM reports.office")).all())
    for version, digest in session.exec(select(AreaProfile.version, AreaProfile.digest)).all():
        if known.get(version) != digest:
            content = session.exec(select(AreaProfile.content).where(col(AreaProfile.version) == version)).one()
            keep_office(session, version, digest, Profile.model_validate_json(json.dumps(content)))


def keep_office(session: Session, version: str, digest: str, profile: Profile) -> None:
    """Tell the record the opening days of one profile, under a version and its digest."""
    given = {"version": version, "digest": digest, "zone": profile.area.zone, "days": json.dumps(office_days(profile))}
    session.execute(sa.text("SELECT reports.keep_office(:version, :digest, :zone, CAST(:days AS jsonb))"), given)


def office_days(profile: Profile) -> list[dict[str, Any]]:
    """Every day of the years in which opening time is counted, with its opening hours, if it has any."""
    calendar, holidays = profile.calendar(), profile.hours.bank_holidays
    day, last = date(holidays.first_year - YEARS_BEFORE, 1, 1), date(holidays.last_year + YEARS_AFTER, 12, 31)
    days = []
    while day <= last:
        span = calendar.span_on(day)
        opens, closes = (each.isoformat() for each in span) if span else (None, None)
        days.append({"day": day.isoformat(), "opens": opens, "closes": closes})
        day += timedelta(days=1)
    return days
