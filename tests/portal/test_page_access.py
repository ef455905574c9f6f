"""Where the link in every message leads, and that a system signs in nowhere (R42, R46, R49)."""

from __future__ import annotations

from typing import Any

import pytest

from rules.permissions import Role
from tests.portal.office import CHILDREN, Office
from tests.portal.people import HTML, Person, at_their_desk

ABSENT = "7KQ2-XW9S"
NO_ID = "00000000-0000-4000-8000-000000000000"
ROLES = [role for role in Role if role is not Role.HUB]


@pytest.fixture(scope="module")
def desks(client: Any, credentials: object) -> dict[Role, Person]:
    """Somebody signed in for each role."""
    ids = {role: role.value for role in ROLES} | {Role.DUTY_TEAM: "OFFICER", Role.AGENCY: "POLICE"}
    return {role: at_their_desk(client, account_id) for role, account_id in ids.items()}


def test_the_link_in_a_message_leads_each_role_to_its_own_page(desks: dict[Role, Person]):
    """R42, R49"""
    led = {role: desks[role].get(f"/r/{ABSENT}").headers["location"] for role in ROLES}
    assert led[Role.AGENCY] == f"/checks/{ABSENT}"
    assert led[Role.DUTY_TEAM] == f"/referrals/{ABSENT}"
    assert led[Role.DECISION_MAKER] == led[Role.MASH_SUPPORT] == f"/board/{ABSENT}"
    assert led[Role.OPERATOR] == "/about"
    assert led[Role.ANALYST] == "/sla"


def test_a_system_signs_in_nowhere(office: Office):
    """R46"""
    answer = office.client.get(
        "/you", headers=HTML | {"Authorization": f"Bearer {office.tokens[CHILDREN]}"}, follow_redirects=False
    )
    assert answer.status_code == 303
