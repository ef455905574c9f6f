"""The clock of an agency check: when an answer is due, and why then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.clock import (
    Clock,
    ClockPolicy,
    due_at,
    elapsed_words,
    explain,
    is_late,
    office_hours,
    office_hours_before,
)
from tests.rules.london import ALL_WEEK, OFFICE, london

AT_OPENING = Clock()
AT_ONCE = Clock(starts_at_opening=False)
ELAPSED = Clock(ClockPolicy.ELAPSED_24H, starts_at_opening=False)
ELAPSED_FROM_OPENING = Clock(ClockPolicy.ELAPSED_24H)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Tue 10 Mar 2026 10:00", "Wed 11 Mar 2026 10:00"),
        ("Tue 10 Mar 2026 08:30", "Wed 11 Mar 2026 08:30"),  # the moment of opening
        ("Thu 12 Mar 2026 16:59", "Fri 13 Mar 2026 16:59"),
        ("Fri 13 Mar 2026 16:30", "Mon 16 Mar 2026 16:30"),
        ("Thu 02 Apr 2026 16:30", "Tue 07 Apr 2026 16:30"),  # eve of Good Friday
        ("Thu 25 Mar 2027 12:00", "Tue 30 Mar 2027 12:00"),  # Easter and the clocks together
        ("Fri 01 May 2026 09:15", "Tue 05 May 2026 09:15"),  # early May
        ("Fri 28 Aug 2026 09:15", "Tue 01 Sep 2026 09:15"),  # a bank holiday at a month's end
        ("Fri 27 Mar 2026 16:30", "Mon 30 Mar 2026 16:30"),  # clocks go forward
        ("Fri 23 Oct 2026 16:30", "Mon 26 Oct 2026 16:30"),  # clocks go back
        ("Wed 23 Dec 2026 16:30", "Thu 24 Dec 2026 16:30"),  # the time is kept though 24 Dec closes early
        ("Thu 24 Dec 2026 11:00", "Tue 29 Dec 2026 11:00"),  # 24 Dec, and a substitute day
        ("Fri 24 Dec 2027 11:00", "Wed 29 Dec 2027 11:00"),  # two substitute days
        ("Thu 31 Dec 2026 15:00", "Mon 04 Jan 2027 15:00"),  # year end
        ("Fri 30 Jan 2026 15:00", "Mon 02 Feb 2026 15:00"),  # month end
        ("Fri 27 Feb 2026 15:00", "Mon 02 Mar 2026 15:00"),  # no leap day
        ("Wed 28 Feb 2024 15:00", "Thu 29 Feb 2024 15:00"),  # leap day
        ("Thu 29 Feb 2024 15:00", "Fri 01 Mar 2024 15:00"),
        ("Thu 28 Mar 2024 15:00", "Tue 02 Apr 2024 15:00"),  # Easter over a month end and the clocks
        ("Wed 24 Dec 2025 15:00", "Mon 29 Dec 2025 15:00"),
        ("Wed 31 Dec 2025 15:00", "Fri 02 Jan 2026 15:00"),
        ("Tue 10 Mar 2026 10:00:59", "Wed 11 Mar 2026 10:00:59"),  # seconds are kept
    ],
)
@pytest.mark.parametrize("clock", [AT_OPENING, AT_ONCE])
def test_an_answer_is_due_at_the_same_time_on_the_next_working_day(asked: str, due: str, clock: Clock) -> None:
    """R21"""
    assert due_at(london(asked), clock, OFFICE) == london(due)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Tue 10 Mar 2026 23:59", "Thu 12 Mar 2026 08:30"),
        ("Tue 10 Mar 2026 17:00", "Thu 12 Mar 2026 08:30"),  # at the closing time the office is closed
        ("Tue 10 Mar 2026 08:29", "Wed 11 Mar 2026 08:30"),  # before opening, the same day counts
        ("Tue 10 Mar 2026 00:00", "Wed 11 Mar 2026 08:30"),
        ("Fri 13 Mar 2026 20:00", "Tue 17 Mar 2026 08:30"),
        ("Sat 14 Mar 2026 20:00", "Tue 17 Mar 2026 08:30"),
        ("Sun 29 Mar 2026 12:00", "Tue 31 Mar 2026 08:30"),  # the Sunday the clocks go forward
        ("Sun 25 Oct 2026 12:00", "Tue 27 Oct 2026 08:30"),  # the Sunday the clocks go back
        ("Fri 03 Apr 2026 10:00", "Wed 08 Apr 2026 08:30"),  # on Good Friday
        ("Thu 24 Dec 2026 12:30", "Wed 30 Dec 2026 08:30"),  # the short day has closed
        ("Thu 31 Dec 2026 23:59", "Tue 05 Jan 2027 08:30"),
    ],
)
def test_what_is_asked_out_of_hours_starts_at_the_next_opening(asked: str, due: str) -> None:
    """R21, R26"""
    assert due_at(london(asked), AT_OPENING, OFFICE) == london(due)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Tue 10 Mar 2026 23:59", "Wed 11 Mar 2026 23:59"),
        ("Fri 13 Mar 2026 23:59", "Mon 16 Mar 2026 23:59"),
        ("Sat 14 Mar 2026 12:00", "Mon 16 Mar 2026 12:00"),
        ("Sun 29 Mar 2026 12:00", "Mon 30 Mar 2026 12:00"),
        ("Thu 31 Dec 2026 23:59", "Mon 04 Jan 2027 23:59"),
    ],
)
def test_a_clock_may_start_at_once_even_out_of_hours(asked: str, due: str) -> None:
    """R21"""
    assert due_at(london(asked), AT_ONCE, OFFICE) == london(due)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Sat 28 Mar 2026 00:59", "Sun 29 Mar 2026 00:59"),
        ("Sat 28 Mar 2026 01:00", "Sun 29 Mar 2026 02:00"),  # 01:00 to 01:59 do not exist: the end of the jump
        ("Sat 28 Mar 2026 01:30", "Sun 29 Mar 2026 02:00"),
        ("Sat 28 Mar 2026 01:59:59", "Sun 29 Mar 2026 02:00"),
        ("Sat 28 Mar 2026 02:00", "Sun 29 Mar 2026 02:00"),
        ("Sat 28 Mar 2026 12:00", "Sun 29 Mar 2026 12:00"),
        ("Sat 24 Oct 2026 01:30", "Sun 25 Oct 2026 01:30"),  # 01:30 comes twice: the first
        ("Sat 24 Oct 2026 02:00", "Sun 25 Oct 2026 02:00"),
        ("Sun 25 Oct 2026 12:00", "Mon 26 Oct 2026 12:00"),
    ],
)
def test_local_time_is_kept_on_the_sundays_on_which_the_clocks_change(asked: str, due: str) -> None:
    """R21: the office of this test works on Sundays."""
    assert due_at(london(asked), AT_ONCE, ALL_WEEK) == london(due)


def test_both_comings_of_a_doubled_time_are_due_at_the_same_time() -> None:
    """R21"""
    due = {due_at(london("Sun 25 Oct 2026 01:30", fold=fold), AT_ONCE, ALL_WEEK) for fold in (0, 1)}
    assert due == {london("Mon 26 Oct 2026 01:30")}


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Fri 13 Mar 2026 16:30", "Sat 14 Mar 2026 16:30"),
        ("Sat 28 Mar 2026 16:30", "Sun 29 Mar 2026 17:30"),  # a day of 23 hours
        ("Sat 24 Oct 2026 16:30", "Sun 25 Oct 2026 15:30"),  # a day of 25 hours
        ("Thu 31 Dec 2026 23:59", "Fri 01 Jan 2027 23:59"),
        ("Wed 28 Feb 2024 12:00", "Thu 29 Feb 2024 12:00"),
        ("Sat 28 Mar 2026 01:30", "Sun 29 Mar 2026 02:30"),
    ],
)
def test_elapsed_hours_take_no_notice_of_closed_days(asked: str, due: str) -> None:
    """R21"""
    assert due_at(london(asked), ELAPSED, OFFICE) == london(due)
    assert (london(due) - london(asked)).total_seconds() == 86_400


def test_elapsed_hours_may_start_at_the_next_opening() -> None:
    """R21"""
    assert due_at(london("Sat 14 Mar 2026 12:00"), ELAPSED_FROM_OPENING, OFFICE) == london("Tue 17 Mar 2026 08:30")


@pytest.mark.parametrize(
    ("asked", "hours", "due"),
    [
        ("Tue 10 Mar 2026 10:00", 4, "Tue 10 Mar 2026 14:00"),
        ("Tue 10 Mar 2026 10:00", 7, "Tue 10 Mar 2026 17:00"),  # ends at the closing time, not at the next opening
        ("Tue 10 Mar 2026 16:30", 4, "Wed 11 Mar 2026 12:00"),
        ("Fri 13 Mar 2026 16:30", 4, "Mon 16 Mar 2026 12:00"),
        ("Fri 13 Mar 2026 16:30", 24, "Wed 18 Mar 2026 15:00"),
        ("Tue 10 Mar 2026 06:00", 4, "Tue 10 Mar 2026 12:30"),
        ("Tue 10 Mar 2026 23:59", 8.5, "Wed 11 Mar 2026 17:00"),
        ("Sun 29 Mar 2026 00:30", 1, "Mon 30 Mar 2026 09:30"),
        ("Fri 27 Mar 2026 16:30", 1, "Mon 30 Mar 2026 09:00"),  # the missing hour was never open
        ("Fri 23 Oct 2026 16:30", 1, "Mon 26 Oct 2026 09:00"),
        ("Thu 02 Apr 2026 16:30", 1, "Tue 07 Apr 2026 09:00"),
        ("Thu 24 Dec 2026 12:00", 1, "Tue 29 Dec 2026 09:00"),  # half an hour of the short day
        ("Thu 31 Dec 2026 16:45", 0.5, "Mon 04 Jan 2027 08:45"),
    ],
)
def test_office_hours_count_open_time_alone(asked: str, hours: float, due: str) -> None:
    """R21"""
    assert due_at(london(asked), office_hours(hours), OFFICE) == london(due)


@pytest.mark.parametrize(
    ("moment", "hours", "before"),
    [
        ("Tue 10 Mar 2026 16:30", 4, "Tue 10 Mar 2026 12:30"),
        ("Tue 17 Mar 2026 08:30", 4, "Mon 16 Mar 2026 13:00"),  # due at an opening: warned the afternoon before
        ("Tue 07 Apr 2026 09:30", 4, "Thu 02 Apr 2026 14:00"),
        ("Tue 10 Mar 2026 23:59", 4, "Tue 10 Mar 2026 13:00"),
    ],
)
def test_a_warning_comes_while_somebody_is_at_work(moment: str, hours: float, before: str) -> None:
    """R23"""
    assert office_hours_before(london(moment), hours, OFFICE) == london(before)


@pytest.mark.parametrize(
    ("clock", "asked", "words"),
    [
        (
            AT_OPENING,
            "Fri 13 Mar 2026 16:30",
            "Asked Fri 13 Mar 2026 16:30. Closed Sat, Sun. Due Mon 16 Mar 2026 16:30.",
        ),
        (AT_OPENING, "Tue 10 Mar 2026 10:00", "Asked Tue 10 Mar 2026 10:00. Due Wed 11 Mar 2026 10:00."),
        (
            AT_OPENING,
            "Thu 02 Apr 2026 16:30",
            "Asked Thu 02 Apr 2026 16:30. "
            "Closed Fri 03 Apr (Good Friday), Sat, Sun, Mon 06 Apr (Easter Monday). Due Tue 07 Apr 2026 16:30.",
        ),
        (
            AT_OPENING,
            "Sat 14 Mar 2026 20:00",
            "Asked Sat 14 Mar 2026 20:00. The office was closed: the clock starts Mon 16 Mar 2026 08:30. "
            "Closed Sat, Sun. Due Tue 17 Mar 2026 08:30.",
        ),
        (
            AT_OPENING,
            "Fri 27 Mar 2026 16:30",
            "Asked Fri 27 Mar 2026 16:30. Closed Sat, Sun. The clocks change in between. Due Mon 30 Mar 2026 16:30.",
        ),
        (
            ELAPSED,
            "Sat 28 Mar 2026 16:30",
            "Asked Sat 28 Mar 2026 16:30. 24 hours are counted without a break. "
            "The clocks change in between, so the local time of day moves. Due Sun 29 Mar 2026 17:30.",
        ),
        (
            office_hours(1),
            "Fri 13 Mar 2026 16:30",
            "Asked Fri 13 Mar 2026 16:30. Only opening time is counted: 1 hour. Closed Sat, Sun. "
            "Due Mon 16 Mar 2026 09:00.",
        ),
        (
            office_hours(2.5),
            "Tue 10 Mar 2026 10:00",
            "Asked Tue 10 Mar 2026 10:00. Only opening time is counted: 2.5 hours. Due Tue 10 Mar 2026 12:30.",
        ),
        (
            AT_OPENING,
            "Fri 31 Dec 2027 10:00",
            "Asked Fri 31 Dec 2027 10:00. Closed Sat, Sun. "
            "Bank holidays after Fri 31 Dec 2027 were not yet known. Due Mon 03 Jan 2028 10:00.",
        ),
    ],
)
def test_a_deadline_explains_itself(clock: Clock, asked: str, words: str) -> None:
    """R21: in plain words, with each closed day by name."""
    assert " ".join(explain(london(asked), clock, OFFICE)) == words


def test_a_doubled_time_is_told_with_its_zone() -> None:
    """R21"""
    words = explain(london("Sun 25 Oct 2026 01:30", fold=1), AT_ONCE, ALL_WEEK)
    assert words[0] == "Asked Sun 25 Oct 2026 01:30 GMT."


@pytest.mark.parametrize(("milliseconds", "late"), [(-1, False), (0, False), (1, True), (3_600_000, True)])
def test_the_due_moment_itself_is_on_time(milliseconds: int, late: bool) -> None:
    """F19, R24"""
    due = london("Mon 16 Mar 2026 16:30")
    assert is_late(due + timedelta(milliseconds=milliseconds), due) is late


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (timedelta(), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=1, minutes=20, seconds=50), "1 hour 20 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1, hours=3, minutes=59), "1 day 3 hours"),
        (timedelta(days=2, minutes=5), "2 days"),
        (-timedelta(hours=5), "5 hours"),
    ],
)
def test_a_length_of_time_reads_as_people_say_it(elapsed: timedelta, words: str) -> None:
    """R25"""
    assert elapsed_words(elapsed) == words


@pytest.mark.parametrize(
    ("policy", "hours"),
    [
        (ClockPolicy.OFFICE_HOURS, None),
        (ClockPolicy.OFFICE_HOURS, 0),
        (ClockPolicy.OFFICE_HOURS, -1),
        (ClockPolicy.OFFICE_HOURS, float("nan")),
        (ClockPolicy.OFFICE_HOURS, float("inf")),
        (ClockPolicy.ELAPSED_24H, 24),
        (ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, 4),
        (ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, 36),
        (ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, 0),
        (ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, float("inf")),
    ],
)
def test_a_clock_refuses_hours_that_do_not_fit(policy: ClockPolicy, hours: float | None) -> None:
    """R21"""
    with pytest.raises(ValueError, match="hours"):
        Clock(policy, hours)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Mon 09 Mar 2026 10:00", "Thu 12 Mar 2026 10:00"),
        ("Thu 12 Mar 2026 10:00", "Tue 17 Mar 2026 10:00"),  # over a weekend
        ("Sat 14 Mar 2026 20:00", "Thu 19 Mar 2026 08:30"),  # counted from Monday's opening
        ("Wed 01 Apr 2026 16:30", "Wed 08 Apr 2026 16:30"),  # over Easter
        ("Thu 26 Mar 2026 09:00", "Tue 31 Mar 2026 09:00"),  # clocks go forward
    ],
)
def test_seventy_two_hours_are_three_working_days(asked: str, due: str) -> None:
    """R21: the longest band of the second shipped profile"""
    clock = Clock(ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, 72)
    assert due_at(london(asked), clock, OFFICE) == london(due)
    assert "3 working days are counted." in explain(london(asked), clock, OFFICE)


@pytest.mark.parametrize("clock", [AT_OPENING, AT_ONCE, ELAPSED, office_hours(4)])
def test_a_moment_without_a_zone_is_refused(clock: Clock) -> None:
    """R21"""
    with pytest.raises(ValueError, match="zone"):
        due_at(datetime(2026, 3, 13, 16, 30), clock, OFFICE)  # noqa: DTZ001


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.sampled_from([OFFICE, ALL_WEEK])
COUNTING_OPEN_DAYS = st.one_of(st.just(AT_OPENING), st.floats(0.1, 100).map(office_hours))
CLOCKS = st.one_of(st.sampled_from([AT_OPENING, AT_ONCE, ELAPSED, ELAPSED_FROM_OPENING]), COUNTING_OPEN_DAYS)


@given(asked=st.tuples(MOMENTS, MOMENTS), clock=COUNTING_OPEN_DAYS, calendar=CALENDARS)
def test_who_is_asked_later_is_never_due_earlier(asked, clock, calendar) -> None:
    """R21. Not claimed for clocks that start at once: Sat 12:00 is due Mon 12:00, before what Fri 16:30 gives."""
    first, second = sorted(asked)
    assert due_at(first, clock, calendar) <= due_at(second, clock, calendar)


@given(first=MOMENTS, minutes=st.integers(0, 600), clock=CLOCKS)
def test_who_is_asked_a_little_later_on_a_working_day_is_never_due_earlier(first, minutes, clock) -> None:
    """R21"""
    second = first + timedelta(minutes=minutes)
    if OFFICE.is_working_day(OFFICE.local(first).date()) and OFFICE.is_working_day(OFFICE.local(second).date()):
        assert due_at(first, clock, OFFICE) <= due_at(second, clock, OFFICE)


@given(asked=MOMENTS, clock=st.one_of(COUNTING_OPEN_DAYS, st.just(AT_ONCE)), calendar=CALENDARS)
def test_an_answer_is_always_due_on_a_working_day(asked, clock, calendar) -> None:
    """R21"""
    assert calendar.is_working_day(calendar.local(due_at(asked, clock, calendar)).date())


@given(asked=MOMENTS, clock=CLOCKS, calendar=CALENDARS)
def test_an_answer_is_never_due_before_it_was_asked(asked, clock, calendar) -> None:
    """R21: and the due time is UTC, and comes out the same however the moment was written."""
    due = due_at(asked, clock, calendar)
    assert due > asked
    assert due.tzinfo is UTC
    assert due == due_at(calendar.local(asked), clock, calendar)


@given(asked=MOMENTS, hours=st.floats(0.1, 100))
def test_counting_open_time_back_undoes_counting_it_forward(asked, hours) -> None:
    """R23"""
    start = OFFICE.opens_after(asked)
    due = due_at(asked, office_hours(hours), OFFICE)
    # Hours as floats round to a microsecond, which may fall just before a closing time.
    again = OFFICE.opens_after(office_hours_before(due, hours, OFFICE) + timedelta(milliseconds=1))
    assert abs(again - start) < timedelta(seconds=1)


@given(asked=MOMENTS, clock=CLOCKS, calendar=CALENDARS)
def test_every_deadline_can_be_explained(asked, clock, calendar) -> None:
    """R21: every skipped day is named, and no working day is."""
    words = explain(asked, clock, calendar)
    assert words[0].startswith("Asked ")
    assert words[-1].startswith("Due ")
    assert all(sentence.endswith(".") for sentence in words)
