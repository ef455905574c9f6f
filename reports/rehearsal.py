"""A past period under another profile's clocks, beside what was: which checks would have breached (issue 6, point 7).

Worked out from the ledger alone, of which nothing is touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from models.ledger import LedgerEntry
from models.profile import Profile
from models.referral import Referral
from rules.clock_changes import Change, ChangeKind
from rules.rehearsal import would_breach

_ENDS = ("CHECK_RETURNED", "CHECK_DECLINED", "CHECK_CANCELLED", "CHECK_NOT_AWAITED")
_CHANGES = {
    "CLOCK_EXTENDED": ChangeKind.EXTENDED, "CLOCK_PAUSED": ChangeKind.PAUSED, "CLOCK_RESUMED": ChangeKind.RESUMED,
}  # fmt: skip
_ACTS = ("CHECK_REQUESTED", "CHECK_BREACHED", *_ENDS, *_CHANGES)


class Compared(NamedTuple):
    """The checks of one agency, as they were and as they would have been."""

    agency: str
    asked: int
    breached: int
    would_breach: int
    #: Of those that breached, how many would not have; and how many that did not would have.
    no_more: int
    newly: int


@dataclass
class _Clock:
    band: str
    asked_at: datetime
    changes: list[Change] = field(default_factory=list)
    waited_until: datetime | None = None
    breached: bool = False


def rehearse(session: Session, first: date, last: date, profile: Profile, now: datetime) -> list[Compared]:
    """The checks asked on these local days under the clocks and the calendar of `profile`, by agency.

    A band that `profile` has not runs on its default band's clock. The reader must be the hub itself: it counts all.
    """
    clocks = {band.code: band.clock() for band in profile.clocks.bands}
    usual, calendar = clocks[profile.clocks.default_band], profile.calendar()
    counts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for agency, each in _asked(session, first, last, profile):
        waited_until = each.waited_until or now
        clock = clocks.get(each.band, usual)
        would = would_breach(each.asked_at, each.changes, waited_until, clock, calendar)
        counts[agency].append((each.breached, would))
    return [_compared(agency, found) for agency, found in sorted(counts.items())]


def in_all(compared: Iterable[Compared]) -> Compared:
    """All agencies together."""
    total = [0] * (len(Compared._fields) - 1)
    for row in compared:
        total = [a + b for a, b in zip(total, row[1:], strict=True)]
    return Compared("", *total)


def _asked(session: Session, first: date, last: date, profile: Profile) -> Iterator[tuple[str, _Clock]]:
    zone = profile.zone_info
    begin, end = (datetime.combine(day, datetime.min.time(), zone) for day in (first, last + timedelta(days=1)))
    found: dict[tuple[str, str], _Clock] = {}
    for entry in _entries(session, begin, end):
        key = (entry.reference, entry.detail["agency"])
        if entry.act == "CHECK_REQUESTED":
            found[key] = _Clock(entry.detail.get("band", entry.urgency), entry.at)
        elif clock := found.get(key):
            _note(clock, entry.act, entry.at, entry.detail)
    for (_, agency), clock in found.items():
        if begin <= clock.asked_at < end:
            yield agency, clock


def _note(clock: _Clock, act: str, at: datetime, detail: dict[str, Any]) -> None:
    if act == "CHECK_BREACHED":
        clock.breached = True
    elif act in _ENDS:
        clock.waited_until = clock.waited_until or at
    elif clock.waited_until is None:
        until = datetime.fromisoformat(detail["due_at"]) if act == "CLOCK_EXTENDED" else None
        clock.changes.append(Change(_CHANGES[act], at, until))


def _entries(session: Session, begin: datetime, end: datetime) -> sa.Result[Any]:
    """Of referrals with a check that was asked then: all that was done to their clocks, in order."""
    entry = LedgerEntry
    asked_then = sa.select(col(entry.reference)).where(
        col(entry.act) == "CHECK_REQUESTED", col(entry.at) >= begin, col(entry.at) < end
    )
    query = (
        sa.select(col(entry.reference), col(Referral.urgency), col(entry.act), col(entry.at), col(entry.detail))
        .join(Referral, col(Referral.reference) == col(entry.reference))
        .where(col(entry.act).in_(_ACTS), col(entry.reference).in_(asked_then))
        .order_by(col(entry.reference), col(entry.number))
    )
    return session.execute(query)


def _compared(agency: str, found: list[tuple[bool, bool]]) -> Compared:
    return Compared(
        agency, len(found), sum(was for was, _ in found), sum(would for _, would in found),
        sum(was and not would for was, would in found), sum(would and not was for was, would in found),
    )  # fmt: skip
