"""What signing in leaves behind is gone once it is of no use, and nothing else is (R51)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from casework import kept_forms, leftovers, openings, provider_signin, signin
from casework.db import unit_of_work
from casework.sessions import open_session, real_now
from models.account import Account
from rules.permissions import Role
from tests.record import Record

DAY = timedelta(days=1)
FORM = kept_forms.KeptForm("/checks/7KQ2-XW9S/question", [("text", "Some words.")])


@pytest.fixture(autouse=True)
def traces(record: Record) -> None:
    """Somebody has a session, two half-done sign-ins, a count of tries, an opening and a kept form, all of now."""
    with unit_of_work() as session:
        at = real_now(session)
        account = Account(id="rep", role=Role.OPERATOR, is_person=True, added_at=at, totp_secret="A" * 32)
        session.add(account)
        session.flush()
        open_session(session, account, at=at)
        signin.open_attempt(session, account, "browser", at=at)
        provider_signin.begin(session, "browser", "", place="192.0.2.1", at=at)
        openings.count(session, "7KQ2-XW9S", by=account.as_actor(), at=at)
        kept_forms.keep(session, FORM, by=account.as_actor(), at=at)


AGED = {
    "portal_session": "seen_at", "sign_in": "started_at", "provider_visit": "started_at", "throttle": "since",
    "draft": "saved_at", "opening": "opened_at",
}  # fmt: skip


def cleared(record: Record, after: timedelta) -> int:
    """How many rows go once so much time has passed."""
    with record.as_owner() as owner:
        for table, column in AGED.items():
            owner.execute(f"UPDATE {table} SET {column} = clock_timestamp() - %s", [after])
    with unit_of_work() as session:
        return leftovers.clear(session)


def there(record: Record) -> dict[str, Any]:
    return {table: record.ask(f"SELECT count(*) FROM {table}")[0][0] for table in AGED}


def test_what_is_still_of_use_stays(record: Record):
    before = there(record)
    assert cleared(record, timedelta(minutes=59)) == 0
    assert there(record) == before
    assert set(before.values()) == {1}


@pytest.mark.parametrize(
    ("after", "gone"),
    [
        (timedelta(minutes=61), {"draft", "opening"}),
        (DAY + timedelta(minutes=1), {"draft", "opening", "sign_in", "provider_visit", "throttle"}),
        (7 * DAY + timedelta(minutes=1), set(AGED)),
    ],
)
def test_each_is_gone_after_its_time(record: Record, after: timedelta, gone: set[str]):
    cleared(record, after)
    assert {table for table, count in there(record).items() if count == 0} == gone


def test_a_draft_that_somebody_saved_stays(record: Record):
    """R36"""
    with record.as_owner() as owner:
        owner.execute("UPDATE draft SET purpose = 'decision', about = '7KQ2-XW9S'")
    cleared(record, 90 * DAY)
    assert there(record)["draft"] == 1


def test_clearing_twice_changes_nothing(record: Record):
    assert cleared(record, 8 * DAY) == 6
    assert cleared(record, 8 * DAY) == 0
