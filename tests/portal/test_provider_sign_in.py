"""Signing in through a council's own service: a real one on this machine, over real HTTP (R46)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlmodel import select, update

from casework import signin, step_up
from casework.accounts import events, give_address
from casework.db import now, unit_of_work
from casework.sessions import real_now
from models.account import Account
from models.outbox import Notice
from models.settings import settings
from models.signin import ProviderVisit, Throttle
from notifications.account_letters import AccountLetter
from tests.portal.council import CLIENT, DOMAIN, SECRET, Council, council, query
from tests.portal.office import Office
from tests.portal.people import Person, address_of, newest_secret

SESSION, PROVIDER = "mash-session", "mash-provider"
THERE, BACK = "/sign-in/provider", "/sign-in/provider/back"
WHO = "POLICE"
REFUSED = "Council account: you could not be signed in that way"
Offer = Callable[..., Council]


@pytest.fixture(scope="module")
def service(record: object) -> Iterator[Council]:
    with council(f"{settings().portal_url}{BACK}") as running:
        yield running


@pytest.fixture
def offer(service: Council, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Tells the hub of the service, for one test, with other settings where one says so."""

    def offered(**changes: str) -> Council:
        given = {
            "ISSUER": service.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "DOMAINS": f"x.example, {DOMAIN}",
        }  # fmt: skip
        for name, value in (given | changes).items():
            monkeypatch.setenv(f"MASH_OIDC_{name}", value)
        settings.cache_clear()
        return service

    yield offered
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def unbound(record: object) -> None:
    """Nobody is bound to anybody at the service yet, and nobody has tried anything."""
    with unit_of_work() as session:
        session.execute(update(Account).values(provider_subject=None, wrong_codes=0))
        session.execute(update(Throttle).values(tries=0))
        for account_id in (WHO, "RUH", "ACCOUNT_ADMIN"):
            account = session.get(Account, account_id)
            assert account is not None
            give_address(session, account, address_of(account_id), f"Person {account_id}")


def sent_off(office: Office, back: str = "") -> tuple[Person, str]:
    """A browser that was sent to the service, and the address that it was sent to."""
    person = Person(office.client, WHO)
    answer = person.get(f"{THERE}?next={back}" if back else THERE)
    assert answer.status_code == 303, answer.text
    return person, answer.headers["location"]


def bring_back(person: Person, address: str) -> Any:
    """The browser follows the service's redirection to us."""
    assert address.startswith(settings().portal_url + BACK), address
    return person.get(address.removeprefix(settings().portal_url))


def come_in(office: Office, service: Council, back: str = "") -> tuple[Person, Any]:
    """The whole way there and back, for whoever sits at the service."""
    person, there = sent_off(office, back)
    return person, bring_back(person, service.answer(there))


def is_refused(answer: Any, person: Person) -> bool:
    return answer.status_code == 422 and REFUSED in answer.text and SESSION not in person.cookies


# --- who comes in ---


def test_whoever_the_council_vouches_for_comes_in_with_the_hubs_own_code(office: Office, offer: Offer):
    """R46: the service stands for the password alone, unless the site says otherwise"""
    service = offer()
    service.seat("sam", address_of(WHO), ("password", "otp"), email_verified=True)
    person, answer = come_in(office, service, "/tasks")
    assert answer.headers["location"] == "/sign-in/code?next=/tasks"
    assert person.get("/you").status_code == 303
    code = {"code": newest_secret(AccountLetter.SIGN_IN_CODE)}
    last = person.send("/sign-in/code", code, page=answer.headers["location"])
    assert last.headers["location"] == "/tasks"
    assert person.get("/you").status_code == 200
    assert PROVIDER not in person.cookies


@pytest.mark.parametrize("counts", ["mfa", "gold, mfa"])
def test_a_second_factor_given_there_spares_the_hubs_own_where_the_site_says_so(
    office: Office, offer: Offer, counts: str
):
    """R46, S-14, S-16: and what cannot be taken back asks for the hub's own all the same"""
    service = offer(SECOND_FACTOR=counts)
    service.seat("sam", address_of(WHO), ("password", "otp"), email_verified=True)
    before = codes_sent()
    person, answer = come_in(office, service, "/tasks")
    assert answer.headers["location"] == "/tasks"
    assert person.get("/tasks").status_code == 200
    assert codes_sent() == before
    with unit_of_work() as session:
        assert step_up.good_until(session, person.cookies[SESSION]) is None
        with pytest.raises(step_up.SecondFactorNeeded):
            step_up.check_fresh(session, person.cookies[SESSION])


@pytest.mark.parametrize(("methods", "counts"), [(("password",), "mfa"), (("password", "otp"), "gold"), ((), "mfa")])
def test_what_does_not_count_as_a_second_factor_there_is_asked_for_here(
    office: Office, offer: Offer, methods: tuple[str, ...], counts: str
):
    """R46"""
    service = offer(SECOND_FACTOR=counts)
    service.seat("sam", address_of(WHO), methods, email_verified=True)
    assert come_in(office, service)[1].headers["location"] == "/sign-in/code"


