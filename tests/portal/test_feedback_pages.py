"""Feedback on how the hub works, its answer, and what was changed (R61)."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from sqlmodel import select

from casework.db import unit_of_work
from models.outbox import Notice
from tests.portal.office import Office
from tests.portal.people import Person, at_their_desk

PAGE = "/feedback"
_serial = itertools.count(1)


@pytest.fixture
def police(office: Office, client: Any) -> Person:
    return at_their_desk(client, "POLICE")


@pytest.fixture
def nurse(office: Office, client: Any) -> Person:
    return at_their_desk(client, "MENTAL_HEALTH")


@pytest.fixture(params=["ACCOUNT_ADMIN", "DECISION_MAKER"])
def manager(request: pytest.FixtureRequest, office: Office, client: Any) -> Person:
    return at_their_desk(client, request.param)


def given(person: Person) -> str:
    """Feedback with words that nobody else uses."""
    text = f"The questions <b>are</b> too long {next(_serial)}"
    answer = person.send(PAGE, {"should_change": text})
    assert answer.headers["location"] == f"{PAGE}?done=feedback"
    return text.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;")


def its_page(manager: Person, text: str) -> str:
    """Where the manager answers it."""
    found = re.search(rf"{re.escape(text)}.*?href=\"({PAGE}/[0-9a-f-]+)\"", manager.get(PAGE).text, re.DOTALL)
    assert found is not None
    return found[1]


def answered(manager: Person, text: str, *, for_everybody: str) -> None:
    form = {"answer": "You are right.", "what_changed": f"Shorter {text[-3:]}", "for_everybody:bool": for_everybody}
    assert manager.send(its_page(manager, text), form).headers["location"] == f"{PAGE}?done=feedback-answered"


def test_feedback_is_answered_and_its_giver_reads_what_changed(police: Person, nurse: Person, manager: Person):
    """R61: feedback, register, reply visible to the sender"""
    text = given(police)
    assert text in police.get(PAGE).text
    assert "Not answered yet." in police.get(PAGE).text
    assert text not in nurse.get(PAGE).text
    answered(manager, text, for_everybody="false")
    assert f"Shorter {text[-3:]}" in police.get(PAGE).text
    assert text not in nurse.get(PAGE).text


def test_what_was_answered_for_everybody_is_read_by_partners_without_a_name(
    police: Person, nurse: Person, manager: Person
):
    """R61: visible to partners"""
    text = given(police)
    answered(manager, text, for_everybody="true")
    shown = nurse.get(PAGE).text
    assert text in shown
    assert "You are right." in shown
    assert "Avon and Somerset" not in shown


def test_empty_feedback_and_an_unfinished_answer_are_refused_beside_their_fields(police: Person, manager: Person):
    """R61"""
    empty = police.send(PAGE, {"went_well": " "})
    assert empty.status_code == 422
    assert 'id="should_change-error"' in empty.text
    unfinished = manager.send(its_page(manager, given(police)), {"what_changed": "Much"})
    assert unfinished.status_code == 422
    assert {'id="answer-error"', 'id="for_everybody-error"'} <= set(re.findall(r'id="\w+-error"', unfinished.text))
    assert "Much" in unfinished.text


def test_the_manager_is_told_that_there_is_feedback_and_not_what(police: Person):
    """R61, R42"""
    given(police)
    with unit_of_work() as session:
        notices = session.exec(select(Notice).where(Notice.message == "feedback_given")).all()
    assert {(notice.recipient, notice.reference) for notice in notices} == {("mash:alarm", None)}


def test_nobody_else_answers(client: Any, police: Person, nurse: Person):
    """R61"""
    text = given(police)
    page = its_page(at_their_desk(client, "DECISION_MAKER"), text)
    assert nurse.get(page).status_code == 403
    assert nurse.post(page, {"answer": "No.", "for_everybody:bool": "true"}).status_code == 403
    assert "No." not in police.get(PAGE).text.partition("</nav>")[2]


@pytest.mark.parametrize("unknown", ["NOTHING", "00000000-0000-4000-8000-000000000000", "1"])
def test_what_is_no_feedback_is_not_found_by_a_manager_and_not_permitted_to_others(
    client: Any, nurse: Person, unknown: str
):
    """R48, S-1: who may come here is asked before what is looked for"""
    manager = at_their_desk(client, "DECISION_MAKER")
    assert (manager.get(f"{PAGE}/{unknown}").status_code, nurse.get(f"{PAGE}/{unknown}").status_code) == (404, 403)
    answer = {"answer": "A", "for_everybody:bool": "true"}
    assert manager.post(f"{PAGE}/{unknown}", answer).status_code == 404
    assert Person(client, "nobody").get(f"{PAGE}/{unknown}").status_code == 303
