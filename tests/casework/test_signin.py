"""Signing in: a password and a one-time code, guessed at from every side (R46, R47, S-8 to S-14)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlmodel import select

from casework import accounts, passwords, sessions, signin
from casework.db import now, unit_of_work
from casework.documents import AccountDocument, InductionDocument
from casework.register import current_profile
from casework.signin import Answer
from models.account import Account
from models.outbox import Notice
from models.signin import PortalSession, SignIn
from notifications.account_letters import AccountLetter
from rules.errors import NotAcceptable, NotFound, NotPermitted, Refused
from rules.permissions import Actor, Role
from tests.record import Record

PASSWORD = "harbour violet tram ladder"
ADDRESS = "rep@police.bnes.example"
ADMIN = Actor("admin-1", Role.ACCOUNT_ADMIN, is_person=True)
START = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)


@pytest.fixture
def admin() -> Actor:
    with unit_of_work() as session:
        session.add(Account(id=ADMIN.id, role=Role.ACCOUNT_ADMIN, is_person=True, added_at=now(session)))
    return ADMIN


def a_person(email: str = ADDRESS, **changes: str) -> AccountDocument:
    return AccountDocument(
        **{"email": email, "display_name": "Sam Rook", "role": "AGENCY", "agency": "POLICE"} | changes
    )


@pytest.fixture
def person(admin: Actor) -> str:
    """Somebody who has chosen a password; their account's id."""
    with unit_of_work() as session:
        at = now(session)
        account = accounts.add_person(session, a_person(), current_profile(), by=admin, at=at)
        path = newest_secret(AccountLetter.INVITATION, session)
        accounts.accept_invitation(session, path.rpartition("/")[2], PASSWORD, at=at)
        return account.id


def newest_secret(letter: AccountLetter, session=None) -> str:
    if session is None:
        with unit_of_work() as own:
            return newest_secret(letter, own)
    session.flush()
    notices = session.exec(select(Notice).where(Notice.message == letter).order_by(Notice.written_at)).all()
    return notices[-1].secret or ""


def begin(address: str = ADDRESS, password: str = PASSWORD, place: str = "192.0.2.1", known: str = "", at=START):
    with unit_of_work() as session:
        return signin.begin(session, address, password, place=place, known=known, at=at)


def finish(browser: str, code: str, at=START):
    with unit_of_work() as session:
        return signin.finish(session, browser, code, at=at)


def again(browser: str, at=START):
    with unit_of_work() as session:
        return signin.send_again(session, browser, at=at)


def code() -> str:
    return newest_secret(AccountLetter.SIGN_IN_CODE)


def wrong() -> str:
    return f"{(int(code()) + 1) % 10**6:06d}"


def test_a_password_and_the_code_from_the_mailbox_open_a_session(person: str):
    """R46, S-10"""
    browser = begin().token
    assert re.fullmatch(r"\d{6}", code())
    step = finish(browser, f" {code()[:3]} {code()[3:]} ")
    assert (step.answer, step.account_id) == (Answer.GO_ON, person)
    assert step.token not in ("", browser)
    with unit_of_work() as session:
        session.exec(select(PortalSession)).one().seen_at = sessions.real_now(session)
        session.exec(select(PortalSession)).one().started_at = sessions.real_now(session)
        session.flush()
        visitor = sessions.visitor_of(session, step.token)
    assert visitor is not None
    assert (visitor.actor.id, visitor.actor.agency, visitor.name) == (person, "POLICE", "Sam Rook")


def test_codes_and_tokens_are_kept_as_digests_alone(person: str, record: Record):
    """S-10, S-14, R51"""
    browser = begin().token
    used = code()
    session_token = finish(browser, used).token
    stored = record.ask("SELECT s::text FROM sign_in s UNION ALL SELECT p::text FROM portal_session p")
    for secret in (used, browser, session_token):
        assert all(secret not in row for (row,) in stored)
    salts = {row for (row,) in record.ask("SELECT code_salt FROM sign_in")}
    begin()
    assert len({row for (row,) in record.ask("SELECT code_salt FROM sign_in")} | salts) == 2


def test_a_code_works_once(person: str):
    """S-10"""
    browser = begin().token
    assert finish(browser, code()).answer is Answer.GO_ON
    assert finish(browser, code()).answer is Answer.START_AGAIN