def test_an_administrator_gives_the_hubs_own_second_factor_whatever_the_council_says(office: Office, offer: Offer):
    """S-16: they hold the keys to other people's accounts"""
    service = offer(SECOND_FACTOR="mfa")
    service.seat("ada", address_of("ACCOUNT_ADMIN"), ("password", "otp"), email_verified=True)
    person, answer = come_in(office, service)
    assert answer.headers["location"] == "/sign-in/code"
    assert person.get("/accounts").status_code == 303


def test_who_came_once_is_known_by_more_than_their_address(office: Office, offer: Offer):
    """R46, R47: bound at the first time, and written down"""
    service = offer(SECOND_FACTOR="mfa")
    service.seat("sam", address_of(WHO).upper(), ("password", "otp"), email_verified=True)
    assert come_in(office, service)[1].headers["location"] == "/"
    service.seat("sam", "sam.rook.married@elsewhere.example", ("password", "otp"))
    assert come_in(office, service)[1].headers["location"] == "/"
    with unit_of_work() as session:
        assert events(session, WHO)[0].act == "PROVIDER_BOUND"


def test_an_address_that_the_council_gave_to_somebody_else_opens_nothing(office: Office, offer: Offer):
    """R46: a leaver's address comes to their successor, and not what they had"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    come_in(office, service)
    service.seat("successor", address_of(WHO), email_verified=True)
    person, answer = come_in(office, service)
    assert is_refused(answer, person)


# --- who does not ---


def test_unknown_disabled_and_locked_are_answered_alike(office: Office, offer: Offer):
    """R46, S-13: and nobody gets an account by coming"""
    service, answers = offer(), []
    with unit_of_work() as session:
        session.get_one(Account, "RUH").disabled_at = now(session)
        session.get_one(Account, WHO).wrong_codes = signin.MOST_WRONG
        before = len(session.exec(select(Account.id)).all())
    try:
        for address in ("nobody@people.example", address_of("RUH"), address_of(WHO)):
            service.seat(address.partition("@")[0], address, email_verified=True)
            person, answer = come_in(office, service)
            assert is_refused(answer, person)
            answers.append(re.sub(r'name="form_token" value="[0-9a-f]+"', "", answer.text))
    finally:
        with unit_of_work() as session:
            session.get_one(Account, "RUH").disabled_at = None
    assert answers[0] == answers[1] == answers[2]
    with unit_of_work() as session:
        assert len(session.exec(select(Account.id)).all()) == before
        assert session.get_one(Account, "RUH").provider_subject is None


@pytest.mark.parametrize(
    ("changes", "says", "is_let_in"),
    [
        ({}, {"email_verified": True}, True),
        ({}, {"email_verified": False}, False),
        ({}, {"email_verified": "true"}, False),
        ({}, {}, False),
        ({"ADDRESSES_VERIFIED": "true"}, {}, True),
        ({"ADDRESSES_VERIFIED": "true"}, {"email_verified": False}, False),
        ({"DOMAINS": "council.example"}, {"email_verified": True}, False),
        ({"DOMAINS": f"sub.{DOMAIN}"}, {"email_verified": True}, False),
        ({"DOMAINS": DOMAIN.upper()}, {"email_verified": True}, True),
        ({}, {"email_verified": True, "email": None}, False),
        ({}, {"email_verified": True, "email": [address_of(WHO)]}, False),
    ],
)
def test_only_a_verified_address_of_the_councils_own_domains_finds_an_account(
    office: Office, offer: Offer, changes: dict[str, str], says: dict[str, Any], is_let_in: bool
):
    """R46: a council's service cannot bring in the people of another body"""
    service = offer(**changes)
    service.seat("sam", address_of(WHO), **says)
    person, answer = come_in(office, service)
    if is_let_in:
        assert answer.headers["location"] == "/sign-in/code"
    else:
        assert is_refused(answer, person)


# --- what others may try ---


