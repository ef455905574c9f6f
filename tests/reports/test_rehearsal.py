"""A past period under another profile's clocks, beside what was; and the record stays as it is (issue 6, point 7)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework import checks, due_times
from casework.documents import DeclineDocument, PauseDocument
from casework.register import current_profile
from engine.cli import app
from engine.timekeeper import keep_clock
from models.profile import Profile, load_profile
from models.settings import HOUSE
from reports.rehearsal import Compared, in_all, rehearse
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    JUST_OVERDUE,
    SUPPORT,
    act,
    ask,
    give_back,
    open_hub,
    refer,
    rep,
)
from tests.record import Record

DAY = date(2026, 3, 16)
NOW = JUST_OVERDUE + timedelta(days=1)


@pytest.fixture
def quarter(record: Record) -> None:
    """One agency answered after five hours, one declined then; one was silent, and one's clock stands still."""
    open_hub()
    reference = refer()
    ask(reference)
    give_back(reference, "POLICE", at=AFTERNOON)
    act(checks.decline, reference, "COUNCIL_CHILDREN", DeclineDocument(reason="LIVE_INVESTIGATION"),
        by=rep("COUNCIL_CHILDREN"), at=AFTERNOON)  # fmt: skip
    pause = PauseDocument(reason="QUESTION_OPEN")
    act(due_times.pause, reference, "MENTAL_HEALTH", pause, by=SUPPORT, at=ASKED + timedelta(hours=1))
    while act(keep_clock, JUST_OVERDUE):
        pass


def other_profile(folder: Path) -> Path:
    """The area's own, with four hours of office time in place of the next working day."""
    text = (HOUSE / "profiles" / "bnes.toml").read_text(encoding="utf-8")
    there = 'policy = "NEXT_WORKING_DAY_SAME_TIME"'
    assert text.count(there) == 1
    (folder / "codes.toml").write_bytes((HOUSE / "profiles" / "codes.toml").read_bytes())
    file = folder / "other.toml"
    file.write_text(text.replace(there, 'policy = "OFFICE_HOURS"\nhours = 4'), encoding="utf-8")
    return file


def told(profile: Profile) -> dict[str, tuple[int, ...]]:
    return {row.agency: row[1:] for row in act(rehearse, DAY, DAY, profile, NOW)}


def test_under_its_own_clock_a_period_is_as_it_was(quarter: None):
    """R25: one breach, and nothing that would be otherwise"""
    assert told(current_profile()) == {
        "POLICE": (1, 0, 0, 0, 0), "COUNCIL_CHILDREN": (1, 0, 0, 0, 0), "MENTAL_HEALTH": (1, 0, 0, 0, 0),
        "COMMUNITY_HEALTH_CHILDREN": (1, 1, 1, 0, 0),
    }  # fmt: skip


def test_under_a_shorter_clock_answers_of_five_hours_would_be_late(quarter: None, record: Record, tmp_path: Path):
    """Issue 6, point 7: side by side, and not an entry more in the ledger"""
    entries = record.ask("SELECT count(*), max(id) FROM ledger")
    found = told(load_profile(other_profile(tmp_path)))
    assert found == {
        "POLICE": (1, 0, 1, 0, 1), "COUNCIL_CHILDREN": (1, 0, 1, 0, 1), "MENTAL_HEALTH": (1, 0, 0, 0, 0),
        "COMMUNITY_HEALTH_CHILDREN": (1, 1, 1, 0, 0),
    }  # fmt: skip
    assert record.ask("SELECT count(*), max(id) FROM ledger") == entries


def test_what_was_asked_on_another_day_is_not_rehearsed(quarter: None):
    """Issue 6, point 7"""
    assert act(rehearse, DAY + timedelta(days=1), DAY + timedelta(days=9), current_profile(), NOW) == []


def test_the_command_prints_the_comparison_by_agency_and_in_all(quarter: None, tmp_path: Path):
    """Issue 6, point 7"""
    asked = ["reports", "rehearse", str(other_profile(tmp_path)), "--first", "2026-03-16", "--last", "2026-03-16"]
    shown = CliRunner().invoke(app, asked, catch_exceptions=False).output.splitlines()
    assert shown[0].split() == ["asked", "breached", "would", "no", "more", "newly"]
    assert shown[-1].split() == ["all", "4", "1", "3", "0", "2"]
    rows = json.loads(CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).output)
    assert {row["agency"] for row in rows} == {
        "", "POLICE", "COUNCIL_CHILDREN", "MENTAL_HEALTH", "COMMUNITY_HEALTH_CHILDREN",
    }  # fmt: skip


def test_all_together_is_the_sum():
    assert in_all([Compared("A", 3, 2, 1, 1, 0), Compared("B", 1, 0, 1, 0, 1)]) == ("", 4, 2, 2, 1, 1)
