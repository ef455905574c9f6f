"""The second factor anew before what cannot be taken back, and forms that outlive the wait for it (S-14, S-16)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlmodel import select, update

from casework import kept_forms
from casework.db import unit_of_work
from casework.sessions import IDLE, real_now
from models.account import AccountEvent
from models.keyed import digest_of
from models.outbox import Notice
from models.signin import Draft, PortalSession
from notifications.account_letters import AccountLetter
from portal import cookies
from portal.access import ACCESS, NEEDS_SECOND_FACTOR
from tests.portal.office import Office, a_decision, acts
from tests.portal.people import Person, at_their_desk, let_in, newest_secret, prove, signed_in
from tests.portal.test_matrix import NOTHINGS

STAY = "mash-session"
LONG_AGO = timedelta(minutes=16)
WORDS = "A pattern over months, and no wish to be seen alone."
PAGES = sorted(route for route in NEEDS_SECOND_FACTOR if " /api/" not in route)
API = sorted(NEEDS_SECOND_FACTOR - set(PAGES))
ADMINISTRATION = [route for route in PAGES if "/accounts" in route]


@pytest.fixture
def decider(office: Office) -> Person:
    """A decision maker who signed in a while ago."""
    let_in("DECISION_MAKER")
    person = at_their_desk(office.client, "DECISION_MAKER")
    prove(person.cookies[STAY], ago=LONG_AGO)
    return person


@pytest.fixture
def waiting(office: Office) -> str:
    """A referral that waits for a decision."""
    return office.refer_and_join()


def verdict(reference: str, person: Person) -> dict[str, str]:
    """The decision's form, filled in for one child."""
    page = f"/board/{reference}/decision"
    return {
        "version_seen:int": person.hidden(page)["version_seen:int"], "decisions-0-subject": "S1",
        "decisions-0-threshold_met:bool": "false", "decisions-0-level_of_need": "L1", "decisions-0-outcome": "NFA",
        "decisions-0-rationale": WORDS, "decisions-0-words_for_duty_team": "Nothing more.",
        "without_discussion_because": "The returns are clear.", "do": "send",
    }  # fmt: skip


def code() -> str:
    return newest_secret(AccountLetter.SIGN_IN_CODE)


def mails() -> int:
    with unit_of_work() as session:
        return len(session.exec(select(Notice.id).where(Notice.message == AccountLetter.SIGN_IN_CODE)).all())


def test_what_needs_a_second_factor_is_in_the_access_table():
    """S-16: and a decision, a new account, an address and the MASH profile are among it"""
    assert set(ACCESS) >= NEEDS_SECOND_FACTOR
    deciding = {route for route in ACCESS if route.startswith("POST ") and route.endswith(("/decision", "/decisions"))}
    assert deciding <= NEEDS_SECOND_FACTOR
    assert {route.rpartition("/")[2] for route in ADMINISTRATION} == {
        "accounts-add", "address", "invite", "manager", "manager-authority", "mash-profile",
    }  # fmt: skip


