"""A clock's story, worked out from the ledger's entries, is what was written down; and it says why in plain words.

`python -m tests.rules.test_clock_story` tries 10,000 generated clocks instead of some hundreds, and says how many of
them ran over each kind of odd day.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest
from holidays import country_holidays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.calendar import OfficeCalendar
from rules.chain import Entry
from rules.clock import Clock, ClockPolicy
from rules.clock_story import in_words, length_words, story
from tests.rules.london import LONDON, OFFICE, london

MINUTE = timedelta(minutes=1)
REASONS = {"QUESTION_OPEN": "A question has to be answered first", "MORE_TO_SEARCH": "There is more to search"}
CAUSES = {"QUESTION_UNCLEAR": "The question was unclear"}
YEARS = range(2021, 2029)


def entry(act: str, at: datetime, **detail: Any) -> Entry:
    """An entry of the ledger about the police's check, as the hub writes it."""
    written = at.isoformat(timespec="microseconds")
    return Entry("7KQ2-XW9S", 1, written, "support", act, {"agency": "POLICE", **detail}, "", "", "")


def asked(at: datetime, due: datetime) -> Entry:
    return entry("CHECK_REQUESTED", at, due_at=due.isoformat(), band="STANDARD")


def test_the_story_of_a_late_return_is_told_as_a_person_would_tell_it():
    """R21, R25, issue 6: every change with its reason and by whom, and both ways of being late"""
    hub = [
        asked(london("Fri 13 Mar 2026 16:30"), london("Mon 16 Mar 2026 16:30")),
        entry("CLOCK_PAUSED", london("Mon 16 Mar 2026 10:00"), reason="QUESTION_OPEN", role="MASH_SUPPORT"),
        entry(
            "CLOCK_RESUMED", london("Mon 16 Mar 2026 10:40"), role="DECISION_MAKER",
            due_at=london("Tue 17 Mar 2026 08:40").isoformat(),
        ),
        entry(
            "CHECK_BREACHED", london("Tue 17 Mar 2026 08:41"), breached_at=london("Tue 17 Mar 2026 08:40").isoformat()
        ),
        entry("CHECK_RETURNED", london("Wed 18 Mar 2026 09:05"), version=1, late_ms=1),
        entry("CHECK_RETURNED", london("Thu 19 Mar 2026 09:05"), version=2),
        entry("CAUSE_RECORDED", london("Thu 19 Mar 2026 10:00"), cause="QUESTION_UNCLEAR", role="AGENCY"),
    ]  # fmt: skip
    told = story(hub, "POLICE", Clock(), OFFICE)
    assert told.due_at == told.written_due_at == london("Tue 17 Mar 2026 08:40")
    assert in_words(told, OFFICE, london("Fri 20 Mar 2026 09:00"), reasons=REASONS, causes=CAUSES) == [
        "Asked Fri 13 Mar 2026 16:30.",
        "Closed Sat, Sun.",
        "Due Mon 16 Mar 2026 16:30.",
        "Paused Mon 16 Mar 2026 10:00 by the MASH team (A question has to be answered first, QUESTION_OPEN) "
        "for 40 minutes, until the MASH team let it go on.",
        "Due Tue 17 Mar 2026 08:40.",
        "Returned Wed 18 Mar 2026 09:05: 24 h 25 min late in elapsed time, 8 h 55 min in office time.",
        "Cause of the breach, says the agency: The question was unclear (QUESTION_UNCLEAR).",
    ]


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ([], "Not answered by Wed 11 Mar 2026 09:00."),
        ([("CHECK_RETURNED", "Tue 10 Mar 2026 12:00")], "Returned Tue 10 Mar 2026 12:00: in time."),
        ([("CHECK_RETURNED", "Wed 11 Mar 2026 10:00")], "Returned Wed 11 Mar 2026 10:00: in time."),  # F19
        ([("CHECK_DECLINED", "Tue 10 Mar 2026 12:00")], "Declined Tue 10 Mar 2026 12:00: in time."),
        ([("CHECK_CANCELLED", "Tue 10 Mar 2026 12:00")], "Cancelled Tue 10 Mar 2026 12:00."),
        ([("CHECK_NOT_AWAITED", "Tue 10 Mar 2026 12:00")], "No longer awaited from Tue 10 Mar 2026 12:00."),
        (
            [("CHECK_NOT_AWAITED", "Tue 10 Mar 2026 12:00"), ("CHECK_RETURNED", "Thu 12 Mar 2026 10:00")],
            "Returned Thu 12 Mar 2026 10:00: 24 h 0 min late in elapsed time, 8 h 30 min in office time.",
        ),
        (
            [("CLOCK_PAUSED", "Tue 10 Mar 2026 12:00")],
            "Not answered by Wed 11 Mar 2026 09:00.",
        ),
    ],
)
def test_the_last_sentence_says_how_it_ended(more: list[tuple[str, str]], last: str):
    """R25"""
    entries = [asked(london("Tue 10 Mar 2026 10:00"), london("Wed 11 Mar 2026 10:00"))]
    entries += [entry(act, london(at)) for act, at in more]
    told = story(entries, "POLICE", Clock(), OFFICE)
    assert in_words(told, OFFICE, london("Wed 11 Mar 2026 09:00"), reasons={}, causes={})[-1] == last


