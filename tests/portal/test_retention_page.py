"""The retention page: the schedule, the list that two people agree to, and the holds (R51, S-27)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from casework import retention
from casework.db import now, unit_of_work
from casework.register import current_profile
from portal.examples import CHILD
from tests.portal.office import Office
from tests.portal.people import Person, at_their_desk, prove
from tests.portal.things import _closed


@pytest.fixture
def over(office: Office) -> str:
    """A closed referral, on the list of a day on which its time is over."""
    reference = _closed(office, CHILD)
    with unit_of_work() as session:
        later = now(session) + timedelta(days=current_profile().retention.child_referral.days + 1)
        retention.list_what_is_over(session, current_profile(), at=later)
    return reference


def _desk(client: Any, account: str) -> Person:
    person = at_their_desk(client, account)
    prove(*person.cookies.values())
    return person


def test_two_people_agree_on_the_page_and_see_references_and_codes_alone(over: str, client: Any):
    """S-27"""
    lead, admin = _desk(client, "IG_LEAD"), _desk(client, "ACCOUNT_ADMIN")
    page = lead.get("/retention").text
    assert over in page
    for word in CHILD["subjects"][0].values():
        assert not isinstance(word, str) or len(word) < 6 or word not in page
    [form] = [part.partition('"')[0] for part in page.split('action="')[1:] if "/agree" in part[:60]]
    assert lead.send(form, page="/retention").headers["location"] == "/retention?done=agreed"
    assert "A second person has to." in lead.get("/retention").text
    assert "Agree to erase" not in lead.get("/retention").text
    assert lead.post(form).status_code == 409
    assert "IG_LEAD agreed on" in admin.get("/retention").text
    assert admin.send(form, page="/retention").headers["location"] == "/retention?done=seconded"
    assert "erased within the hour" in admin.get("/retention").text


def test_a_hold_is_set_and_lifted_with_a_reason_by_the_lead_alone(over: str, client: Any):
    """S-27"""
    lead, admin = _desk(client, "IG_LEAD"), _desk(client, "ACCOUNT_ADMIN")
    form = {"reference": over.lower().replace("-", " "), "reason": "A claim was announced."}
    for missing in form:
        answer = lead.send("/retention-holds", {key: value for key, value in form.items() if key != missing})
        assert (answer.status_code, f'href="#{missing}"' in answer.text) == (422, True)
    assert lead.send("/retention-holds", form).headers["location"] == "/retention?done=held"
    assert lead.send("/retention-holds", form).status_code == 409
    assert lead.send("/retention-holds", {**form, "reference": "2222-222C"}).status_code in {409, 422}
    [lifting] = {
        part.partition('"')[0]
        for part in lead.get("/retention").text.split('href="')
        if "retention-holds/" in part[:20]
    }
    assert "A claim was announced." in lead.get(lifting).text
    assert over in admin.get("/retention").text
    assert admin.get(lifting).status_code == 403
    assert lead.send(lifting, {"reason": ""}).status_code == 422
    assert lead.send(lifting, {"reason": "It was settled."}).headers["location"] == "/retention?done=lifted"
    assert lifting not in lead.get("/retention").text
