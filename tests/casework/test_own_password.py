"""Somebody signed in chooses another password (R46, S-10 to S-14)."""

from __future__ import annotations

import pytest

from casework import accounts, own_password, sessions
from casework.db import now, unit_of_work
from casework.signin import Answer
from models.account import Account
from notifications.account_letters import AccountLetter
from rules.errors import NotAcceptable
from tests.casework.test_signin import (  # noqa: F401 -- fixtures
    ADMIN,
    PASSWORD,
    admin,
    begin,
    code,
    finish,
    newest_secret,
    person,
)
from tests.record import Record

NEW = "copper meadow quiet engine"


@pytest.fixture
def stay(person: str, record: Record) -> str:  # noqa: F811
    """The token of this person's session."""
    token = finish(begin().token, code()).token
    record.ask("UPDATE portal_session SET started_at = now(), seen_at = now() RETURNING 1")
    return token


def change(person: str, stay: str, old: str = PASSWORD, new: str = NEW) -> Answer:  # noqa: F811
    with unit_of_work() as session:
        account = session.get(Account, person)
        assert account is not None
        return own_password.change(session, old, new, stay=stay, by=account.as_actor(), at=now(session))


def is_in(token: str) -> bool:
    with unit_of_work() as session:
        return sessions.visitor_of(session, token) is not None


def test_the_new_password_opens_and_the_old_one_does_not(person: str, stay: str):  # noqa: F811
    """R46"""
    assert change(person, stay) is Answer.GO_ON
    assert begin().answer is Answer.WRONG
    assert begin(password=NEW).answer is Answer.GO_ON


def test_everybody_else_is_signed_out_and_whoever_changed_it_is_not(person: str, stay: str, record: Record):  # noqa: F811
    """S-14: other sessions, half-done sign-ins and links sent earlier are dead"""
    elsewhere = finish(begin().token, code()).token
    half_done = begin().token
    record.ask("UPDATE portal_session SET started_at = now(), seen_at = now() RETURNING 1")
    with unit_of_work() as session:
        link = accounts.invite(session, person, by=ADMIN, at=now(session)).rpartition("/")[2]
    assert change(person, stay) is Answer.GO_ON
    assert (is_in(stay), is_in(elsewhere)) == (True, False)
    assert finish(half_done, code()).answer is Answer.START_AGAIN
    with unit_of_work() as session:
        assert accounts.invited(session, link) is None


def test_it_is_written_down_and_told_by_letter(person: str, stay: str, record: Record):  # noqa: F811
    """R47: what is done to an account is audited, and its owner hears of it"""
    change(person, stay)
    assert newest_secret(AccountLetter.PASSWORD_CHANGED) == "/you"
    asked = "SELECT actor FROM account_event WHERE act = 'PASSWORD_CHANGED' AND account_id = %s"
    assert record.ask(asked, person) == [(person,)]


def test_the_old_password_is_guessed_at_ten_times_at_most(person: str, stay: str):  # noqa: F811
    """S-11: a session left open on a desk is no way to a password"""
    assert [change(person, stay, old=f"guess {number}") for number in range(10)] == [Answer.WRONG] * 10
    assert change(person, stay) is Answer.TOO_MANY
    assert begin().answer is Answer.GO_ON


@pytest.mark.parametrize("new", ["short", "password1234", "rep@police.bnes.example", "a" * 129, PASSWORD])
def test_the_new_one_is_screened_and_another_one(person: str, stay: str, new: str):  # noqa: F811
    """R46"""
    with pytest.raises(NotAcceptable) as refused:
        change(person, stay, new=new)
    assert [field.pointer for field in refused.value.fields] == ["/password"]
    assert begin().answer is Answer.GO_ON