def test_what_is_still_open_is_late_so_far_and_a_clock_that_stands_is_not():
    """R25"""
    begun = asked(london("Tue 10 Mar 2026 10:00"), london("Wed 11 Mar 2026 10:00"))
    paused = entry("CLOCK_PAUSED", london("Tue 10 Mar 2026 12:00"), reason="QUESTION_OPEN", role="MASH_SUPPORT")
    at = london("Wed 11 Mar 2026 12:30")
    going, standing = (story(entries, "POLICE", Clock(), OFFICE) for entries in ([begun], [begun, paused]))
    assert in_words(going, OFFICE, at, reasons={}, causes={})[-1] == (
        "Not answered by Wed 11 Mar 2026 12:30: 2 h 30 min late in elapsed time, 2 h 30 min in office time."
    )
    assert in_words(standing, OFFICE, at, reasons=REASONS, causes={})[-2:] == [
        "Paused Tue 10 Mar 2026 12:00 by the MASH team (A question has to be answered first, QUESTION_OPEN)"
        ": it has stood still for 1 day.",
        "Not answered by Wed 11 Mar 2026 12:30.",
    ]


def test_an_extension_says_until_when_and_an_older_entry_not_by_whom():
    """R21"""
    until = london("Thu 12 Mar 2026 12:00")
    entries = [
        asked(london("Tue 10 Mar 2026 10:00"), london("Wed 11 Mar 2026 10:00")),
        entry("CLOCK_EXTENDED", london("Tue 10 Mar 2026 11:00"), reason="MORE_TO_SEARCH", due_at=until.isoformat()),
    ]
    told = in_words(story(entries, "POLICE", Clock(), OFFICE), OFFICE, until, reasons=REASONS, causes={})
    assert told[2:4] == [
        "Extended Tue 10 Mar 2026 11:00 by somebody until Thu 12 Mar 2026 12:00 "
        "(There is more to search, MORE_TO_SEARCH).",
        "Due Thu 12 Mar 2026 12:00.",
    ]


def test_an_agency_that_was_not_asked_has_no_clock():
    with pytest.raises(ValueError, match="was not asked"):
        story([asked(london("Tue 10 Mar 2026 10:00"), london("Wed 11 Mar 2026 10:00"))], "RUH", Clock(), OFFICE)


@pytest.mark.parametrize(
    ("length", "words"), [(timedelta(hours=15, minutes=55), "15 h 55 min"), (timedelta(seconds=3599), "0 h 59 min")]
)
def test_a_length_is_told_in_hours_and_minutes(length: timedelta, words: str):
    assert length_words(length) == words


# --- Recomputed from the ledger = stored, on generated clocks ---
#
# What is stored is found here in another way than by the rules: every minute of the years is walked through by a wall
# clock in London, and those on which the office is open are counted.

