"""Urgency in the portal: the team's rating, and an agency's call to discuss now (R10)."""

from __future__ import annotations

from typing import Any

import pytest

from portal.examples import CHILD
from tests.portal.office import Office, acts
from tests.portal.people import Person, at_their_desk

WHY = "She is <i>alone</i> with him tonight."


@pytest.fixture
def reference(office: Office) -> str:
    return office.refer_and_ask(CHILD)


@pytest.fixture
def support(client: Any) -> Person:
    return at_their_desk(client, "MASH_SUPPORT")


@pytest.fixture
def police(client: Any) -> Person:
    return at_their_desk(client, "POLICE")


def test_a_rating_without_its_rationale_is_refused_beside_the_field(support: Person, reference: str):
    """R10: re-rating without rationale refused"""
    page = f"/board/{reference}/urgency"
    answer = support.send(page, {"rating": "RED"})
    assert answer.status_code == 422
    assert 'href="#rationale"' in answer.text
    assert 'value="RED" checked' in answer.text
    assert "URGENCY_RATED" not in acts(reference)


def test_a_rating_is_read_in_words_on_every_list(support: Person, police: Person, reference: str):
    """R10: never by colour alone"""
    answer = support.send(f"/board/{reference}/urgency", {"rating": "RED", "rationale": WHY})
    assert answer.headers["location"] == f"/board/{reference}?done=rated"
    assert "She is &lt;i&gt;alone&lt;/i&gt; with him tonight." in support.get(f"/board/{reference}").text
    for person, path in [(support, "/board"), (police, "/tasks"), (police, f"/checks/{reference}")]:
        text = person.get(path).text
        assert "Red: before all others" in text
        assert "alone" not in text
    assert acts(reference).count("URGENCY_RATED") == 1


def test_who_rates_what_somebody_rated_meanwhile_is_told_so(support: Person, client: Any, reference: str):
    """F18: an optimistic lock"""
    page = f"/board/{reference}/urgency"
    hidden = support.hidden(page)
    other = at_their_desk(client, "DECISION_MAKER")
    other.send(page, {"rating": "AMBER", "rationale": "Two earlier visits."})
    late = support.post(page, {**hidden, "rating": "RED", "rationale": WHY})
    assert late.status_code == 409
    assert acts(reference).count("URGENCY_RATED") == 1


def test_a_representative_calls_and_sees_that_the_team_knows(support: Person, police: Person, reference: str):
    """R10: "urgent – discuss now", with an acknowledgement"""
    page = f"/checks/{reference}/urgent"
    assert police.send(page, {"reason": " "}).status_code == 422
    assert police.send(page, {"reason": WHY}).headers["location"] == f"/checks/{reference}?done=urgent"
    assert "has not said yet that it knows" in police.get(f"/checks/{reference}").text
    assert "An agency asks: discuss now" in support.get("/board").text
    assert "Urgent: discuss now" in support.get(f"/board/{reference}").text
    check = f"/board/{reference}/checks/POLICE"
    assert "&lt;i&gt;alone&lt;/i&gt;" in support.get(check).text
    answer = support.send(f"{check}/urgent", page=check)
    assert answer.headers["location"] == f"{check}?done=urgent-known"
    assert "The MASH team has known since" in police.get(f"/checks/{reference}").text
    assert "Urgent: discuss now" not in support.get(f"/board/{reference}").text
    # Told twice, it is said that nothing waits any more.
    assert support.send(f"{check}/urgent", page=check).status_code == 409


def test_what_one_agency_calls_urgent_no_other_reads(police: Person, client: Any, reference: str):
    """R49"""
    police.send(f"/checks/{reference}/urgent", {"reason": WHY})
    other = at_their_desk(client, "MENTAL_HEALTH").get(f"/checks/{reference}").text
    assert "alone" not in other
    assert "discussed now" not in other