@pytest.mark.parametrize(
    ("minutes", "answer"), [(9.99, Answer.GO_ON), (10, Answer.WRONG), (29.9, Answer.WRONG), (30, Answer.START_AGAIN)]
)
def test_a_code_lives_ten_minutes(person: str, minutes: float, answer: Answer):
    """R46, S-10"""
    browser = begin().token
    assert finish(browser, code(), START + timedelta(minutes=minutes)).answer is answer


def test_a_code_is_good_in_the_browser_that_asked_for_it_alone(person: str):
    """S-10: bound to the sign-in and the browser"""
    first = begin().token
    first_code = code()
    second = begin().token
    assert finish(second, first_code).answer is Answer.WRONG
    assert finish("another browser", code()).answer is Answer.START_AGAIN
    assert finish(first, first_code).answer is Answer.GO_ON


def test_somebody_elses_code_is_a_wrong_one(person: str, admin: Actor):
    """R46"""
    other = "second@police.bnes.example"
    with unit_of_work() as session:
        at = now(session)
        accounts.add_person(session, a_person(other), current_profile(), by=admin, at=at)
        token = newest_secret(AccountLetter.INVITATION, session).rpartition("/")[2]
        accounts.accept_invitation(session, token, PASSWORD, at=at)
    mine = begin().token
    begin(other)
    assert finish(mine, code()).answer is Answer.WRONG


def test_a_newer_code_kills_the_older_one(person: str):
    """S-10"""
    browser = begin().token
    older = code()
    assert again(browser, START + timedelta(seconds=29)) is Answer.TOO_SOON
    later = START + timedelta(seconds=30)
    assert again(browser, later) is Answer.GO_ON
    assert code() != older
    assert finish(browser, older, later).answer is Answer.WRONG
    assert finish(browser, code(), later).answer is Answer.GO_ON


def test_five_wrong_codes_kill_the_right_one(person: str):
    """R46, S-11"""
    browser = begin().token
    assert [finish(browser, wrong()).answer for _ in range(5)] == [Answer.WRONG] * 5
    assert finish(browser, code()).answer is Answer.TOO_MANY


def test_guesses_are_ten_in_a_quarter_of_an_hour_however_many_codes_are_asked_for(person: str):
    """S-11"""
    evaluated = 0
    at = START
    for _ in range(4):
        browser = begin(at=at).token
        for _ in range(8):
            evaluated += finish(browser, wrong(), at).answer is Answer.WRONG
        at += timedelta(seconds=31)
    assert evaluated == 10
    browser = begin(at=at).token
    assert finish(browser, code(), at).answer is Answer.TOO_MANY
    later = START + timedelta(minutes=31)
    browser = begin(at=later).token
    assert finish(browser, code(), later).answer is Answer.GO_ON


def test_fifty_guesses_at_one_moment_are_fifty_tries(person: str):
    """S-11: a race lets nobody through"""
    browser = begin().token
    bad = wrong()
    with ThreadPoolExecutor(10) as together:
        answers = list(together.map(lambda _: finish(browser, bad).answer, range(50)))
    assert answers.count(Answer.WRONG) == 5
    assert answers.count(Answer.TOO_MANY) == 45


def test_a_right_code_sent_many_times_at_once_opens_one_session(person: str, record: Record):
    """S-10, S-11"""
    browser, right = begin().token, code()
    with ThreadPoolExecutor(10) as together:
        answers = list(together.map(lambda _: finish(browser, right).answer, range(20)))
    assert answers.count(Answer.GO_ON) == 1
    assert record.ask("SELECT count(*) FROM portal_session") == [(1,)]


def test_a_hundred_wrong_codes_in_a_row_lock_the_account_until_it_is_invited_anew(person: str, record: Record):
    """S-11, NIST"""
    record.ask("UPDATE account SET wrong_codes = 100 WHERE id = %s RETURNING 1", person)
    assert begin().answer is Answer.WRONG
    with unit_of_work() as session:
        path = accounts.invite(session, person, by=ADMIN, at=now(session))
        accounts.accept_invitation(session, path.rpartition("/")[2], PASSWORD, at=now(session))
    assert begin().answer is Answer.GO_ON


def test_codes_are_sent_five_times_in_half_an_hour_and_never_before_the_password_is_right(person: str, record: Record):
    """S-12"""
    for number in range(20):
        begin(password="something else entirely", place=f"192.0.2.{number}")
    assert record.ask("SELECT count(*) FROM notice WHERE message = 'sign_in_code'") == [(0,)]
    later = START + timedelta(minutes=16)
    for _ in range(8):
        begin(at=later)
    assert record.ask("SELECT count(*) FROM notice WHERE message = 'sign_in_code'") == [(5,)]