ENGLAND = {day: str(name) for day, name in country_holidays("GB", subdiv="ENG", years=YEARS).items()}
CALENDARS = {
    "office": replace(OFFICE, closed_days=ENGLAND, short_days={date(2026, 12, 24): (time(8, 30), time(12, 30))}),
    "every day": OfficeCalendar(
        "Europe/London", dict.fromkeys(range(7), (time(0, 30), time(2, 30))), {}, {}, "nights", date(2028, 12, 31)
    ),
}
#: Days about which calendars go wrong: leap days, both changes of the clocks, Easter, Christmas at a weekend.
ODD_DAYS = [
    date(2024, 2, 28), date(2024, 2, 29), date(2025, 2, 28), date(2028, 2, 28), date(2024, 3, 29),
    date(2025, 3, 28), date(2025, 3, 30), date(2026, 3, 27), date(2026, 3, 29), date(2024, 10, 26), date(2026, 10, 23),
    date(2026, 10, 25), date(2024, 3, 28), date(2025, 4, 17), date(2026, 4, 2), date(2027, 3, 25), date(2021, 12, 23),
    date(2021, 12, 24), date(2022, 12, 23), date(2022, 12, 24), date(2026, 12, 24), date(2027, 12, 24),
    date(2025, 12, 31),
]  # fmt: skip

#: The same by kind: a clock that began before such a day and was due after it, or on it, ran over it.
KINDS = {
    "29 February": {date(2024, 2, 29), date(2028, 2, 29)},
    "clocks go forward": {date(year, 3, 31 - date(year, 3, 31).isoweekday() % 7) for year in YEARS},
    "clocks go back": {date(year, 10, 31 - date(year, 10, 31).isoweekday() % 7) for year in YEARS},
    "Easter": {day for day, name in ENGLAND.items() if name in {"Good Friday", "Easter Monday"}},
    "Christmas at a weekend": {day for year in YEARS if (day := date(year, 12, 25)).weekday() >= 5},
}
#: How many clocks were tried, by the kinds of odd day that they ran over.
TRIED: Counter[str] = Counter()


@cache
def open_minutes(name: str) -> list[datetime]:
    """Each minute of the years in which an office is open, as the moment at which it begins."""
    calendar, found = CALENDARS[name], []
    moment, end = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[-1], 12, 31, tzinfo=UTC)
    while moment < end:
        wall = moment.astimezone(LONDON)
        day = wall.date()
        hours = calendar.short_days.get(day) or calendar.opening.get(day.weekday())
        if day in calendar.closed_days or hours is None or wall.time() >= hours[1]:
            moment = datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)
            continue
        if wall.time() >= hours[0]:
            found.append(moment)
        # Far from an opening, half an hour at once.
        moment += timedelta(minutes=30) if wall.hour + 2 < hours[0].hour else MINUTE
    return found


def walked(start: datetime, minutes: int, name: str) -> datetime:
    """When so many minutes of open time are over; with none left, the moment itself in open time, or the next."""
    line = open_minutes(name)
    here = bisect_left(line, start)
    return line[here + minutes - 1] + MINUTE if minutes else line[here]


def counted(start: datetime, end: datetime, name: str) -> int:
    """How many minutes are open between two moments."""
    line = open_minutes(name)
    return max(bisect_left(line, end) - bisect_left(line, start), 0)


@dataclass(frozen=True)
class Case:
    """A generated clock: its entries with the due times that were stored, and the last of these."""

    entries: list[Entry]
    clock: Clock
    calendar: str
    stored: datetime


def first_due(at: datetime, clock: Clock, name: str) -> datetime:
    """The first due time, walked to."""
    line = open_minutes(name)
    start = line[bisect_left(line, at)] if clock.starts_at_opening else at
    if clock.policy is ClockPolicy.ELAPSED_24H:
        return start + timedelta(hours=24)
    if clock.policy is ClockPolicy.OFFICE_HOURS:
        return walked(start, round((clock.hours or 0) * 60), name)
    wall = start.astimezone(LONDON)
    day = wall.date()
    for _ in range(round((clock.hours or 24) / 24)):
        end_of_day = datetime.combine(day, time.max, LONDON).astimezone(UTC)
        day = line[bisect_left(line, end_of_day)].astimezone(LONDON).date()
    return next(_moments_showing(day, wall.time().replace(fold=0)))


