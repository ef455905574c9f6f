"""How one agency's clock ran, told from the ledger's entries alone: why the answer was due then, and how late it was.

Pure: the entries, the calendar and the clock of the band are handed in. What is told is worked out from what was done,
never from a due time that somebody wrote down; the two must be the same (INV4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.calendar import OfficeCalendar
from rules.chain import Entry
from rules.clock import Clock, due_at, elapsed_words, explain, moment_words
from rules.clock_changes import Change, ChangeKind, open_time_between, recompute

#: Acts that end a clock, and how that is said.
_ENDS: Mapping[str, str] = {
    "CHECK_RETURNED": "Returned", "CHECK_DECLINED": "Declined", "CHECK_CANCELLED": "Cancelled",
    "CHECK_NOT_AWAITED": "No longer awaited from",
}  # fmt: skip
_CHANGES: Mapping[str, ChangeKind] = {
    "CLOCK_EXTENDED": ChangeKind.EXTENDED, "CLOCK_PAUSED": ChangeKind.PAUSED, "CLOCK_RESUMED": ChangeKind.RESUMED,
}  # fmt: skip
_ROLES: Mapping[str, str] = {
    "MASH_SUPPORT": "the MASH team", "DECISION_MAKER": "the MASH team", "AGENCY": "the agency", "HUB": "the hub",
    "DUTY_TEAM": "the duty team",
}  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """One thing done to a clock: by whom, in their role, and for which coded reason; empty where none was given."""

    change: Change
    role: str
    reason: str


@dataclass(frozen=True)
class ClockStory:
    """How one clock ran. Moments are aware UTC; `due_at` is worked out, `written_due_at` is what the ledger says."""

    asked_at: datetime
    clock: Clock
    first_due_at: datetime
    due_at: datetime
    written_due_at: datetime
    moved: tuple[Moved, ...]
    breached_at: datetime | None
    #: The act that ended it, and when; None while the agency is waited for.
    ended: str | None
    ended_at: datetime | None
    cause: str | None
    cause_role: str

    @property
    def paused_at(self) -> datetime | None:
        """Since when it stands still, if it does."""
        last = next((each.change for each in reversed(self.moved) if each.change.kind in _STANDING), None)
        return last.at if last and last.kind is ChangeKind.PAUSED else None

    def late(self, at: datetime, calendar: OfficeCalendar) -> tuple[timedelta, timedelta] | None:
        """How late in elapsed and in opening time, until it ended or until `at`; None when it is not."""
        until = self.ended_at or at
        answered = self.ended in {"CHECK_RETURNED", "CHECK_DECLINED"}
        if until <= self.due_at or self.paused_at or not (answered or self.breached_at or self.ended is None):
            return None
        return until - self.due_at, open_time_between(self.due_at, until, calendar)


_STANDING = frozenset({ChangeKind.PAUSED, ChangeKind.RESUMED})


def story(entries: Iterable[Entry], agency: str, clock: Clock, calendar: OfficeCalendar) -> ClockStory:
    """What a referral's entries say of one agency's clock, which is `clock`. Raises ValueError if it was not asked."""
    own = [entry for entry in entries if entry.detail.get("agency") == agency]
    asked = next((entry for entry in own if entry.act == "CHECK_REQUESTED"), None)
    if asked is None:
        raise ValueError(f"{agency} was not asked")
    asked_at = _moment(asked.at)
    first = due_at(asked_at, clock, calendar)
    moved = tuple(_moved(entry) for entry in own if entry.act in _CHANGES)
    ended = next((entry for entry in reversed(own) if _ends(entry)), None)
    breached = next((entry for entry in own if entry.act == "CHECK_BREACHED"), None)
    cause = next((entry for entry in reversed(own) if entry.act == "CAUSE_RECORDED"), None)
    written = [_moment(entry.detail["due_at"]) for entry in own if _says_when_due(entry)]
    return ClockStory(
        asked_at=asked_at,
        clock=clock,
        first_due_at=first,
        due_at=recompute(first, clock.policy, calendar, [each.change for each in moved]),
        written_due_at=written[-1],
        moved=moved,
        breached_at=_moment(breached.detail["breached_at"]) if breached else None,
        ended=ended.act if ended else None,
        ended_at=_moment(ended.at) if ended else None,
        cause=cause.detail["cause"] if cause else None,
        cause_role=cause.detail.get("role", "") if cause else "",
    )


def in_words(
    told: ClockStory,
    calendar: OfficeCalendar,
    at: datetime,
    *,
    reasons: Mapping[str, str],
    causes: Mapping[str, str],
) -> list[str]:
    """The story in plain sentences, local times, as it stands at `at`: from when it was asked to how late it is.

    `reasons` and `causes` are the labels of the code sets clock_reason and breach_cause.
    """
    sentences = explain(told.asked_at, told.clock, calendar)
    sentences += _changes(told, calendar, at, reasons)
    if told.moved and not told.paused_at:
        sentences.append(f"Due {moment_words(told.due_at, calendar)}.")
    sentences.append(_end(told, calendar, at))
    if told.cause:
        by = f", says {_who(told.cause_role)}" if told.cause_role else ""
        sentences.append(f"Cause of the breach{by}: {causes.get(told.cause, told.cause)} ({told.cause}).")
    return sentences


def length_words(length: timedelta) -> str:
    """A length of time in hours and minutes, rounded down, such as "15 h 55 min"."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min"