@pytest.mark.parametrize(
    ("address", "password"),
    [(ADDRESS, "wrong"), ("nobody@police.bnes.example", PASSWORD), ("", ""), ("\x00", "\x00"), (ADDRESS, "x" * 5000)],
)
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(person: str, address: str, password: str):
    """S-13"""
    assert begin(address, password) == signin.Step(Answer.WRONG)


def test_an_unknown_address_takes_as_long_as_a_known_one(person: str, monkeypatch: pytest.MonkeyPatch):
    """S-13: the same Argon2 work is done for both"""
    hashed: list[str] = []
    hasher = passwords._hasher()

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            hashed.append(kept.split("$")[3])
            return hasher.verify(kept, password)

        hash = staticmethod(hasher.hash)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    begin(ADDRESS, "wrong")
    begin("nobody@police.bnes.example", "wrong")
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]


def test_an_address_is_found_however_it_is_capitalised(person: str):
    """R46"""
    assert begin("  Rep@Police.BNES.example ").answer is Answer.GO_ON


def test_strangers_cannot_lock_out_a_browser_that_is_known(person: str):
    """S-12"""
    browser = begin().token
    finish(browser, code())
    with unit_of_work() as session:
        known = signin.known_browser(session, person, at=START)
    for number in range(11):
        begin(password="no", place=f"192.0.2.{number % 3}")
    assert begin().answer is Answer.TOO_MANY
    assert begin(known=known, place="192.0.2.1").answer is Answer.GO_ON
    forged = known.replace(known[-1], "0" if known[-1] != "0" else "1")
    assert begin(known=forged).answer is Answer.TOO_MANY


@pytest.mark.parametrize("token", ["", ".", "9.", "9" * 40 + ".x", "²." + "0" * 64, "1.é"])
def test_a_made_up_known_browser_is_none(token: str, record: Record):
    """S-12"""
    assert not signin.is_known_browser(token, "digest", at=START)


def test_one_place_is_slowed_down_whatever_addresses_it_tries(record: Record):
    """S-11, S-13"""
    answers = [begin(f"{number}@police.bnes.example", "no").answer for number in range(101)]
    assert answers == [Answer.WRONG] * 100 + [Answer.TOO_MANY]


def test_a_leaver_is_out_at_once_and_stays_out(person: str):
    """R47, S-8"""
    browser, waiting = begin().token, begin().token
    right = code()
    token = finish(waiting, right).token
    with unit_of_work() as session:
        accounts.disable(session, person, by=ADMIN, at=now(session))
    with unit_of_work() as session:
        assert sessions.visitor_of(session, token) is None
    assert finish(browser, right).answer is Answer.START_AGAIN
    assert begin().answer is Answer.WRONG
    with unit_of_work() as session, pytest.raises(Refused):
        accounts.invite(session, person, by=ADMIN, at=now(session))


@pytest.mark.parametrize(
    ("column", "age", "alive"),
    [
        ("seen_at", "29 minutes", True),
        ("seen_at", "31 minutes", False),
        ("started_at", "11 hours 59 minutes", True),
        ("started_at", "12 hours 1 minute", False),
        ("ended_at", "0 seconds", False),
    ],
)
def test_a_session_ends_by_itself(person: str, record: Record, column: str, age: str, alive: bool):
    """S-14"""
    token = finish(begin().token, code()).token
    record.ask("UPDATE portal_session SET seen_at = now(), started_at = now() RETURNING 1")
    record.ask(f"UPDATE portal_session SET {column} = now() - %s::interval RETURNING 1", age)
    with unit_of_work() as session:
        assert (sessions.visitor_of(session, token) is not None) is alive


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(person: str, record: Record):
    """S-14"""
    token = finish(begin().token, code()).token
    old = "UPDATE portal_session SET started_at = now(), seen_at = now() - interval '20 minutes' RETURNING seen_at"
    [(seen,)] = record.ask(old)
    for looked_at in (False, True):
        with unit_of_work() as session:
            assert sessions.visitor_of(session, token, looked_at=looked_at)
        [(now_seen,)] = record.ask("SELECT seen_at FROM portal_session")
        assert (now_seen > seen) is looked_at