def test_nobody_comes_back_with_what_another_browser_was_given(office: Office, offer: Offer):
    """S-14, S-15: and the browser that it belongs to comes in yet"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    person, there = sent_off(office)
    address = service.answer(there)
    for other in (Person(office.client, WHO), sent_off(office)[0]):
        assert is_refused(bring_back(other, address), other)
    assert bring_back(person, address).headers["location"] == "/sign-in/code"


def test_nobody_comes_back_twice(office: Office, offer: Offer):
    """S-14: replay"""
    service = offer(SECOND_FACTOR="mfa")
    service.seat("sam", address_of(WHO), ("password", "otp"), email_verified=True)
    person, there = sent_off(office)
    kept, address = dict(person.cookies), service.answer(there)
    assert bring_back(person, address).headers["location"] == "/"
    person.cookies = kept
    assert is_refused(bring_back(person, address), person)


def test_nobody_comes_back_after_ten_minutes(office: Office, offer: Offer):
    """S-14"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    person, there = sent_off(office)
    with unit_of_work() as session:
        session.execute(update(ProviderVisit).values(started_at=real_now(session) - timedelta(minutes=10)))
    assert is_refused(bring_back(person, service.answer(there)), person)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "guessed"},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"code": "guessed"},
        {"code": ""},
    ],
    ids=str,
)
def test_an_answer_that_was_changed_on_the_way_back_opens_nothing(
    office: Office, offer: Offer, changes: dict[str, str]
):
    """S-14: among them the answer of another service (RFC 9207)"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    person, there = sent_off(office)
    answered = query(service.answer(there)) | changes
    kept = {name: value for name, value in answered.items() if value}
    assert is_refused(person.get(f"{BACK}?{urlencode(kept)}"), person)


@pytest.mark.parametrize(
    "changes", [{"nonce": "another"}, {"nonce": None}, {"code_challenge": "x" * 43}, {"scope": "email"}], ids=str
)
def test_a_question_that_was_changed_on_the_way_there_opens_nothing(
    office: Office, offer: Offer, changes: dict[str, str | None]
):
    """S-14: a token with another nonce, a code bound to another verifier, no token at all"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    person, there = sent_off(office)
    asked = {name: value for name, value in (query(there) | changes).items() if value is not None}
    address = service.answer(f"{there.partition('?')[0]}?{urlencode(asked)}")
    assert is_refused(bring_back(person, address), person)


def test_a_code_that_was_somebody_elses_opens_nothing(office: Office, offer: Offer):
    """S-14: a stolen code put into one's own answer is bound to the other's verifier"""
    service = offer()
    service.seat("sam", address_of(WHO), email_verified=True)
    stolen = query(service.answer(sent_off(office)[1]))["code"]
    thief, there = sent_off(office)
    answered = query(service.answer(there)) | {"code": stolen}
    assert is_refused(thief.get(f"{BACK}?{urlencode(answered)}"), thief)


# --- when the service says no, or nothing ---


def test_the_services_own_words_reach_nobody(office: Office, offer: Offer, caplog: pytest.LogCaptureFixture):
    """R51: neither the page nor the log"""
    offer()
    person, there = sent_off(office)
    said = {"error": "access_denied", "error_description": "Kanarie says no", "state": query(there)["state"]}
    answer = person.get(f"{BACK}?{urlencode(said)}")
    assert is_refused(answer, person)
    assert "Kanarie" not in answer.text + caplog.text
    assert "access_denied" not in answer.text + caplog.text
    assert said["state"] not in caplog.text


def test_a_wrong_secret_of_ours_lets_nobody_in(office: Office, offer: Offer, caplog: pytest.LogCaptureFixture):
    service = offer(CLIENT_SECRET="not it")
    service.seat("sam", address_of(WHO), email_verified=True)
    person, answer = come_in(office, service)
    assert is_refused(answer, person)
    assert "the sign-in service answered 401" in caplog.text
    assert "not it" not in caplog.text


@pytest.mark.parametrize("issuer", ["http://localhost:9", "{issuer}/", "{issuer}/oauth"])
def test_a_service_that_is_silent_or_another_is_said_to_be_silent(office: Office, offer: Offer, issuer: str):
    """R46: and the password's way stays open"""
    service = offer()
    offer(ISSUER=issuer.format(issuer=service.issuer))
    answer = Person(office.client, WHO).get(THERE)
    assert answer.status_code == 503
    assert "that sign-in service does not answer: use your password" in answer.text
    assert 'name="password"' in answer.text


def test_too_many_from_one_place_are_stopped(office: Office, offer: Offer):
    """S-11"""
    offer()
    with unit_of_work() as session:
        sent_off(office)
        session.execute(update(Throttle).values(tries=signin.FROM_ONE_PLACE.most))
    assert Person(office.client, WHO).get(THERE).status_code == 429


# --- what a site sets ---


def test_the_second_button_says_what_the_site_wants(office: Office, offer: Offer):
    """R46"""
    offer(LABEL="Sign in with the council & friends")
    text = Person(office.client, WHO).get("/sign-in?next=/tasks").text
    assert 'href="/sign-in/provider?next=/tasks"' in text
    assert "Sign in with the council &amp; friends" in text


def test_without_a_service_there_is_no_button_and_no_way(office: Office):
    """R46: off unless a site sets it"""
    person = Person(office.client, WHO)
    assert THERE not in person.get("/sign-in").text
    assert {person.get(path).status_code for path in (THERE, BACK)} == {404}


def test_the_secret_of_a_trip_is_stored_nowhere(office: Office, offer: Offer):
    """S-10: whoever reads the record can finish nobody's sign-in"""
    offer()
    person, there = sent_off(office)
    asked = query(there)
    with unit_of_work() as session:
        kept = "".join(str(visit.model_dump()) for visit in session.exec(select(ProviderVisit)))
    assert len(kept) > 0
    for secret in (asked["state"], asked["nonce"], asked["code_challenge"], person.cookies[PROVIDER]):
        assert secret not in kept


def codes_sent() -> int:
    with unit_of_work() as session:
        return len(session.exec(select(Notice).where(Notice.message == AccountLetter.SIGN_IN_CODE)).all())
