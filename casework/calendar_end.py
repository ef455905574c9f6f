"""The bank holidays that somebody has looked up end some day, and whoever keeps the calendar is told in time (R21)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from casework.notices import MASH_ALARM, say
from models.profile import Profile
from notifications.messages import MessageName


def warn(session: Session, profile: Profile, *, at: datetime) -> str | None:
    """Tell the MASH's alarm that the known bank holidays end within a quarter: once for each end, however often asked.

    What to do about it, in a sentence for operators; None while there is nothing to do. `at` is aware UTC.
    """
    to_do = profile.missing_holidays(at.astimezone(profile.zone_info).date())
    if to_do:
        say(session, MessageName.CALENDAR_ENDS, MASH_ALARM, at=at, occasion=profile.hours.known_until.isoformat())
    return to_do