def test_signing_out_ends_the_session_for_whoever_holds_its_token(person: str):
    """S-14"""
    token = finish(begin().token, code()).token
    with unit_of_work() as session:
        sessions.end(session, token, at=START)
    with unit_of_work() as session:
        assert sessions.visitor_of(session, token) is None


@pytest.mark.parametrize("password", ["short", "password1234", "qwertyuiop123", "rep@police.bnes.example", "a" * 129])
def test_a_password_that_is_short_or_common_or_ones_own_is_refused(admin: Actor, password: str):
    """R46"""
    with unit_of_work() as session:
        accounts.add_person(session, a_person(), current_profile(), by=admin, at=now(session))
        token = newest_secret(AccountLetter.INVITATION, session).rpartition("/")[2]
        with pytest.raises(NotAcceptable) as refusal:
            accounts.accept_invitation(session, token, password, at=now(session))
    assert [field.pointer for field in refusal.value.fields] == ["/password"]


def test_an_invitation_works_once_and_a_newer_one_kills_it(person: str):
    """R47"""
    with unit_of_work() as session:
        at = now(session)
        first = accounts.invite(session, person, by=ADMIN, at=at).rpartition("/")[2]
        second = accounts.invite(session, person, by=ADMIN, at=at).rpartition("/")[2]
        assert accounts.invited(session, first) is None
        accounts.accept_invitation(session, second, PASSWORD, at=at)
        for token in (first, second, "never issued"):
            with pytest.raises(NotFound):
                accounts.accept_invitation(session, token, PASSWORD, at=at)


def test_a_new_password_signs_everybody_out(person: str):
    """S-14"""
    token = finish(begin().token, code()).token
    with unit_of_work() as session:
        path = accounts.invite(session, person, by=ADMIN, at=now(session))
        accounts.accept_invitation(session, path.rpartition("/")[2], PASSWORD, at=now(session))
        assert sessions.visitor_of(session, token) is None


@pytest.mark.parametrize(
    "email",
    [
        "rep@gmail.com",
        "rep@police.bnes.example.org",
        "rep@sub.police.bnes.example",
        "rep@polıce.bnes.example",
        "rep@police.bnes.exampie",
        "rep@awp.bnes.example",
        "not an address",
        "a@b@police.bnes.example",
    ],
)
def test_an_address_outside_the_body_is_refused(admin: Actor, email: str):
    """R47, S-9"""
    with unit_of_work() as session, pytest.raises(NotAcceptable) as refusal:
        accounts.add_person(session, a_person(email), current_profile(), by=admin, at=now(session))
    assert [field.pointer for field in refusal.value.fields] == ["/email"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"role": "HUB"}, "/role"),
        ({"role": "KING"}, "/role"),
        ({"agency": "NOBODY"}, "/agency"),
        ({"role": "OPERATOR"}, "/agency"),
        ({"duty_team": "CHILDREN_DUTY"}, "/duty_team"),
        ({"role": "DUTY_TEAM"}, "/duty_team"),
    ],
)
def test_an_account_fits_its_role(admin: Actor, changes: dict[str, str], pointer: str):
    """R47"""
    with unit_of_work() as session, pytest.raises(NotAcceptable) as refusal:
        accounts.add_person(session, a_person(**changes), current_profile(), by=admin, at=now(session))
    assert pointer in [field.pointer for field in refusal.value.fields]


def test_an_address_belongs_to_one_account(person: str):
    """R47"""
    document = a_person("REP@police.bnes.example")
    with unit_of_work() as session, pytest.raises(NotAcceptable):
        accounts.add_person(session, document, current_profile(), by=ADMIN, at=now(session))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ACCOUNT_ADMIN])
def test_nobody_but_an_administrator_touches_an_account(person: str, role: Role):
    """R47, S-9"""
    by = Actor("somebody", role, is_person=True, mash_profile=True)
    with unit_of_work() as session:
        at = now(session)
        induction = InductionDocument(inducted_at=at)
        for act in (
            lambda: accounts.add_person(session, a_person("x@police.bnes.example"), current_profile(), by=by, at=at),
            lambda: accounts.invite(session, person, by=by, at=at),
            lambda: accounts.disable(session, person, by=by, at=at),
            lambda: accounts.grant_mash_profile(session, person, induction, by=by, at=at),
            lambda: accounts.withdraw_mash_profile(session, person, by=by, at=at),
        ):
            with pytest.raises(NotPermitted):
                act()


