"""Correcting somebody's details in the portal and through the API (R41, Article 16)."""

from __future__ import annotations

from typing import Any

from portal.examples import CHILD, CORRECTION
from tests.portal.office import Office, acts
from tests.portal.people import at_their_desk

FORM = {"subject": "S1", "given_name": "Exampla", "reason": "Misread."}


def test_the_mash_team_corrects_on_a_page_and_the_agency_sees_it(office: Office, client: Any):
    """R41: without a script"""
    reference = office.refer_and_ask(CHILD)
    support, page = at_their_desk(client, "MASH_SUPPORT"), f"/board/{reference}/details"
    assert page in support.get(f"/board/{reference}").text
    wrong = support.send(page, FORM | {"reason": ""})
    assert wrong.status_code == 422
    assert 'href="#reason"' in wrong.text
    assert support.send(page, FORM).headers["location"] == f"{page}?done=corrected"
    text = support.get(page).text
    assert "Exampla Testchild" in text
    assert "Version 1, until" in text
    assert "Misread." in text
    assert "DETAILS_CORRECTED" in acts(reference)
    check = at_their_desk(client, "POLICE").get(f"/checks/{reference}").text
    assert "Exampla Testchild" in check
    assert "please search again" in check
    assert "Misread." not in check


def test_the_duty_team_finds_the_page_from_its_referral(office: Office, client: Any):
    """R41"""
    reference = office.refer_and_ask(CHILD)
    officer, page = at_their_desk(client, "OFFICER"), f"/referrals/{reference}/details"
    assert page in officer.get(f"/referrals/{reference}").text
    assert officer.send(page, FORM).headers["location"] == f"{page}?done=corrected"


def test_the_page_names_who_was_told_an_address_that_is_protected_now_to_the_mash_team_alone(
    office: Office, client: Any
):
    """R29"""
    reference = office.refer_and_ask(CHILD)
    officer, page = at_their_desk(client, "OFFICER"), f"/referrals/{reference}/details"
    officer.send(page, {"subject": "S1", "protected_address:bool": "true", "reason": "She fled."})
    assert "Protected: it is not shown here" in officer.get(page).text
    assert "Told before" not in officer.get(page).text
    told = at_their_desk(client, "MASH_SUPPORT").get(f"/board/{reference}/details").text
    assert "Told before the address was protected:</strong> " in told
    assert "Avon and Somerset Constabulary" in told.partition("Told before")[2].partition("</p>")[0]


def test_a_system_corrects_through_the_api(office: Office):
    """R41"""
    reference = office.refer_and_ask(CHILD)
    path = f"/referrals/{reference}/details"
    seen = office.get("CHILDREN_DUTY", path).json()
    answer = office.post("CHILDREN_DUTY", path, {**CORRECTION, "version_seen": seen["version"]})
    assert answer.status_code == 200, answer.text
    [child] = answer.json()["people"]
    assert (child["version"], child["details"]["date_of_birth"]) == (2, "2017-04-05")
    assert child["earlier"][0]["details"]["date_of_birth"] == "2017-05-04"
    assert office.post("CHILDREN_DUTY", path, {**CORRECTION, "version_seen": 1}).status_code == 409
