"""The sign-in pages, as a browser and as somebody else sees them (R46, R47, S-13 to S-15)."""

from __future__ import annotations

import pytest

from casework import accounts
from casework.db import now, unit_of_work
from models.account import Account
from notifications.account_letters import AccountLetter
from portal import cookies
from rules.permissions import Actor, Role
from tests.portal.office import Office
from tests.portal.people import HTML, PASSWORD, Person, address_of, let_in, newest_secret, signed_in

SESSION = "mash-session"


@pytest.fixture
def person(office: Office) -> Person:
    return signed_in(office.client, "POLICE")


def test_whoever_signs_in_comes_to_their_own_work(person: Person):
    """R46"""
    assert person.get("/").headers["location"] == "/tasks"


def test_the_link_in_a_message_leads_back_after_signing_in(office: Office):
    """R46"""
    let_in("POLICE")
    somebody = Person(office.client, "POLICE")
    asked = somebody.get("/r/7KQ2-XW9S").headers["location"]
    assert asked == "/sign-in?next=/r/7KQ2-XW9S"
    first = somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD}, page=asked)
    code = {"code": newest_secret(AccountLetter.SIGN_IN_CODE)}
    last = somebody.send("/sign-in/code", code, page=first.headers["location"])
    assert last.headers["location"] == "/r/7KQ2-XW9S"


@pytest.mark.parametrize(
    "next_page", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a?b=//c", ""]
)
def test_nobody_is_led_to_another_site(office: Office, next_page: str):
    """S-17"""
    let_in("POLICE")
    somebody = Person(office.client, "POLICE")
    somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD, "next": next_page})
    code = {"code": newest_secret(AccountLetter.SIGN_IN_CODE), "next": next_page}
    assert somebody.send("/sign-in/code", code).headers["location"] == "/"


def test_known_unknown_and_disabled_are_answered_alike(office: Office):
    """S-13"""
    let_in("POLICE")
    let_in("RUH")
    with unit_of_work() as session:
        account = session.get(Account, "RUH")
        assert account is not None
        account.disabled_at = now(session)
    try:
        answers = []
        for address in (address_of("POLICE"), address_of("RUH"), "nobody@people.example"):
            somebody = Person(office.client, "POLICE")
            answer = somebody.send("/sign-in", {"email": address, "password": "not the password"})
            text = answer.text.replace(address, "ADDRESS").replace(somebody.hidden("/sign-in")["form_token"], "")
            answers.append((answer.status_code, _without_tokens(text), sorted(answer.headers)))
        assert answers[0] == answers[1] == answers[2]
        assert answers[0][0] == 422
    finally:
        with unit_of_work() as session:
            account = session.get(Account, "RUH")
            assert account is not None
            account.disabled_at = None


def _without_tokens(text: str) -> str:
    import re

    return re.sub(r'name="form_token" value="[0-9a-f]+"', "", text)


def test_the_session_is_another_token_at_each_step(office: Office):
    """S-14: fixation"""
    let_in("POLICE")
    somebody = Person(office.client, "POLICE")
    somebody.cookies = {SESSION: "planted", "mash-visit": "planted"}
    seen = {"planted"}
    somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD})
    assert somebody.cookies["mash-visit"] not in seen
    seen.add(somebody.cookies["mash-visit"])
    somebody.send("/sign-in/code", {"code": newest_secret(AccountLetter.SIGN_IN_CODE)})
    assert somebody.cookies[SESSION] not in seen
    assert "mash-visit" not in somebody.cookies
    planted = Person(office.client, "POLICE")
    planted.cookies = {SESSION: "planted"}
    assert planted.get("/you").status_code == 303


def test_half_signed_in_is_not_signed_in(office: Office):
    """S-1, S-14"""
    let_in("POLICE")
    somebody = Person(office.client, "POLICE")
    somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD})
    somebody.cookies[SESSION] = somebody.cookies["mash-visit"]
    assert somebody.get("/you").headers["location"] == "/sign-in?next=/you"


def test_signing_out_ends_the_session_wherever_its_cookie_is(person: Person):
    """S-14"""
    kept = dict(person.cookies)
    assert person.send("/sign-out", page="/you").headers["location"] == "/sign-in?done=signed-out"
    assert SESSION not in person.cookies
    person.cookies = kept
    assert person.get("/you").status_code == 303


def test_a_disabled_account_is_out_with_its_next_click(office: Office):
    """R47, S-8"""
    person = signed_in(office.client, "RUH")
    with unit_of_work() as session:
        accounts.disable(session, "RUH", by=Actor("a", Role.ACCOUNT_ADMIN, is_person=True), at=now(session))
    try:
        assert person.get("/you").headers["location"] == "/sign-in?next=/you"
    finally:
        with unit_of_work() as session:
            account = session.get(Account, "RUH")
            assert account is not None
            account.disabled_at = None


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"form_token": ""}, {}),
        ({"form_token": "0" * 64}, {}),
        ({"form_token": "é"}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Origin": "https://evil.example"}),
        ({}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}),
    ],
)
def test_a_form_from_elsewhere_changes_nothing(person: Person, changes: dict[str, str], headers: dict[str, str]):
    """S-15"""
    answer = person.send("/sign-out", changes, page="/you", **headers)
    assert answer.status_code == 403
    assert person.get("/you").status_code == 200


