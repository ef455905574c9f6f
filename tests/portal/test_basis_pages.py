"""Completing the lawful basis in the portal: the duty team's page and the MASH team's (R54, R56)."""

from __future__ import annotations

from typing import Any

import pytest

from casework import intake
from casework.db import now, unit_of_work
from portal.examples import CHILD, COMPLETION
from tests.portal.office import Office, acts
from tests.portal.people import Person, at_their_desk

DONE = {
    "subjects-0-subject": "S1",
    "subjects-0-informed": "INFORMED",
    "subjects-0-consent": "NOT_SOUGHT",
    "subjects-0-consent_reason_code": "RISK_TO_CHILD",
    "subjects-0-consent_reason": "She would be <b>hurt</b>.",
    "subjects-0-basis-request_reason": "GENERAL_SAFEGUARDING",
    "subjects-0-basis-confirmed_by": "Team manager",
}


@pytest.fixture
def held(office: Office) -> str:
    """A referral of a child about whom nobody has said on what basis agencies are asked."""
    child = {name: value for name, value in CHILD["subjects"][0].items() if name != "basis"}
    reference = office.refer(CHILD, subjects=[{**child, "consent": "REFUSED_RESPECTED"}])
    with unit_of_work() as session:
        intake.screen(session, reference, at=now(session))
    return reference


@pytest.fixture
def officer(office: Office, client: Any) -> Person:
    return at_their_desk(client, "OFFICER")


def test_the_duty_team_is_told_exactly_what_is_missing_and_completes_it(office: Office, officer: Person, held: str):
    """R54, R56"""
    shown = officer.get(f"/referrals/{held}").text
    assert "Waits for the lawful basis" in shown
    assert "No agency is asked yet: this is missing." in shown
    assert "S1: Lawful basis: no lawful basis is recorded" in shown
    assert "S1: Consent: as it stands, nobody may be asked about a child at level L3" in shown
    page = f"/referrals/{held}/basis"
    assert "to be confirmed by the area’s information-governance lead" in officer.get(page).text
    answer = officer.send(page, DONE)
    assert answer.headers["location"] == f"/referrals/{held}?done=basis"
    assert {"BASIS_RECORDED", "ACCEPTED"} <= set(acts(held))
    assert "Agencies are being asked" in officer.get(f"/referrals/{held}").text


def test_what_does_not_go_together_is_said_beside_its_field_in_words(client: Any, office: Office, held: str):
    """R54: no code stands in the sentence, and nothing typed is lost"""
    support, page = at_their_desk(client, "MASH_SUPPORT"), f"/board/{held}/basis"
    assert "Complete the lawful basis" in support.get(f"/board/{held}").text
    wrong = {"subjects-0-basis-gateway": "CARE2014_S42", "subjects-0-consent_reason": " "}
    answer = support.send(page, DONE | wrong)
    assert answer.status_code == 422
    assert "statutory gateway: choose another, or leave it to what is proposed" in answer.text
    assert 'href="#subjects-0-consent_reason"' in answer.text
    assert 'value="Team manager"' in answer.text
    assert "BASIS_RECORDED" not in acts(held)


def test_who_completes_it_while_somebody_else_does_sees_what_stands_now_and_loses_nothing(
    client: Any, officer: Person, held: str
):
    """F18"""
    support, page = at_their_desk(client, "MASH_SUPPORT"), f"/board/{held}/basis"
    hidden = support.hidden(page)
    officer.send(f"/referrals/{held}/basis", DONE | {"subjects-0-informed": "UNKNOWN"})
    mine = DONE | {"subjects-0-basis-confirmed_by": "Typed by the late one"}
    late = support.post(page, hidden | mine)
    assert late.status_code == 409
    assert "somebody changed this referral meanwhile" in late.text
    assert 'value="Typed by the late one"' in late.text
    on_record = late.text.partition("On record now")[2].partition("</dl>")[0]
    assert "Unknown" in on_record
    assert "She would be &lt;b&gt;hurt&lt;/b&gt;." in on_record
    assert support.post(page, support.hidden_in(late.text) | mine).status_code == 303


def test_the_other_duty_team_finds_no_such_page(client: Any, office: Office, held: str):
    """R49"""
    assert office.get("ADULT_ASIST", f"/referrals/{held}/basis").status_code == 404
    assert office.post("ADULT_ASIST", f"/referrals/{held}/basis", COMPLETION).status_code == 404