def _changes(told: ClockStory, calendar: OfficeCalendar, at: datetime, reasons: Mapping[str, str]) -> list[str]:
    sentences, since = [], None
    for each in told.moved:
        when = moment_words(each.change.at, calendar)
        why = f" ({reasons.get(each.reason, each.reason)}, {each.reason})" if each.reason else ""
        if each.change.kind is ChangeKind.EXTENDED and each.change.until:
            until = moment_words(each.change.until, calendar)
            sentences.append(f"Extended {when} by {_who(each.role)} until {until}{why}.")
        elif each.change.kind is ChangeKind.PAUSED:
            since = each
        elif since is not None:
            lasted = elapsed_words(each.change.at - since.change.at)
            sentences.append(_paused(since, calendar, reasons, f" for {lasted}, until {_who(each.role)} let it go on"))
            since = None
    if since is not None:
        lasted = elapsed_words(max(at - since.change.at, timedelta()))
        sentences.append(_paused(since, calendar, reasons, f": it has stood still for {lasted}"))
    return sentences


def _paused(since: Moved, calendar: OfficeCalendar, reasons: Mapping[str, str], lasted: str) -> str:
    why = f" ({reasons.get(since.reason, since.reason)}, {since.reason})" if since.reason else ""
    return f"Paused {moment_words(since.change.at, calendar)} by {_who(since.role)}{why}{lasted}."


def _end(told: ClockStory, calendar: OfficeCalendar, at: datetime) -> str:
    late = told.late(at, calendar)
    lateness = f"{length_words(late[0])} late in elapsed time, {length_words(late[1])} in office time" if late else ""
    if told.ended is None or told.ended_at is None:
        return f"Not answered by {moment_words(at, calendar)}{f': {lateness}' if lateness else ''}."
    ended = f"{_ENDS[told.ended]} {moment_words(told.ended_at, calendar)}"
    if lateness:
        return f"{ended}: {lateness}."
    return f"{ended}{': in time' if told.ended in {'CHECK_RETURNED', 'CHECK_DECLINED'} else ''}."


def _moved(entry: Entry) -> Moved:
    until = _moment(entry.detail["due_at"]) if entry.act == "CLOCK_EXTENDED" else None
    change = Change(_CHANGES[entry.act], _moment(entry.at), until)
    return Moved(change, entry.detail.get("role", ""), entry.detail.get("reason", ""))


def _ends(entry: Entry) -> bool:
    """A second version of a return ends nothing any more."""
    return entry.act in _ENDS and entry.detail.get("version", 1) == 1


def _says_when_due(entry: Entry) -> bool:
    return entry.act in {"CHECK_REQUESTED", "CLOCK_EXTENDED", "CLOCK_RESUMED"}


def _who(role: str) -> str:
    """A role in words. Entries of before roles were written into them say nothing of it."""
    return _ROLES.get(role, "somebody")


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