@pytest.mark.parametrize("route", PAGES)
def test_a_page_asks_for_the_code_first_and_nothing_is_done(office: Office, route: str, waiting: str):
    """S-16"""
    person = at_their_desk(office.client, min(ACCESS[route] or ()))
    prove(person.cookies[STAY], ago=LONG_AGO)
    path = route.partition(" ")[2].format_map(NOTHINGS | {"reference": waiting, "account_id": "MASH_SUPPORT"})
    before = state(waiting)
    answer = person.post(path, {"email": "new@mash.bnes.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/step-up")
    assert state(waiting) == before


@pytest.mark.parametrize("route", API)
def test_the_api_says_that_the_second_factor_is_needed(office: Office, route: str, waiting: str):
    """S-16"""
    prove(office.tokens["DECISION_MAKER"], ago=LONG_AGO)
    before = state(waiting)
    path = route.partition("/api/v1")[2].format(reference=waiting)
    answer = office.post("DECISION_MAKER", path)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:mash:problem:second-factor-needed"
    assert state(waiting) == before


def state(reference: str) -> tuple[Any, ...]:
    with unit_of_work() as session:
        return acts(reference), len(session.exec(select(AccountEvent.id)).all())


def test_the_typed_decision_comes_back_filled_in_after_the_code_and_is_signed(decider: Person, waiting: str):
    """S-16, finding 14: nothing typed is lost"""
    page = f"/board/{waiting}/decision"
    form = verdict(waiting, decider)
    assert decider.send(page, form).headers["location"] == "/step-up"
    assert "What you typed is kept" in decider.get("/step-up").text
    assert decider.send("/step-up", {"code": code()}).headers["location"] == "/kept"
    shown = decider.get("/kept")
    assert shown.status_code == 200
    assert WORDS in shown.text
    assert "It is not sent yet" in shown.text
    assert f'action="{page}"' in shown.text
    assert "DECIDED" not in acts(waiting)
    assert decider.send(page, form).headers["location"] == f"/board/{waiting}?done=decided"
    assert acts(waiting).count("DECIDED") == 1
    assert decider.get("/kept").headers["location"] == "/"


def test_an_administrators_button_leads_back_to_its_page(office: Office):
    """S-16"""
    let_in("ACCOUNT_ADMIN")
    admin = at_their_desk(office.client, "ACCOUNT_ADMIN")
    prove(admin.cookies[STAY], ago=LONG_AGO)
    page = "/accounts/MASH_SUPPORT"
    assert admin.post(f"{page}/address", {"email": "typed@mash.bnes.example"}).headers["location"] == "/step-up"
    assert "authenticator app shows now" in admin.get("/step-up").text
    assert admin.send("/step-up", {"code": pyotp.TOTP("A" * 32).now()}).headers["location"] == "/kept"
    shown = admin.get("/kept").text
    assert "typed@mash.bnes.example" in shown
    assert f'action="{page}/address"' in shown


def test_a_draft_is_saved_without_the_code_and_decides_nothing(decider: Person, waiting: str):
    """S-16: no button gets around it"""
    page = f"/board/{waiting}/decision"
    for do in ("save", "add:decisions", "discard"):
        answer = decider.send(page, verdict(waiting, decider) | {"do": do})
        assert answer.headers["location"].startswith(page)
    for do in ("send", "", "Save", "add"):
        answer = decider.send(page, verdict(waiting, decider) | {"do": do})
        assert answer.headers["location"] == "/step-up"
    again = f"/board/{waiting}/reconsideration"
    for do, leads_to in {"save": f"{again}?done=saved", "send": "/step-up", "Save": "/step-up"}.items():
        assert decider.send(again, {"do": do}).headers["location"] == leads_to
    assert "DECIDED" not in acts(waiting)


def test_whoever_signed_in_just_now_is_not_asked_again(office: Office, waiting: str):
    """S-16"""
    person = signed_in(office.client, "DECISION_MAKER")
    answer = person.send(f"/board/{waiting}/decision", verdict(waiting, person))
    assert answer.headers["location"] == f"/board/{waiting}?done=decided"


def test_five_wrong_codes_kill_the_right_one(decider: Person, waiting: str):
    """S-11, S-16"""
    decider.send(f"/board/{waiting}/decision", verdict(waiting, decider))
    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    answers = [decider.send("/step-up", {"code": wrong}).status_code for _ in range(5)]
    assert answers == [422] * 5
    refused = decider.send("/step-up", {"code": code()})
    assert refused.status_code == 429
    assert 'href="#code"' in refused.text
    answer = decider.send(f"/board/{waiting}/decision", verdict(waiting, decider))
    assert answer.headers["location"] == "/step-up"


def test_a_code_is_good_in_the_session_that_asked_for_it_alone(office: Office, decider: Person, waiting: str):
    """S-10, S-16"""
    elsewhere = at_their_desk(office.client, "DECISION_MAKER")
    prove(elsewhere.cookies[STAY], ago=LONG_AGO)
    decider.send(f"/board/{waiting}/decision", verdict(waiting, decider))
    assert elsewhere.send("/step-up", {"code": code()}, page="/you").status_code == 422
    assert decider.send("/step-up", {"code": code()}).status_code == 303
    assert decider.send("/step-up", {"code": code()}, page="/you").status_code == 422


def test_asking_again_and_again_sends_five_codes_and_then_says_that_none_was_sent(decider: Person, waiting: str):
    """S-12: and no more than one for many presses of the button"""
    before = mails()
    for _ in range(4):
        decider.send(f"/board/{waiting}/decision", verdict(waiting, decider))
    assert mails() == before + 1
    assert decider.send("/step-up/again", page="/step-up").status_code == 429
    for _ in range(6):
        forget_pause()
        last = decider.send("/step-up/again", page="/step-up")
    assert mails() == before + 5
    assert last.status_code == 429
    assert "no more codes can be sent for now" in last.text.lower()


def forget_pause() -> None:
    from models.signin import SignIn

    with unit_of_work() as session:
        session.execute(update(SignIn).values(code_sent_at=SignIn.code_sent_at - timedelta(seconds=31)))  # type: ignore[operator]


def test_the_api_takes_the_code_and_then_the_decision(office: Office, waiting: str):
    """S-16"""
    let_in("DECISION_MAKER")
    prove(office.tokens["DECISION_MAKER"], ago=LONG_AGO)
    path = "/accounts/me/second-factor"
    asked = office.post("DECISION_MAKER", path).json()
    assert (asked["authenticator"], asked["code_sent"]) == (False, True)
    wrong = office.post("DECISION_MAKER", path, {"code": "no"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/code")
    assert office.post("DECISION_MAKER", path, {"code": code()}).json()["second_factor_until"]
    with unit_of_work() as session:
        document = a_decision(session, waiting) | {"without_discussion_because": "It is clear."}
    assert office.post("DECISION_MAKER", f"/referrals/{waiting}/decisions", document).status_code == 200


def test_guessing_by_the_api_is_counted_too(office: Office):
    """S-11"""
    let_in("SECOND_DECIDER")
    path = "/accounts/me/second-factor"
    office.post("SECOND_DECIDER", path)
    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    answers = [office.post("SECOND_DECIDER", path, {"code": wrong}).status_code for _ in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert office.post("SECOND_DECIDER", path, {"code": code()}).status_code == 429


def test_a_system_has_no_second_factor(office: Office):
    """S-16"""
    assert office.post("CHILDREN_DUTY", "/accounts/me/second-factor").status_code == 403


# --- forms that came too late ---


@pytest.fixture
def late(office: Office) -> Callable[[dict[str, str] | None], Person]:
    """A representative who was away for too long, sends a form all the same, and is led to the sign-in page."""

    def sent(form: dict[str, str] | None = None) -> Person:
        let_in("POLICE")
        person = at_their_desk(office.client, "POLICE")
        end(person)
        with unit_of_work() as session:
            session.execute(update(Draft).values(content={}))
        reference = office.refer_and_ask()
        person.reference = reference  # type: ignore[attr-defined]
        answer = person.post(f"/checks/{reference}/question", {"text": WORDS} | (form or {}))
        person.led = answer.headers.get("location", answer.status_code)  # type: ignore[attr-defined]
        return person

    return sent


def test_what_was_typed_outlives_the_session_and_is_offered_after_signing_in(late: Callable[..., Any]):
    """S-14, finding 14"""
    person = late()
    assert person.led == "/sign-in?next=/kept"
    assert "What you typed is kept" in person.get("/sign-in?next=/kept").text
    assert person.sign_in().headers["location"] == "/kept"
    shown = person.get("/kept").text
    assert WORDS in shown
    assert "Ask the MASH what is meant" in shown
    assert "CLARIFICATION_ASKED" not in acts(person.reference)
    sent = person.send(f"/checks/{person.reference}/question", {"text": WORDS})
    assert sent.status_code == 303
    assert acts(person.reference).count("CLARIFICATION_ASKED") == 1
    assert person.get("/kept").headers["location"] == "/"


def test_it_is_offered_to_nobody_else_and_is_sealed(late: Callable[..., Any], office: Office):
    """S-2, R51"""
    late()
    other = signed_in(office.client, "MENTAL_HEALTH")
    assert other.get("/kept").headers["location"] == "/"
    with unit_of_work() as session:
        asked = "SELECT content FROM draft WHERE purpose = 'kept-form' AND account_id = 'POLICE'"
        sealed = bytes(session.connection().exec_driver_sql(asked).scalar_one())
    assert WORDS.encode() not in sealed
    assert len(sealed) > len(WORDS)


def test_a_button_that_no_page_shows_filled_in_comes_back_as_a_button(office: Office):
    """S-14"""
    let_in("OFFICER")
    officer = at_their_desk(office.client, "OFFICER")
    end(officer)
    reference = office.refer_and_hand_back()
    path = f"/referrals/{reference}/acknowledgement"
    assert officer.post(path, {"version": "1"}).headers["location"] == "/sign-in?next=/kept"
    officer.sign_in()
    shown = officer.get("/kept").text
    assert "Send it now" in shown
    assert f'action="{path}"' in shown
    earlier = officer.post(path, {"version": "1", "form_token": "0" * 64})
    assert earlier.status_code == 422
    assert "you signed in again after its page was opened" in earlier.text
    assert "ACKNOWLEDGED" not in acts(reference)
    assert officer.send(path, page="/kept").status_code == 303
    assert "ACKNOWLEDGED" in acts(reference)


def end(person: Person) -> None:
    """Half an hour passes without a click."""
    with unit_of_work() as session:
        idle = real_now(session) - IDLE
        stay = digest_of(person.cookies[STAY])
        session.execute(update(PortalSession).where(PortalSession.digest == stay).values(seen_at=idle))  # type: ignore[arg-type]


def test_a_form_without_the_pages_own_token_is_not_kept(late: Callable[..., Any]):
    """S-15"""
    person = late({"form_token": "0" * 64})
    assert person.led == 403
    assert person.sign_in().headers["location"] == "/"


def test_a_form_of_a_page_opened_before_signing_in_anew_is_shown_filled_in_and_not_taken(office: Office):
    """S-15, finding 14: whoever sends it again, from this very browser's page, sends it under the new session"""
    reference = office.refer_and_ask()
    person, path = at_their_desk(office.client, "POLICE"), f"/checks/{reference}/question"
    earlier = person.hidden(path) | {"text": WORDS}
    person.cookies = at_their_desk(office.client, "POLICE").cookies
    shown = person.post(path, earlier)
    assert (shown.status_code, WORDS in shown.text) == (422, True)
    assert "It is not sent yet" in shown.text
    assert cookies.form_token(person.cookies[STAY]) in shown.text
    for elsewhere in ("cross-site", "same-site", "none", ""):
        refused = person.post(path, earlier, **{"Sec-Fetch-Site": elsewhere})
        assert (refused.status_code, WORDS in refused.text) == (403, False), elsewhere
    for odd in ({"Origin": "https://evil.example"}, {cookies.HEADER: earlier["form_token"]}):
        assert person.post(path, earlier, **odd).status_code == 403
    assert person.post(path, earlier | {"form_token": ""}).status_code == 403
    button = person.post(f"/checks/{reference}/acknowledge", earlier | {"known": "NOT_KNOWN"})
    # What a role may not do stays refused.
    assert person.post(f"/board/{reference}/discuss-now", earlier).status_code == 403
    assert not {"CLARIFICATION_ASKED", "CHECK_ACKNOWLEDGED"} & set(acts(reference))
    assert button.status_code == 422
    assert "You signed in again after this page was opened" in button.text
    assert person.send(path, {"text": WORDS}).status_code == 303


def test_it_is_kept_for_an_hour(late: Callable[..., Any]):
    """S-14"""
    person = late()
    with unit_of_work() as session:
        session.execute(update(Draft).values(saved_at=real_now(session) - kept_forms.LIFE))
    assert person.sign_in().headers["location"] == "/"
    assert person.get("/kept").headers["location"] == "/"


def test_a_page_says_until_when_one_is_signed_in_and_looking_keeps_nobody_signed_in(office: Office):
    """S-14: idle 15 to 30 minutes"""
    person = at_their_desk(office.client, "POLICE")
    assert "You stay signed in until" in person.get("/you").text
    with unit_of_work() as session:
        stay = digest_of(person.cookies[STAY])
        seen = real_now(session) - timedelta(minutes=20)
        session.execute(update(PortalSession).where(PortalSession.digest == stay).values(seen_at=seen))  # type: ignore[arg-type]
    assert 500 < int(person.get("/stay").text) <= 600
    assert int(person.get("/stay").text) <= 600
    assert person.post("/stay").status_code == 200
    assert 1700 < int(person.get("/stay").text) <= 1800
