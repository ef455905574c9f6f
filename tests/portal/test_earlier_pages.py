"""Earlier referrals of the same people, on the MASH team's pages and through the API (R14)."""

from __future__ import annotations

from typing import Any

from portal.examples import CHILD
from tests.portal.office import Office, acts
from tests.portal.people import at_their_desk


def test_the_mash_team_sees_why_it_was_found_and_says_whether_it_is_so(office: Office, client: Any):
    """R14: without a script; never copied, never to others"""
    first, later = office.refer_and_ask(CHILD), office.refer_and_ask(CHILD)
    support, page = at_their_desk(client, "MASH_SUPPORT"), f"/board/{later}/earlier"
    text = support.get(f"/board/{later}").text
    assert page in text
    assert f'href="/board/{first}"' in text
    assert "probably the same person" in text
    assert "the same date of birth" in text
    assert " in 12 months" in text
    seen = office.get("MASH_SUPPORT", f"/referrals/{later}/earlier").json()
    [contact] = [each for each in seen["contacts"] if each["earlier_reference"] == first]
    listed = support.get(page).text
    assert CHILD["concern"]["narrative"] not in listed
    assert contact["id"] in listed
    wrong = support.send(page, {"contact": contact["id"]})
    assert wrong.status_code == 422
    assert "Error" in wrong.text
    answer = support.send(page, {"contact": contact["id"], "answer": "CONFIRMED"})
    assert answer.headers["location"] == f"{page}?done=contact-answered"
    assert "Confirmed" in support.get(page).text
    assert acts(later)[-1] == "CONTACT_CONFIRMED"
    for account, path in (("OFFICER", f"/referrals/{later}"), ("POLICE", f"/checks/{later}")):
        assert first not in at_their_desk(client, account).get(path).text


def test_a_system_of_the_team_answers_through_the_api(office: Office):
    """R14"""
    office.refer_and_ask(CHILD)
    later = office.refer_and_ask(CHILD)
    path = f"/referrals/{later}/earlier"
    contact = office.get("MASH_SUPPORT", path).json()["contacts"][0]["id"]
    answer = office.post("MASH_SUPPORT", path, {"contact": contact, "answer": "DISMISSED"})
    assert answer.status_code == 200, answer.text
    [dismissed] = [each for each in answer.json()["contacts"] if each["id"] == contact]
    assert (dismissed["answer"], dismissed["answered_by"]) == ("DISMISSED", "MASH_SUPPORT")
    other = office.post(
        "MASH_SUPPORT", path, {"contact": "00000000-0000-4000-8000-000000000000", "answer": "CONFIRMED"}
    )
    assert other.status_code == 422
    for account in ("CHILDREN_DUTY", "POLICE"):
        assert office.get(account, path).status_code == 403
