"""Restricting, stepping back and breaking the glass through the API (S-5, S-6, S-7)."""

from __future__ import annotations

import pytest

from portal.examples import CHILD
from tests.portal.office import Office, acts

HIDDEN = {"ground": "STAFF_CONFLICT", "reason": "A colleague's child.", "named": ["OFFICER"]}
BREAK = {"reason": "The child is missing and nobody named can be reached."}


@pytest.fixture
def hidden(office: Office) -> str:
    """A referral that a decision maker has restricted, with an officer of the duty team."""
    reference = office.refer_and_ask(CHILD)
    answer = office.post("DECISION_MAKER", f"/referrals/{reference}/restriction", HIDDEN)
    assert answer.status_code == 200, answer.text
    assert {person["account"] for person in answer.json()["people"]} == {"DECISION_MAKER", "OFFICER"}
    return reference


def test_a_restriction_is_made_looked_after_and_lifted(office: Office, hidden: str):
    """S-5: from the next request on, there is no such referral for anybody else"""
    path = f"/referrals/{hidden}/restriction"
    assert office.get("POLICE", f"/referrals/{hidden}/check").status_code == 404
    assert office.post("DECISION_MAKER", f"{path}/people", {"who": "POLICE"}).status_code == 200
    assert office.get("POLICE", f"/referrals/{hidden}/check").status_code == 200
    assert office.post("DECISION_MAKER", f"{path}/people/remove", {"person": "POLICE"}).status_code == 204
    assert office.get("POLICE", path).status_code == 404
    assert office.post("DECISION_MAKER", f"{path}/review", {"reason": "Still so."}).status_code == 200
    assert office.post("DECISION_MAKER", f"{path}/lift", {"reason": "It is over."}).json()["reference"] == hidden
    assert office.get("POLICE", f"/referrals/{hidden}/check").status_code == 200


def test_who_is_not_enough_to_name_is_told_at_its_field(office: Office):
    """S-5: somebody of the duty team must take the outcome"""
    reference = office.refer_and_ask(CHILD)
    answer = office.post("DECISION_MAKER", f"/referrals/{reference}/restriction", {**HIDDEN, "named": []})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/named"


def test_whoever_declares_an_interest_has_no_such_referral_any_more(office: Office):
    """S-6"""
    reference = office.refer_and_ask(CHILD)
    assert office.post("MENTAL_HEALTH", f"/referrals/{reference}/interest", {"ground": "RELATIVE"}).status_code == 204
    assert office.get("MENTAL_HEALTH", f"/referrals/{reference}/check").status_code == 404
    assert acts(reference)[-1] == "INTEREST_DECLARED"


def test_the_glass_does_not_break_without_an_authenticator(office: Office, hidden: str):
    """S-7: a system has none, and a code by e-mail is not enough"""
    for account, said in (("DECISION_MAKER", "Set up an authenticator app first"), ("CHILDREN_DUTY", "Your role")):
        answer = office.post(account, "/break-glass", {**BREAK, "reference": hidden})
        assert answer.status_code == 403
        assert said in answer.text
    assert "GLASS_BROKEN" not in acts(hidden)
