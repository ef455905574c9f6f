"""What operations staff are told when something is wrong with the hub itself, and when (issue 7, point 2).

Codes and places in the run-books alone: which referrals are meant, `mash engine status` says to whoever may ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RUN_BOOKS = "docs/run-books.md"
#: What nobody looked at for so long counts as begun anew: the hub itself may have been shut down meanwhile.
UNSEEN = timedelta(minutes=3)
#: A run that ended by itself within this time is news.
CRASHED_WITHIN = timedelta(minutes=15)
#: How long a run that should have started may be behind.
LATE_AFTER = timedelta(minutes=5)
#: More deadlines than this missed within an hour are no matter of one agency's day.
BURST, BURST_WITHIN = 10, timedelta(hours=1)
#: How old a letter may be that reached nobody and is still news.
UNDELIVERED_WITHIN = timedelta(days=1)


class Alarm(StrEnum):
    """One for each thing that operations staff are told of."""

    ENGINE_AWAY = "ENGINE_AWAY"
    NO_WORKER = "NO_WORKER"
    RUN_CRASHED = "RUN_CRASHED"
    RUN_LATE = "RUN_LATE"
    WAITS_FOR_OPERATOR = "WAITS_FOR_OPERATOR"
    LETTER_UNDELIVERED = "LETTER_UNDELIVERED"
    BREACH_BURST = "BREACH_BURST"

    @property
    def run_book(self) -> str:
        """The place in the run-books that says what to do."""
        return f"{RUN_BOOKS}#{KINDS[self].section}"


@dataclass(frozen=True)
class Kind:
    """How an alarm is told: in which sentence, once it has stood for how long, and again after how long."""

    says: str
    section: str
    after: timedelta
    again: timedelta


_AT_ONCE, _SOON = timedelta(0), timedelta(minutes=5)
_SHIFT, _DAY = timedelta(hours=4), timedelta(days=1)

KINDS: Mapping[Alarm, Kind] = {
    Alarm.ENGINE_AWAY: Kind(
        "The Prefect server does not answer. Referrals are taken, and wait.",
        "the-engine-does-not-answer", _SOON, _SHIFT,
    ),
    Alarm.NO_WORKER: Kind(
        "No worker polls the hub's work pool. Referrals are taken, and wait.", "no-worker-polls", _SOON, _SHIFT
    ),
    Alarm.RUN_CRASHED: Kind(
        "A run ended that should not have ended. Another one has taken over, or is about to.",
        "a-run-crashed", _AT_ONCE, _SHIFT,
    ),
    Alarm.RUN_LATE: Kind(
        "Runs should have started minutes ago, and have not.", "runs-are-late", _AT_ONCE, _SHIFT
    ),
    Alarm.WAITS_FOR_OPERATOR: Kind(
        "Referrals wait for an operator, and do not move before one acts.",
        "referrals-wait-for-an-operator", _AT_ONCE, _SHIFT,
    ),
    Alarm.LETTER_UNDELIVERED: Kind(
        "A letter reached nobody by any channel.", "a-letter-reached-nobody", _AT_ONCE, _DAY
    ),
    Alarm.BREACH_BURST: Kind(
        "Many agency checks became overdue within an hour.", "many-checks-are-overdue", _AT_ONCE, _DAY
    ),
}  # fmt: skip


def since(before: datetime | None, seen_at: datetime | None, at: datetime) -> datetime:
    """Since when an alarm that stands at `at` counts as standing, given since when it did and when it was last seen."""
    if before is None or seen_at is None or not timedelta(0) <= at - seen_at <= UNSEEN:
        return at
    return before


def is_to_be_told(alarm: Alarm, stands_since: datetime, told_at: datetime | None, at: datetime) -> bool:
    """Whether operations staff are to be told now of an alarm that stands: once, and again while it lasts."""
    kind = KINDS[alarm]
    if told_at is None:
        return at - stands_since >= kind.after
    # A clock that was set back does not silence it.
    return not timedelta(0) <= at - told_at < kind.again
