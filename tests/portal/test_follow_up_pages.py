"""The MASH team asks an agency about its return, on the pages and over HTTP (R33)."""

from __future__ import annotations

from typing import Any

from portal.examples import CHILD, RETURN
from tests.portal.office import Office, acts
from tests.portal.people import at_their_desk

QUESTION, ANSWER = "Who was in the house that night?", "Her aunt, and nobody else."


def returned(office: Office) -> str:
    """A referral on which the police have returned something."""
    reference = office.refer_and_ask(CHILD)
    assert office.post("POLICE", f"/referrals/{reference}/check/return", RETURN).status_code == 200
    return reference


def test_a_question_goes_to_the_agencys_tasks_and_its_answer_to_the_referrals_page(office: Office, client: Any):
    """R33"""
    reference = returned(office)
    support, police = at_their_desk(client, "MASH_SUPPORT"), at_their_desk(client, "POLICE")
    of_police, own = f"/board/{reference}/checks/POLICE", f"/checks/{reference}/follow-up"
    assert "There is nothing to answer" in police.get(own).text
    empty = support.send(f"{of_police}/follow-up", {}, page=of_police)
    assert empty.status_code == 422
    assert 'href="#asking-text"' in empty.text
    assert 'id="asking-text"' in empty.text
    sent = support.send(f"{of_police}/follow-up", {"text": QUESTION}, page=of_police)
    assert sent.headers["location"] == f"{of_police}?done=followed-up"
    assert own in police.get("/tasks").text
    assert QUESTION in police.get(f"/checks/{reference}").text
    assert police.send(own).status_code == 422
    assert police.send(own, {"text": ANSWER}).headers["location"] == f"/checks/{reference}?done=told"
    assert own not in police.get("/tasks").text
    assert ANSWER in support.get(f"/board/{reference}").text
    assert "It answered" in support.get(of_police).text


def test_a_question_that_a_return_overtook_is_not_offered_for_an_answer(office: Office, client: Any):
    """R33: the answer would be refused; what the team wants to know now is asked about the return"""
    reference, support = office.refer_and_ask(CHILD), at_their_desk(client, "MASH_SUPPORT")
    page, board = f"/board/{reference}/checks/POLICE", f"/board/{reference}"
    assert office.post("POLICE", f"/referrals/{reference}/check/clarify", {"text": "Which one?"}).status_code == 200
    assert 'id="text"' in support.get(page).text
    assert "answer its question" in support.get(board).text
    assert office.post("POLICE", f"/referrals/{reference}/check/return", RETURN).status_code == 200
    shown = support.get(page).text
    assert ('id="text"' in shown, 'id="asking-text"' in shown, "Not answered yet." in shown) == (False, True, True)
    assert "answer its question" not in support.get(board).text


def test_its_clock_is_stopped_for_a_reason_and_goes_on(office: Office, client: Any):
    """R33: who, and why"""
    reference = returned(office)
    support, police = at_their_desk(client, "MASH_SUPPORT"), at_their_desk(client, "POLICE")
    page = f"/board/{reference}/checks/POLICE"
    support.send(f"{page}/follow-up", {"text": QUESTION}, page=page)
    assert support.send(f"{page}/follow-up/pause", {}, page=page).status_code == 422
    support.send(f"{page}/follow-up/pause", {"reason": "SYSTEM_DOWN"}, page=page)
    assert "MASH_SUPPORT: A system is down" in support.get(page).text
    told = police.get(f"/checks/{reference}/follow-up").text
    assert "Its clock stands still" in told
    assert "MASH_SUPPORT" not in told
    assert support.send(f"{page}/follow-up/resume", page=page).status_code == 303
    assert "stands still since" not in support.get(page).text


def test_the_same_over_http(office: Office):
    """R33, R49"""
    reference = returned(office)
    path = f"/referrals/{reference}"
    of_police = f"{path}/checks/POLICE/follow-up"
    assert office.post("MASH_SUPPORT", of_police, {"text": QUESTION}).status_code == 200
    assert office.post("MASH_SUPPORT", of_police, {"text": QUESTION}).status_code == 409
    waiting = office.get("POLICE", "/checks").json()["follow_ups"]
    assert reference in [task["reference"] for task in waiting]
    assert office.post("MASH_SUPPORT", f"{of_police}/pause", {"reason": "SYSTEM_DOWN"}).status_code == 200
    assert office.post("MASH_SUPPORT", f"{of_police}/resume").status_code == 200
    assert office.post("RUH", f"{path}/check/follow-up", {"text": ANSWER}).status_code == 404
    assert office.post("POLICE", f"{path}/check/follow-up", {"text": ANSWER}).status_code == 200
    [asked] = office.get("MASH_SUPPORT", f"{path}/checks/POLICE").json()["follow_ups"]
    assert (asked["question"], asked["answer"]) == (QUESTION, ANSWER)
    assert asked["asked_at"] <= asked["answered_at"]
    assert acts(reference).count("FOLLOW_UP_ANSWERED") == 1