def _moments_showing(day: date, wanted: time) -> Iterator[datetime]:
    """The first moment of a day at which a clock in London shows a time, or what comes after it."""
    moment = datetime.combine(day, time(), LONDON).astimezone(UTC)
    while True:
        if moment.astimezone(LONDON).time() >= wanted:
            yield moment
        moment += MINUTE


HOURS: dict[ClockPolicy, list[float | None]] = {
    ClockPolicy.OFFICE_HOURS: [0.5, 4, 24, 72],
    ClockPolicy.NEXT_WORKING_DAY_SAME_TIME: [None, 24, 72],
}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A clock of any policy, asked on an odd day as often as not, and paused and extended as people do."""
    name = draw(st.sampled_from(sorted(CALENDARS)))
    policy = draw(st.sampled_from(ClockPolicy))
    hours = draw(st.sampled_from(HOURS.get(policy, [None])))
    clock = Clock(policy, hours, draw(st.booleans()))
    day = draw(st.sampled_from(ODD_DAYS) | st.dates(date(2021, 1, 2), date(2027, 12, 30)))
    at = datetime.combine(day, time(), LONDON).astimezone(UTC) + draw(st.integers(0, 1439)) * MINUTE
    due, paused = first_due(at, clock, name), None
    entries = [asked(at, due)]
    for _ in range(draw(st.integers(0, 5))):
        at += draw(st.integers(0, 600)) * MINUTE
        if paused is not None:
            at += draw(st.integers(0, 3 * 1440)) * MINUTE
            left = due - paused
            due = at + left if policy is ClockPolicy.ELAPSED_24H else walked(at, counted(paused, due, name), name)
            paused = None
            entries.append(entry("CLOCK_RESUMED", at, due_at=due.isoformat(), role="MASH_SUPPORT"))
        elif at > due:
            break
        elif draw(st.booleans()):
            paused = at
            entries.append(entry("CLOCK_PAUSED", at, reason="QUESTION_OPEN", role="MASH_SUPPORT"))
        else:
            due = walked(due + draw(st.integers(1, 2000)) * MINUTE, 0, name)
            entries.append(entry("CLOCK_EXTENDED", at, reason="MORE_TO_SEARCH", due_at=due.isoformat()))
    return Case(entries, clock, name, due)


def holds(case: Case) -> None:
    calendar = CALENDARS[case.calendar]
    first, last = (at.astimezone(LONDON).date() for at in (datetime.fromisoformat(case.entries[0].at), case.stored))
    TRIED.update(["clocks", *(kind for kind, days in KINDS.items() if any(first <= day <= last for day in days))])
    told = story(case.entries, "POLICE", case.clock, calendar)
    assert told.due_at == told.written_due_at == case.stored
    words = in_words(told, calendar, case.stored + timedelta(days=1), reasons=REASONS, causes=CAUSES)
    assert words[0].startswith("Asked ")
    late = told.late(case.stored + timedelta(days=1), calendar)
    if told.paused_at is None:
        assert late is not None
        assert late[1] == counted(case.stored, case.stored + timedelta(days=1), case.calendar) * MINUTE
    else:
        assert late is None


def try_clocks(number: int) -> None:
    """Try so many generated clocks, and fail when a kind of odd day was in none of them."""
    TRIED.clear()
    settings(max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow])(given(cases())(holds))()
    assert not [kind for kind in KINDS if not TRIED[kind]]


def test_recomputed_from_the_ledger_is_what_was_stored():
    """R21, INV4; the odd days are among those that were tried"""
    try_clocks(200)


def main() -> None:
    """Try 10,000."""
    try_clocks(10_000)
    sys.stdout.write("".join(f"{kind}: {TRIED[kind]:,}\n" for kind in ("clocks", *KINDS)))


if __name__ == "__main__":
    main()
