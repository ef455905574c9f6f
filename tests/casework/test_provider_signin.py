"""Who is bound to whom at a council's sign-in service, and until when (R46, R47)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import Session

from casework import accounts, provider_signin, signin
from casework.db import now, unit_of_work
from casework.documents import AddressDocument
from casework.provider_signin import Vouched
from casework.register import current_profile
from casework.signin import Answer
from models.account import Account
from models.settings import settings
from notifications.account_letters import AccountLetter
from tests.casework.test_signin import ADDRESS, ADMIN, PASSWORD, START, admin, newest_secret, person  # noqa: F401
from tests.record import Record

SAM = Vouched("https://police.example\x00sam", ADDRESS, second_factor=False)


@pytest.fixture(autouse=True)
def speaks_for_the_police(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "oidc_domains", ADDRESS.partition("@")[2])


def come(vouched: Vouched = SAM) -> Answer:
    with unit_of_work() as session:
        return provider_signin.let_in(session, vouched, at=START).answer


def moved(session: Session, account_id: str) -> None:
    document = AddressDocument(email=f"new.{ADDRESS}")
    accounts.change_address(session, account_id, document, current_profile(), by=ADMIN, at=now(session))


def invited_anew(session: Session, account_id: str) -> None:
    path = accounts.invite(session, account_id, by=ADMIN, at=now(session))
    accounts.accept_invitation(session, path.rpartition("/")[2], PASSWORD, at=now(session))


@pytest.mark.parametrize(
    "address",
    ["", "@police.bnes.example", f"{ADDRESS}.evil.example", f"x@{ADDRESS}", f"{ADDRESS}@evil.example", "rep", "\u212a"],
)
def test_an_address_that_is_not_to_the_letter_one_of_ours_finds_nobody(person: str, address: str):  # noqa: F811
    """R46"""
    assert come(Vouched(SAM.subject, address, second_factor=True)) is Answer.WRONG


def test_letters_that_only_look_alike_find_nobody(person: str):  # noqa: F811
    """R46: the Kelvin sign is a k in lower case"""
    with unit_of_work() as session:
        account = session.get_one(Account, person)
        account.email, account.email_digest = f"k{ADDRESS}", signin.email_digest(f"k{ADDRESS}")
    assert signin.email_digest(f"\u212a{ADDRESS}") == signin.email_digest(f"k{ADDRESS}")
    assert come(Vouched(SAM.subject, f"\u212a{ADDRESS}", second_factor=True)) is Answer.WRONG
    assert come(Vouched(SAM.subject, f"K{ADDRESS}", second_factor=True)) is Answer.GO_ON


@pytest.mark.parametrize(("act", "address"), [(moved, f"new.{ADDRESS}"), (invited_anew, ADDRESS)])
def test_an_administrator_can_undo_what_was_bound(
    person: str,  # noqa: F811
    act: Callable[[Session, str], None],
    address: str,
):
    """R47, S-9: and the next to come with the address of now is bound instead"""
    assert come() is Answer.GO_ON
    with unit_of_work() as session:
        act(session, person)
        assert session.get_one(Account, person).provider_subject is None
    other = Vouched("https://police.example\x00alex", address, second_factor=False)
    assert come(other) is Answer.GO_ON
    assert come() is Answer.WRONG


def test_whoever_was_invited_and_never_chose_a_password_may_come_in_that_way(admin: object):  # noqa: F811
    """R46, R47: an administrator opened the account, and the council verified the address"""
    from tests.casework.test_signin import a_person

    with unit_of_work() as session:
        account = accounts.add_person(session, a_person(), current_profile(), by=ADMIN, at=now(session))
        assert account.password_hash is None
    assert come() is Answer.GO_ON
    with unit_of_work() as session:
        assert newest_secret(AccountLetter.SIGN_IN_CODE, session)
        assert signin.begin(session, ADDRESS, "", place="", known="", at=START).answer is Answer.WRONG


def test_two_people_there_are_never_one_here(person: str):  # noqa: F811
    """R46"""
    assert come() is Answer.GO_ON
    assert come(Vouched("https://police.example\x00alex", ADDRESS, second_factor=True)) is Answer.WRONG
    assert come(Vouched(SAM.subject, "", second_factor=False)) is Answer.GO_ON
