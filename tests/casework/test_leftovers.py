"""What signing in leaves behind is gone once it is of no use, and nothing else is (R51)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from casework import drafts, kept_forms, leftovers, openings, provider_signin, signin
from casework.db import now, unit_of_work
from casework.register import current_profile
from casework.sessions import open_session, real_now
from engine import rounds
from models.account import Account
from models.feedback import Feedback
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


def _left(session: Any, name: str, *, days: int) -> None:
    """Somebody with all that a person signs in with, and a draft, disabled so many days ago."""
    account = Account(
        id=name, role=Role.OPERATOR, is_person=True, added_at=now(session), display_name=f"Once {name}",
        email=f"{name}@example.org", email_digest=name, password_hash="x", totp_secret="A" * 32, totp_last_step=1,
        provider_subject=name, disabled_at=now(session) - timedelta(days=days),
    )  # fmt: skip
    session.add(account)
    session.flush()
    drafts.save(session, "referral", "", {"concern": "Half typed"}, by=account.as_actor(), at=now(session))


def test_of_who_left_the_name_stays_and_nothing_to_sign_in_with(record: Record):
    """R51: after a quarter, and no sooner; who is here stays as they are"""
    with unit_of_work() as session:
        _left(session, "long-ago", days=91)
        _left(session, "lately", days=89)
        assert leftovers.clear_leavers(session, current_profile()) == 1
        assert leftovers.clear_leavers(session, current_profile()) == 0
    kept = "num_nonnulls(email, email_digest, password_hash, totp_secret, totp_last_step, provider_subject)"
    left = "id IN ('long-ago', 'lately', 'rep')"
    assert record.ask(f"SELECT id, {kept} FROM account WHERE {left} ORDER BY id") == [
        ("lately", 6), ("long-ago", 0), ("rep", 1),
    ]  # fmt: skip
    assert record.ask("SELECT account_id FROM draft WHERE purpose = 'referral'") == [("lately",)]
    assert record.ask("SELECT account_id, act FROM account_event WHERE act = 'CLEARED'") == [("long-ago", "CLEARED")]
    with unit_of_work() as session:
        assert session.get_one(Account, "long-ago").display_name == "Once long-ago"


@pytest.mark.parametrize(
    ("given", "answered", "is_kept"), [(1095, None, True), (1097, None, False), (1500, 1095, True), (1500, 1097, False)]
)
def test_feedback_goes_three_years_after_it_was_given_or_answered(record: Record, given, answered, is_kept):
    """R51, R61"""
    with unit_of_work() as session:
        at, said = now(session), {"answer": "Thank you.", "answered_by": "rep"} if answered else {}
        session.add(
            Feedback(
                given_at=at - given * DAY, given_by="rep", went_well="The call.", for_everybody=bool(answered),
                answered_at=at - answered * DAY if answered else None, **said,
            )
        )  # fmt: skip
        session.flush()
        assert leftovers.clear_feedback(session, current_profile()) == (0 if is_kept else 1)
    assert record.ask("SELECT count(*) FROM feedback") == [(1 if is_kept else 0,)]


def test_the_timekeeper_says_of_each_kind_what_it_cleared(record: Record, caplog: pytest.LogCaptureFixture):
    """R51: whoever left is no old sign-in"""
    caplog.set_level(logging.INFO, "mash.timekeeper")
    with unit_of_work() as session:
        _left(session, "long-ago", days=91)
        given = now(session) - 1097 * DAY
        session.add(Feedback(given_at=given, given_by="rep", went_well="The call.", for_everybody=False))
    rounds.clear()
    assert [each.getMessage() for each in caplog.records if each.name == "mash.timekeeper"] == [
        "1 accounts of people who left cleared", "1 old pieces of feedback deleted",
    ]  # fmt: skip
