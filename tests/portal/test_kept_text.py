"""What is typed on a page is there again after a time-out, for whoever typed it (finding 14)."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from casework.db import unit_of_work
from portal.examples import CHILD
from tests.portal.office import Office, returns
from tests.portal.people import Person, at_their_desk

_serial = itertools.count(1)


@pytest.fixture(scope="module")
def reference(client: Any, credentials: Any) -> str:
    return Office(client, credentials.tokens).refer_and_ask(CHILD)


def kept(person: Person, page: str, field: str, **more: str) -> str:
    """Words that the hub was sent while somebody typed them on a page."""
    typed = f"Half a thought {next(_serial)}"
    save = re.findall(r'data-save="([^"]*)"', person.get(page).text)[0]
    assert person.send(save, {field: typed, **more}, page=page).status_code == 204
    return typed


@pytest.mark.parametrize(
    ("who", "page", "field"),
    [
        ("POLICE", "/feedback", "went_well"),
        ("ACCOUNT_ADMIN", "/agreements-add", "scope"),
        ("IG_LEAD", "/retention-holds", "reason"),
        ("OFFICER", "/referrals/{reference}/details", "address"),
        ("MASH_SUPPORT", "/board/{reference}/details", "reason"),
        ("MASH_SUPPORT", "/board/{reference}/ask", "question"),
        ("DECISION_MAKER", "/board/{reference}/override", "reason"),
        ("DECISION_MAKER", "/board/{reference}/restrict", "named:lines"),
    ],
)
def test_what_is_being_typed_is_there_again(client: Any, reference: str, who: str, page: str, field: str):
    """Finding 14: without a click, and on the page where it was typed"""
    path = page.format(reference=reference)
    person = at_their_desk(client, who)
    typed = kept(person, path, field)
    assert typed in at_their_desk(client, who).get(path).text


def test_a_draft_is_of_one_referral_and_nobody_elses(office: Office, client: Any, reference: str):
    """Finding 14, R48"""
    officer, other = at_their_desk(client, "OFFICER"), office.refer_and_ask(CHILD)
    typed = kept(officer, f"/referrals/{reference}/details", "reason")
    assert typed not in officer.get(f"/referrals/{other}/details").text
    assert typed not in at_their_desk(client, "MASH_SUPPORT").get(f"/board/{reference}/details").text
    for odd in ({"draft_of": "decision"}, {"draft_of": "details", "draft_about": "elsewhere"}):
        assert officer.post("/draft", {"reason": "x", **odd}).status_code == 404


def test_an_answer_and_a_question_of_one_page_are_kept_apart_until_they_are_sent(office: Office, client: Any):
    """Finding 14, R23, R33"""
    reference, support = office.refer_and_ask(CHILD), at_their_desk(client, "MASH_SUPPORT")
    page = f"/board/{reference}/checks/POLICE"
    assert office.post("POLICE", f"/referrals/{reference}/check/clarify", {"text": "Which one?"}).status_code < 300
    answer = kept(support, page, "text", draft_of="reply:POLICE")
    assert answer in support.get(page).text
    assert answer not in support.get(f"{page}/extend").text
    question = kept(support, page, "text", draft_of="follow-up:POLICE")
    assert support.send(page, {"text": answer}).status_code == 303
    with unit_of_work() as session:
        returns(session, reference, "POLICE")
    shown = support.get(page).text
    # The answer stands on the page as an answer now, and in no field.
    assert shown.count(answer) == 1
    assert f">{question}</textarea>" in shown
    assert support.send(f"{page}/follow-up", {"text": question}, page=page).status_code == 303
    assert f">{question}</textarea>" not in support.get(page).text


def test_feedback_that_was_given_is_no_draft_any_more(office: Office, client: Any):
    """Finding 14, R61"""
    police = at_their_desk(client, "POLICE")
    typed = kept(police, "/feedback", "should_change")
    assert police.send("/feedback", {"should_change": typed}).status_code == 303
    assert f">{typed}</textarea>" not in police.get("/feedback").text
