"""Holding the hub's clock still while trying it out: at a working hour, or at tomorrow's deadline."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg

from engine.databases import plain
from rules.errors import Refused

_AS_WRITTEN = "%d %b %Y %H:%M"


def hold(owner_url: str, words: str, zone: ZoneInfo) -> datetime:
    """Hold the hub's time at a local moment such as `Mon 16 Mar 2026 10:00`; gives it as aware UTC.

    `owner_url` is the record as the owner of its tables: nobody else may. Raises Refused for words that are no such
    moment, or name the wrong weekday.
    """
    moment = _moment(words, zone)
    with _record(owner_url) as record:
        record.execute(
            "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = excluded.now",
            (moment,),
        )
    return moment


def release(owner_url: str) -> None:
    """Let real time in again."""
    with _record(owner_url) as record:
        record.execute("DELETE FROM scenario_clock")


def _moment(words: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.strptime(words[4:], _AS_WRITTEN).replace(tzinfo=zone)
    except ValueError:
        raise Refused(f"«{words}» is not a moment written like «Mon 16 Mar 2026 10:00»") from None
    if not moment.strftime("%a %d %b").startswith(words[:3]):
        raise Refused(f"«{words}»: that day is a {moment:%A}")
    return moment.astimezone(UTC)


def _record(owner_url: str) -> psycopg.Connection:
    return psycopg.connect(plain(owner_url), autocommit=True)