def test_an_administrator_does_nothing_to_their_own_account(admin: Actor):
    """S-9: no self-grant"""
    with unit_of_work() as session:
        at = now(session)
        for act in (
            lambda: accounts.invite(session, admin.id, by=admin, at=at),
            lambda: accounts.disable(session, admin.id, by=admin, at=at),
            lambda: accounts.grant_mash_profile(session, admin.id, InductionDocument(inducted_at=at), by=admin, at=at),
        ):
            with pytest.raises(NotPermitted):
                act()


def test_a_system_does_not_administer(admin: Actor):
    """S-9"""
    with unit_of_work() as session, pytest.raises(NotPermitted):
        accounts.disable(session, "x", by=replace(admin, is_person=False), at=now(session))


def test_the_assessment_opens_only_after_an_induction_and_only_to_staff(person: str, admin: Actor):
    """R48, R64"""
    with unit_of_work() as session:
        at = now(session)
        staff = a_person("new@mash.bnes.example", role="MASH_SUPPORT").model_copy(update={"agency": None})
        account = accounts.add_person(session, staff, current_profile(), by=admin, at=at)
        tomorrow = InductionDocument(inducted_at=at + timedelta(days=1))
        with pytest.raises(NotAcceptable):
            accounts.grant_mash_profile(session, account.id, tomorrow, by=admin, at=at)
        with pytest.raises(Refused):
            accounts.grant_mash_profile(session, person, InductionDocument(inducted_at=at), by=admin, at=at)
        accounts.grant_mash_profile(session, account.id, InductionDocument(inducted_at=at), by=admin, at=at)
        assert account.mash_profile
        accounts.withdraw_mash_profile(session, account.id, by=admin, at=at)
        assert not account.mash_profile


def test_whatever_is_done_to_an_account_is_written_down_and_stays(person: str, record: Record):
    """R47: every change audited"""
    with unit_of_work() as session:
        accounts.invite(session, person, by=ADMIN, at=now(session))
        accounts.disable(session, person, by=ADMIN, at=now(session))
        done = [(event.act, event.actor) for event in reversed(accounts.events(session, person))]
    assert done == [
        ("ADDED", ADMIN.id), ("INVITED", ADMIN.id), ("PASSWORD_CHOSEN", person), ("INVITED", ADMIN.id),
        ("DISABLED", ADMIN.id),
    ]  # fmt: skip
    with pytest.raises(Exception, match="added, never changed"):
        record.ask("UPDATE account_event SET act = 'NOTHING' RETURNING 1")


def test_an_authenticator_takes_the_place_of_the_mail(person: str, record: Record):
    """R46"""
    secret = pyotp.random_base32()
    with unit_of_work() as session:
        account = session.get(Account, person)
        assert account is not None
        with pytest.raises(NotAcceptable):
            accounts.use_authenticator(session, secret, "000000x", by=account.as_actor(), at=now(session))
        shown = pyotp.TOTP(secret).at(sessions.real_now(session))
        accounts.use_authenticator(session, secret, shown, by=account.as_actor(), at=now(session))
    at = datetime.now(UTC) + timedelta(minutes=2)
    browser = begin(at=at).token
    assert record.ask("SELECT count(*) FROM notice WHERE message = 'sign_in_code'") == [(0,)]
    with unit_of_work() as session:
        assert signin.second_step(session, browser, at=at) == signin.SecondStep(authenticator=True, is_sent=False)
    assert again(browser, at + timedelta(minutes=1)) is Answer.TOO_MANY
    shown = pyotp.TOTP(secret).at(at)
    assert finish(browser, shown, at).answer is Answer.GO_ON
    replayed = begin(at=at).token
    assert finish(replayed, shown, at).answer is Answer.WRONG


@pytest.mark.parametrize("typed", ["", "é", "１２３４５６", "12345", "1234567", "x" * 10_000, "\x00"])
def test_what_is_no_code_is_a_wrong_one(person: str, typed: str):
    """S-11"""
    assert finish(begin().token, typed).answer is Answer.WRONG


def test_a_sign_in_left_half_done_opens_nothing(person: str):
    """S-14: half signed in is not signed in"""
    browser = begin().token
    with unit_of_work() as session:
        assert sessions.visitor_of(session, browser) is None
        assert session.exec(select(SignIn)).one().ended_at is None
