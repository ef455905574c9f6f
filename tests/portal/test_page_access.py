"""Who may open which page: every page × every role, and nothing learned from a refusal (R48, R49, S-1, S-2)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.access import ACCESS
from portal.examples import CHILD
from rules.permissions import Role
from tests.portal.office import CHILDREN, Office
from tests.portal.people import HTML, Person, at_their_desk

ABSENT = "7KQ2-XW9S"
PAGES = {route: roles for route, roles in ACCESS.items() if " /api/" not in route and roles is not None}
#: Leaving is for everybody, and ends the session that the next question needs.
ASKED = [route for route in PAGES if route != "POST /sign-out"]
PER_REFERRAL = [route for route in ASKED if "{reference}" in route and not route.endswith("/r/{reference}")]
ROLES = [role for role in Role if role is not Role.HUB]


@pytest.fixture(scope="module")
def desks(client: Any, credentials: object) -> dict[Role, Person]:
    """Somebody signed in for each role."""
    ids = {role: role.value for role in ROLES} | {Role.DUTY_TEAM: "OFFICER", Role.AGENCY: "POLICE"}
    return {role: at_their_desk(client, account_id) for role, account_id in ids.items()}


def visit(person: Person, route: str, reference: str = ABSENT) -> Any:
    method, _, path = route.partition(" ")
    filled = path.format(reference=reference, agency="POLICE", version=1, account_id="nobody", token="x")
    return person.get(filled) if method == "GET" else person.post(filled)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ASKED)
def test_a_role_outside_the_table_sees_no_page(desks: dict[Role, Person], route: str, role: Role):
    """R17, R48, R49, S-1"""
    answer = visit(desks[role], route)
    refused = answer.status_code == 403 and "Your role may not do this" in answer.text
    assert refused is (role not in (PAGES[route] or ()))
    assert answer.status_code < 500


@pytest.mark.parametrize("route", PAGES)
def test_who_is_not_signed_in_is_led_to_the_sign_in_page(client: Any, credentials: object, route: str):
    """R46, S-1"""
    answer = visit(Person(client, "nobody"), route)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("route", [route for route in ASKED if route.startswith("POST ")])
def test_no_form_is_taken_without_its_pages_own_token(desks: dict[Role, Person], route: str):
    """S-15"""
    role = next(iter(sorted(PAGES[route] or ())))
    person, path = desks[role], route.partition(" ")[2]
    filled = path.format(reference=ABSENT, agency="POLICE", version=1, account_id="nobody", token="x")
    for form in ({"form_token": ""}, {"form_token": "0" * 64}):
        answer = person.post(filled, form)
        assert answer.status_code == 403
        assert "did not come from a page of yours" in answer.text
    assert person.post(filled, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("route", PER_REFERRAL)
def test_a_referral_that_is_not_yours_looks_like_none(office: Office, client: Any, route: str, once: dict[str, Any]):
    """R48, R49, S-2"""
    if not once:
        once["reference"] = office.refer_and_ask(CHILD)
        once["people"] = {
            Role.DUTY_TEAM: at_their_desk(client, "ADULT_OFFICER"),
            Role.AGENCY: at_their_desk(client, "COUNCIL_ADULTS"),
        }
    for role, person in once["people"].items():
        if role in (PAGES[route] or ()):
            answers = [visit(person, route, reference) for reference in (once["reference"], ABSENT)]
            assert answers[0].status_code == answers[1].status_code
            assert answers[0].status_code in {404, 422, 303}
            same = [re.sub(r"[A-Z0-9]{4}-[A-Z0-9]{4}", "REFERENCE", answer.text) for answer in answers]
            assert same[0] == same[1]


@pytest.fixture(scope="module")
def once() -> dict[str, Any]:
    return {}


def test_the_link_in_a_message_leads_each_role_to_its_own_page(desks: dict[Role, Person]):
    """R42, R49"""
    led = {role: desks[role].get(f"/r/{ABSENT}").headers["location"] for role in ROLES}
    assert led[Role.AGENCY] == f"/checks/{ABSENT}"
    assert led[Role.DUTY_TEAM] == f"/referrals/{ABSENT}"
    assert led[Role.DECISION_MAKER] == led[Role.MASH_SUPPORT] == f"/board/{ABSENT}"
    assert led[Role.OPERATOR] == led[Role.ANALYST] == "/about"


def test_a_system_signs_in_nowhere(office: Office):
    """R46"""
    answer = office.client.get(
        "/you", headers=HTML | {"Authorization": f"Bearer {office.tokens[CHILDREN]}"}, follow_redirects=False
    )
    assert answer.status_code == 303