def test_another_persons_form_token_is_none(office: Office, person: Person):
    """S-15"""
    other = signed_in(office.client, "MENTAL_HEALTH")
    answer = person.send("/sign-out", {"form_token": other.hidden("/you")["form_token"]}, page="/you")
    assert answer.status_code == 403


def test_a_form_as_plain_text_is_refused(person: Person):
    """S-15"""
    answer = person.client.post("/sign-out", content=b"form_token=x", headers=HTML | {"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_the_api_takes_a_session_that_proves_its_page(person: Person):
    """R48, S-15"""
    session = person.cookies[SESSION]
    own = {"Cookie": f"{SESSION}={session}"}
    me = person.client.get("/api/v1/accounts/me", headers=own)
    assert me.json()["id"] == "POLICE"
    path, content = "/api/v1/referrals/7KQ2-XW9S/check/acknowledge", {"Content-Type": "application/json"}
    assert person.client.post(path, content=b"{}", headers=own | content).status_code == 401
    proven = own | content | {cookies.HEADER: cookies.form_token(session)}
    assert person.client.post(path, content=b"{}", headers=proven).status_code == 404
    foreign = proven | {"Sec-Fetch-Site": "cross-site"}
    assert person.client.post(path, content=b"{}", headers=foreign).status_code == 401


def test_cookies_are_for_this_host_and_no_script(office: Office):
    """S-14"""
    header = office.client.get("/sign-in", headers=HTML).headers["set-cookie"]
    assert header.startswith("mash-visit=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in header.split(";")}


def test_by_https_cookies_are_secure_and_bound_to_the_host(record: object, monkeypatch: pytest.MonkeyPatch):
    """S-14"""
    monkeypatch.setattr(cookies, "is_secure", lambda: True)
    assert cookies.name_of(cookies.SESSION) == "__Host-mash-session"
    from starlette.responses import Response

    response = Response()
    cookies.give(response, cookies.SESSION, "x")
    assert "Secure" in response.headers["set-cookie"]


def test_an_invitation_is_used_once(office: Office):
    """R47"""
    let_in("POLICE")
    with unit_of_work() as session:
        path = accounts.send_invitation(session, "POLICE", by=Actor("HUB", Role.HUB), at=now(session))
    somebody = Person(office.client, "POLICE")
    assert somebody.send(path, {"password": "password1234"}).status_code == 422
    assert somebody.send(path, {"password": PASSWORD}).headers["location"] == "/sign-in?done=password"
    assert somebody.get(path).status_code == 404
    assert somebody.sign_in().headers["location"] == "/"


def test_nobody_can_open_an_account_of_their_own(office: Office):
    """R47"""
    for path in ("/sign-up", "/register", "/join", "/invitation/guessed"):
        assert office.client.get(path, headers=HTML, follow_redirects=False).status_code == 404


def test_an_administrator_sets_up_an_authenticator_before_anything_else(office: Office):
    """R46"""
    import re

    import pyotp

    admin = signed_in(office.client, "ACCOUNT_ADMIN")
    assert admin.get("/you").headers["location"] == "/you/authenticator"
    secret = re.search(r"secret=([A-Z2-7]{32})", admin.get("/you/authenticator").text)
    assert secret
    assert admin.send("/you/authenticator", {"code": "1"}).status_code == 422
    shown = pyotp.TOTP(secret[1]).now()
    assert admin.send("/you/authenticator", {"code": shown}).headers["location"] == "/you?done=authenticator"
    assert admin.get("/you").status_code == 200


def test_pages_carry_the_strict_headers_and_nothing_inline(person: Person):
    """S-17"""
    for path in ("/you", "/about", "/sign-in"):
        answer = person.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert " onclick" not in answer.text
        assert "<script>" not in answer.text


def test_what_the_mash_does_is_told_to_everybody_from_the_profile(office: Office):
    """R07, R72"""
    from html import unescape

    from casework.register import current_profile

    text = unescape(office.client.get("/about", headers=HTML).text)
    for sentence in (*current_profile().wording.will_do, *current_profile().wording.wont_do):
        assert sentence in text
    assert "The hub works behind the duty teams" in text


def test_the_page_says_that_a_code_was_sent_only_when_one_was(office: Office):
    """S-12, R46"""
    let_in("POLICE")
    for _ in range(5):
        somebody = Person(office.client, "POLICE")
        first = somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD})
        assert "We have sent a code" in somebody.get(first.headers["location"]).text
    somebody = Person(office.client, "POLICE")
    somebody.send("/sign-in", {"email": address_of("POLICE"), "password": PASSWORD})
    text = somebody.get("/sign-in/code").text
    assert "We have sent a code" not in text
    assert "No code is on its way" in text
    again = somebody.send("/sign-in/code/again", page="/sign-in/code")
    assert again.status_code == 429
    assert "no more codes can be sent for now" in again.text.lower()
