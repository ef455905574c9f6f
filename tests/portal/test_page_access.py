"""Where the link in every message leads, and that a system signs in nowhere (R42, R46, R49)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from casework import interests, ledger
from casework.ledger import Act
from casework.restriction_documents import InterestDocument
from portal.examples import CHILD
from rules.permissions import Actor, Role
from tests.portal.office import CHILDREN, Office, acts
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


@pytest.mark.parametrize(("account", "done"), [("RUH", False), ("POLICE", True)])
def test_an_act_whose_rules_forgot_somebody_is_undone(
    office: Office, client: Any, monkeypatch: pytest.MonkeyPatch, account: str, done: bool
):
    """S-4: by the API and on a page, the database says behind the rules whom a referral concerns"""

    def forgetful(session: Session, reference: str, document: InterestDocument, *, by: Actor, at: datetime) -> None:
        ledger.write(session, reference, Act.INTEREST_DECLARED, by=by, at=at, ground=document.ground)

    monkeypatch.setattr(interests, "declare", forgetful)
    reference = office.refer_and_ask(CHILD)
    told = [
        office.post(account, f"/referrals/{reference}/interest", {"ground": "RELATIVE"}),
        at_their_desk(client, account).post(f"/checks/{reference}/interest", {"ground": "RELATIVE"}),
    ]
    assert [answer.status_code for answer in told] == ([204, 303] if done else [404, 404])
    assert acts(reference).count("INTEREST_DECLARED") == 2 * done
