"""A dip sample is drawn on a page, and a colleague looks again without knowing what was decided (R63)."""

from __future__ import annotations

from typing import Any

import pytest

from casework.db import now, unit_of_work
from portal.examples import CHILD
from tests.portal.office import Office, acts
from tests.portal.people import Person, at_their_desk

ANSWER = {
    "looks-0-subject": "S1",
    "looks-0-threshold_met:bool": "true",
    "looks-0-level_of_need": "L3",
    "looks-0-outcome": "C_ASSESS",
    "looks-0-reason": "Seen alone by nobody.",
}


@pytest.fixture
def analyst(office: Office, client: Any) -> Person:
    return at_their_desk(client, "ANALYST")


@pytest.fixture
def colleague(office: Office, client: Any) -> Person:
    return at_their_desk(client, "SECOND_DECIDER")


def today(size: int = 500, seed: int = 7) -> dict[str, str]:
    """The form that draws from what was decided today."""
    with unit_of_work() as session:
        day = now(session)
    parts = {"day": str(day.day), "month": str(day.month), "year": str(day.year)}
    days = {f"{field}:date.{part}": value for field in ("first_on", "last_on") for part, value in parts.items()}
    return {**days, "size:int": str(size), "seed:int": str(seed)}


def test_an_analyst_draws_and_reads_references_and_codes_alone(office: Office, analyst: Person):
    """R63"""
    reference = office.refer_and_hand_back(CHILD)
    drawn = analyst.send("/samples", today())
    assert drawn.status_code == 303
    page = analyst.get(drawn.headers["location"].partition("?")[0])
    assert f"{reference}, S1" in page.text
    assert "No further action" in page.text
    for secret in ("Examplia", "Testchild", "Imaginary", "bruise", "Nobody knows of anything"):
        assert secret not in page.text
    assert analyst.get("/samples").status_code == 200
    assert analyst.get(f"/board/{reference}").status_code == 403


def test_a_period_that_is_none_comes_back_with_what_was_typed(analyst: Person):
    """R63"""
    refused = analyst.send("/samples", {"size:int": "0", "seed:int": "some"})
    assert refused.status_code == 422
    for field in ("first_on", "last_on", "size", "seed"):
        assert f'href="#{field}"' in refused.text
    assert 'value="some"' in refused.text


def test_a_colleague_looks_again_and_nothing_shows_what_was_decided(
    office: Office, client: Any, analyst: Person, colleague: Person
):
    """R63"""
    reference = office.refer_and_hand_back(CHILD)
    page = f"/second-looks/{reference}"
    assert colleague.get(page).status_code == 404
    sample = analyst.send("/samples", today()).headers["location"].partition("?")[0]
    assert reference in colleague.get("/second-looks").text
    shown = colleague.get(page)
    assert "Examplia" in shown.text
    assert "Nobody knows of anything" not in shown.text
    assert "checked" not in shown.text
    wrong = colleague.send(page, ANSWER | {"looks-0-outcome": ""})
    assert (wrong.status_code, 'href="#looks-0-outcome"' in wrong.text) == (422, True)
    assert "Seen alone by nobody." in wrong.text
    assert colleague.send(page, ANSWER).headers["location"] == "/second-looks?done=looked"
    assert acts(reference)[-1] == "SECOND_LOOK_RECORDED"
    assert reference not in colleague.get("/second-looks").text
    assert "Another outcome" in analyst.get(sample).text
    assert at_their_desk(client, "DECISION_MAKER").get(page).status_code == 404


def test_whoever_read_it_since_is_told_why_they_cannot(office: Office, analyst: Person, colleague: Person):
    """R63: blind"""
    reference = office.refer_and_hand_back(CHILD)
    analyst.send("/samples", today())
    colleague.get(f"/board/{reference}")
    refused = colleague.get(f"/second-looks/{reference}")
    assert refused.status_code == 403
    assert "since it was decided" in refused.text


def test_programs_draw_and_look_too(office: Office):
    """R63"""
    reference = office.refer_and_hand_back(CHILD)
    with unit_of_work() as session:
        day = now(session).date().isoformat()
    wanted = {"first_on": day, "last_on": day, "size": 500, "seed": 11}
    drawn = office.post("ANALYST", "/samples", wanted)
    assert drawn.status_code == 201, drawn.text
    assert reference in {look["reference"] for look in drawn.json()["looks"]}
    waiting = office.get("SECOND_DECIDER", "/second-looks").json()["referrals"]
    assert {"reference": reference, "subjects": ["S1"]} in waiting
    path = f"/second-looks/{reference}"
    assert office.get("DECISION_MAKER", path).status_code == 403
    assert "discussions" not in office.get("SECOND_DECIDER", path).json()["content"]
    look = {"subject": "S1", "threshold_met": False, "level_of_need": "L1", "outcome": "NFA", "reason": "As before."}
    assert office.post("SECOND_DECIDER", path, {"looks": [look]}).status_code == 204
    read = office.get("ANALYST", f"/samples/{drawn.json()['id']}").json()
    [mine] = [each for each in read["looks"] if each["reference"] == reference]
    assert (mine["outcome"], mine["first_outcome"]) == ("NFA", "NFA")
