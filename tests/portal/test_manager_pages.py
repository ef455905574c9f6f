"""What a decision maker may not decide goes to a manager, on the pages and over HTTP (R39)."""

from __future__ import annotations

from typing import Any

import pytest

from casework.db import unit_of_work
from portal.examples import CHILD, RETURN, TO_MANAGER, VIEW
from tests.portal.office import Office, a_decision, acts
from tests.portal.people import Person, at_their_desk
from tests.portal.test_board_pages import DECISION, actions_empty

BEYOND = DECISION | {"decisions-0-outcome": "OTHER_LA"}
BACK = {"reason": "Ask the other authority first."}


@pytest.fixture
def decider(office: Office, client: Any) -> Person:
    return at_their_desk(client, "DECISION_MAKER")


@pytest.fixture
def manager(office: Office, client: Any) -> Person:
    return at_their_desk(client, "MANAGER")


def test_the_decision_page_marks_what_a_manager_decides_and_leads_there(
    office: Office, decider: Person, manager: Person
):
    """R39"""
    page = f"/board/{office.refer_and_join(CHILD)}/decision"
    text = decider.get(page).text
    assert "Transferred to another local authority (a manager decides this)" in text
    assert "No further action (a manager" not in text
    assert page.replace("decision", "manager") in text
    assert "(a manager decides this)" not in manager.get(page).text


def test_signing_what_is_a_managers_is_refused_and_offered_to_a_manager(
    office: Office, decider: Person, manager: Person
):
    """R39: 403, and nothing that was typed is lost"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}"
    refused = decider.send(f"{page}/decision", actions_empty(BEYOND))
    assert refused.status_code == 403
    assert "A manager decides this" in refused.text
    assert f'action="{page}/manager"' in refused.text
    assert 'value="OTHER_LA" selected' in refused.text
    assert "DECIDED" not in acts(reference)
    assert "A pattern over months." in decider.get(f"{page}/decision").text
    empty = decider.send(f"{page}/manager", {"outcome": "OTHER_LA"})
    assert empty.status_code == 422
    assert 'href="#reason"' in empty.text
    sent = decider.send(f"{page}/manager", TO_MANAGER)
    assert sent.headers["location"] == f"{page}?done=to-manager"
    assert "Sent to a manager" in decider.get(page).text
    assert "with a manager" in decider.get("/board").text
    assert decider.post(f"{page}/manager/back", BACK).status_code == 403
    _decide_as_manager(manager, reference)


def _decide_as_manager(manager: Person, reference: str) -> None:
    page = f"/board/{reference}"
    assert reference in manager.get("/for-manager").text
    assert "moved across the boundary" in manager.get(page).text
    assert "Why you send it back" in manager.get(f"{page}/manager").text
    assert manager.send(f"{page}/decision", actions_empty(BEYOND)).headers["location"] == f"{page}?done=decided"
    assert reference not in manager.get("/for-manager").text
    assert "with a manager’s authority" in manager.get(page).text


def test_a_manager_sends_it_back_and_the_team_reads_why(office: Office, decider: Person, manager: Person):
    """R39"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}"
    decider.send(f"{page}/manager", TO_MANAGER)
    assert manager.send(f"{page}/manager/back", {}, page=f"{page}/manager").status_code == 422
    answer = manager.send(f"{page}/manager/back", BACK, page=f"{page}/manager")
    assert answer.headers["location"] == f"{page}?done=sent-back"
    assert BACK["reason"] in decider.get(page).text
    assert manager.send(f"{page}/manager/back", BACK, page=f"{page}/manager").status_code == 409


def test_the_page_says_when_there_is_nothing_to_send(office: Office, decider: Person, manager: Person):
    """R39"""
    asked, joined = office.refer_and_ask(CHILD), office.refer_and_join(CHILD)
    assert "does not wait for a decision" in decider.get(f"/board/{asked}/manager").text
    assert "yours to decide" in manager.get(f"/board/{joined}/manager").text


def test_the_same_over_http(office: Office):
    """R39"""
    reference = office.refer_and_join(CHILD)
    path = f"/referrals/{reference}"
    with unit_of_work() as session:
        document = a_decision(session, reference)
    document["decisions"][0]["outcome"] = "OTHER_LA"
    document["without_discussion_because"] = "Urgent."
    refused = office.post("DECISION_MAKER", f"{path}/decisions", document)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:mash:problem:needs-manager")
    assert office.post("MASH_SUPPORT", f"{path}/manager", TO_MANAGER).status_code == 403
    assert office.post("DECISION_MAKER", f"{path}/manager", TO_MANAGER).status_code == 200
    waiting = office.get("MANAGER", "/for-manager").json()["referrals"]
    assert [task["sent_by"] for task in waiting if task["reference"] == reference] == ["DECISION_MAKER"]
    assert office.post("DECISION_MAKER", f"{path}/manager/back", BACK).status_code == 403
    assert office.post("MANAGER", f"{path}/manager/back", BACK).status_code == 200
    assert office.post("MANAGER", f"{path}/decisions", document).json()["stage"] == "HANDING_BACK"


def test_an_administrator_gives_and_takes_the_authority(office: Office, client: Any):
    """R39, S-9"""
    admin = at_their_desk(client, "ACCOUNT_ADMIN")
    page = "/accounts/SECOND_DECIDER"
    assert "“Other, in words”" in admin.get(page).text
    assert admin.send(f"{page}/manager-authority", page=page).headers["location"] == f"{page}?done=authority"
    assert "Manager authority granted, by ACCOUNT_ADMIN" in admin.get(page).text
    taken = admin.send(f"{page}/manager-authority/withdraw", page=page)
    assert taken.headers["location"] == f"{page}?done=no-authority"
    assert admin.post("/accounts/ACCOUNT_ADMIN/manager-authority").status_code == 403


def test_a_disagreement_is_resolved_over_http(office: Office):
    """R37"""
    reference = office.refer_and_join(CHILD)
    path = f"/referrals/{reference}"
    document = {"version_seen": 1, "resolution": "All agreed."}
    assert office.post("DECISION_MAKER", f"{path}/dissent", document).status_code == 409
    office.post("MENTAL_HEALTH", f"{path}/views", VIEW)
    document["version_seen"] = office.get("DECISION_MAKER", path).json()["version"]
    assert office.post("MASH_SUPPORT", f"{path}/dissent", document).status_code == 403
    assert office.post("DECISION_MAKER", f"{path}/dissent", document).json()["dissent"]["resolved_at"]
    assert acts(reference).count("DISSENT_RESOLVED") == 1


def test_pages_with_nothing_to_do_say_so_and_offer_no_form(office: Office, decider: Person):
    """R24, R37"""
    undecided, decided = office.refer_and_join(CHILD), office.refer_and_hand_back(CHILD)
    for page, words in (
        (f"/board/{undecided}/reconsideration", "There is nothing to reconsider"),
        (f"/board/{decided}/reconsideration", "There is nothing to reconsider"),
        (f"/board/{undecided}/dissent", "There is nothing to resolve"),
    ):
        text = decider.get(page).text
        assert words in text
        assert f'action="{page}"' not in text
    office.post("POLICE", f"/referrals/{decided}/check/return", RETURN)
    page = f"/board/{decided}/reconsideration"
    assert f'action="{page}"' in decider.get(page).text
