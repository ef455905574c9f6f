"""The page on which somebody changes their own password (R46, S-14, S-16)."""

from __future__ import annotations

from datetime import timedelta

from casework import kept_forms
from casework.db import unit_of_work
from casework.sessions import real_now
from notifications.account_letters import AccountLetter
from tests.portal.office import Office
from tests.portal.people import PASSWORD, Person, address_of, newest_secret, prove, signed_in

PAGE = "/you/password"
NEW = "copper meadow quiet engine"
STAY = "mash-session"


def test_a_password_is_changed_with_the_old_one_and_signs_in_from_then_on(office: Office):
    """R46: another browser of the same person is signed out"""
    person = signed_in(office.client, "MENTAL_HEALTH")
    elsewhere = Person(office.client, "MENTAL_HEALTH")
    elsewhere.sign_in()
    assert f'href="{PAGE}"' in person.get("/you").text
    wrong = person.send(PAGE, {"old_password": "not it at all", "password": NEW})
    assert (wrong.status_code, 'href="#old_password"' in wrong.text) == (422, True)
    weak = person.send(PAGE, {"old_password": PASSWORD, "password": "password1234"})
    assert (weak.status_code, 'href="#password"' in weak.text) == (422, True)
    assert (
        person.send(PAGE, {"old_password": PASSWORD, "password": NEW}).headers["location"]
        == "/you?done=password-changed"
    )
    assert person.get("/you").status_code == 200
    assert elsewhere.get("/you").status_code == 303
    again = Person(office.client, "MENTAL_HEALTH")
    refused = again.send("/sign-in", {"email": address_of("MENTAL_HEALTH"), "password": PASSWORD})
    assert refused.status_code == 422
    accepted = again.send("/sign-in", {"email": address_of("MENTAL_HEALTH"), "password": NEW})
    assert accepted.headers["location"] == "/sign-in/code"


def test_the_second_factor_comes_first_and_leads_back(office: Office):
    """S-16"""
    person = signed_in(office.client, "MENTAL_HEALTH")
    prove(person.cookies[STAY], ago=timedelta(minutes=16))
    assert person.get(PAGE).headers["location"] == "/step-up"
    code = newest_secret(AccountLetter.SIGN_IN_CODE)
    assert person.send("/step-up", {"code": code}).headers["location"] == "/kept"
    shown = person.get("/kept")
    assert f'action="{PAGE}"' in shown.text
    assert "This is what you typed" not in shown.text
    assert person.send(PAGE, {"old_password": PASSWORD, "password": NEW}).status_code == 303


def test_no_password_is_kept_for_later(office: Office):
    """S-14: not even sealed, when the second factor ran out while somebody was typing"""
    person = signed_in(office.client, "MENTAL_HEALTH")
    form = person.hidden(PAGE) | {"old_password": PASSWORD, "password": NEW}
    prove(person.cookies[STAY], ago=timedelta(minutes=16))
    assert person.send(PAGE, form, page="/you").headers["location"] == "/step-up"
    with unit_of_work() as session:
        kept = kept_forms.find(session, "MENTAL_HEALTH", at=real_now(session))
    assert kept is not None
    assert kept.fields == []
    assert PASSWORD not in person.get("/kept").text
