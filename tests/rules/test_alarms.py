"""When operations staff are told: once, again while it lasts, and not because the hub was shut down meanwhile."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from models.settings import HOUSE
from rules.alarms import KINDS, RUN_BOOKS, UNSEEN, Alarm, is_to_be_told, since

NOW = datetime(2026, 3, 16, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("alarm", "stands_for", "told_ago", "told"),
    [
        (Alarm.NO_WORKER, 4 * MINUTE, None, False),
        (Alarm.NO_WORKER, 5 * MINUTE, None, True),
        (Alarm.NO_WORKER, HOUR, 55 * MINUTE, False),
        (Alarm.NO_WORKER, 5 * HOUR, 4 * HOUR, True),
        (Alarm.ENGINE_AWAY, 4 * MINUTE, None, False),
        (Alarm.RUN_CRASHED, 0 * MINUTE, None, True),
        (Alarm.RUN_CRASHED, 3 * MINUTE, 3 * MINUTE, False),
        (Alarm.BREACH_BURST, 5 * HOUR, 5 * HOUR, False),
        (Alarm.BREACH_BURST, 24 * HOUR, 24 * HOUR, True),
        # The clock was set back after it was told.
        (Alarm.NO_WORKER, HOUR, -HOUR, True),
    ],
)
def test_an_alarm_is_told_once_it_has_stood_and_again_while_it_lasts(
    alarm: Alarm, stands_for: timedelta, told_ago: timedelta | None, told: bool
) -> None:
    """Issue 7, point 2"""
    told_at = None if told_ago is None else NOW - told_ago
    assert is_to_be_told(alarm, NOW - stands_for, told_at, NOW) is told


@pytest.mark.parametrize(
    ("before", "seen_at", "counts_since"),
    [
        (None, None, NOW),
        (NOW - HOUR, NOW - MINUTE, NOW - HOUR),
        (NOW - HOUR, NOW - UNSEEN - MINUTE, NOW),
        (NOW - HOUR, NOW + MINUTE, NOW),
    ],
)
def test_what_nobody_looked_at_for_a_while_begins_anew(
    before: datetime | None, seen_at: datetime | None, counts_since: datetime
) -> None:
    """A hub that was shut down at night does not alarm the moment it is started"""
    assert since(before, seen_at, NOW) == counts_since


@pytest.mark.parametrize("alarm", Alarm)
def test_each_alarm_leads_to_a_section_of_the_run_books(alarm: Alarm) -> None:
    """Issue 7: so that nobody is woken without being told what to do"""
    page, _, anchor = alarm.run_book.partition("#")
    headings = re.findall(r"^## (.+)$", (HOUSE / RUN_BOOKS).read_text(), re.MULTILINE)
    assert page == RUN_BOOKS
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert KINDS[alarm].says.endswith(".")


def test_the_operating_guide_names_each_alarm_with_its_run_book() -> None:
    guide = (HOUSE / "docs" / "operating.md").read_text()
    named = dict(re.findall(r"^\| `([A-Z_]+)` \|.*\]\((run-books\.md#[a-z-]+)\) \|$", guide, re.MULTILINE))
    assert named == {alarm: alarm.run_book.removeprefix("docs/") for alarm in Alarm}
