"""What a duty team does in the portal (R02-R06, R42, R43, R45, R69)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casework import referrals
from casework.db import unit_of_work
from casework.register import current_profile
from engine import held_clock
from engine.stack import Stack
from portal.examples import CHILD, JOINT
from tests.portal.office import Office, acts
from tests.portal.people import Person, at_their_desk

QUESTION = "Has anybody attended, or seen injuries?"
ELIGIBLE = {
    "eligibility-safeguarding_concern:bool": "true",
    "eligibility-extent_unclear:bool": "true",
    "eligibility-clarification_question": QUESTION,
}
DETAILS = {
    "subjects-0-voice": "She says that the evenings are frightening.",
    "subjects-0-side": "child",
    "subjects-0-given_name": "Wren",
    "subjects-0-family_name": "Ashdown",
    "subjects-0-date_of_birth:date.day": "4",
    "subjects-0-date_of_birth:date.month": "5",
    "subjects-0-date_of_birth:date.year": "2016",
    "subjects-0-protected_address:bool": "false",
    "subjects-0-household_role": "daughter",
    "subjects-0-informed": "INFORMED",
    "subjects-0-consent": "GIVEN_VERBAL",
    "concern-narrative": "Shouting at night.",
    "concern-source": "1B",
    "concern-level_of_need": "L3",
    "decision_to_refer-by": "Team manager",
    "decision_to_refer-at:moment.day": "13",
    "decision_to_refer-at:moment.month": "3",
    "decision_to_refer-at:moment.year": "2026",
    "decision_to_refer-at:moment.time": "09:40",
    "decision_to_refer-why_existing_information_is_not_enough": "Two old contacts only.",
    "upstream_reference": "CASE 7",
    "sending_officer-name": "Officer",
    "sending_officer-reply_to": "officer@duty.bnes.example",
    "do": "send",
}


@pytest.fixture
def officer(office: Office, client: Any) -> Person:
    person = at_their_desk(client, "OFFICER")
    person.post("/refer/details", {"do": "discard"})
    return person


@pytest.mark.parametrize(("concern", "unclear", "words"), [("true", "false", "clear"), ("false", "true", "no safe")])
def test_what_is_not_for_the_mash_is_told_so_at_once(officer: Person, concern: str, unclear: str, words: str):
    """R05, R06"""
    form = {"eligibility-safeguarding_concern:bool": concern, "eligibility-extent_unclear:bool": unclear}
    answer = officer.send("/refer", form)
    assert answer.status_code == 200
    assert "not for the MASH" in answer.text
    assert words in answer.text
    assert officer.get("/refer/details").headers["location"] == "/refer"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"eligibility-clarification_question": " "}, "eligibility-clarification_question"),
        ({"eligibility-safeguarding_concern:bool": ""}, "eligibility-safeguarding_concern"),
        ({"eligibility-extent_unclear:bool": ""}, "eligibility-extent_unclear"),
    ],
)
def test_each_of_the_three_answers_is_needed(officer: Person, changes: dict[str, str], missing: str):
    """R05"""
    answer = officer.send("/refer", ELIGIBLE | changes)
    assert answer.status_code == 422
    assert f'href="#{missing}"' in answer.text


def test_a_referral_is_sent_once_however_often_the_button_is_pressed(office: Office, officer: Person):
    """R01, INV2"""
    assert officer.send("/refer", ELIGIBLE).headers["location"] == "/refer/details"
    hidden = officer.hidden("/refer/details")
    first, second = (officer.post("/refer/details", hidden | DETAILS) for _ in range(2))
    assert first.status_code == 303, first.text
    assert first.headers["location"] == second.headers["location"]
    reference = first.headers["location"].split("/")[2].partition("?")[0]
    assert acts(reference)[0] == "RECEIVED"
    assert "Wren" not in officer.get(f"/referrals/{reference}").text
    assert reference in officer.get("/referrals").text
    assert officer.get("/refer/details").headers["location"] == "/refer"


def test_what_the_question_is_about_is_chosen_kept_and_sent(office: Office, officer: Person):
    """R15, issue 5 point 2: from the first page through the second to the record; each topic says who holds it"""
    page = officer.get("/refer").text
    assert "Mental health, alcohol and drugs" in page
    assert "Held by: Avon and Somerset Constabulary" in page
    officer.send("/refer", ELIGIBLE | {"eligibility-question_about:list": "POLICE_CONTACT"})
    details = officer.get("/refer/details").text
    assert "Calls to the police, crime, violence at home" in details
    sent = officer.post("/refer/details", officer.hidden("/refer/details") | DETAILS)
    reference = sent.headers["location"].split("/")[2].partition("?")[0]
    with unit_of_work() as session:
        assert referrals.find(session, reference).question_about == ["POLICE_CONTACT"]


def test_a_question_about_nothing_that_there_is_is_told_where_it_can_be_changed(officer: Person):
    """R05"""
    officer.send("/refer", ELIGIBLE | {"eligibility-question_about:list": "WEATHER"})
    answer = officer.post("/refer/details", officer.hidden("/refer/details") | DETAILS)
    assert answer.status_code == 422
    assert 'href="#eligibility-question_about"' in answer.text
    assert 'id="eligibility-question_about"' in answer.text


def test_every_missing_field_is_named_and_nothing_typed_is_lost(officer: Person):
    """R04, R69"""
    officer.send("/refer", ELIGIBLE)
    left_out = ("decision_to_refer-by", "subjects-0-voice", "concern-source", "upstream_reference")
    form = DETAILS | dict.fromkeys(left_out, "")
    answer = officer.send("/refer/details", form)
    assert answer.status_code == 422
    for place in left_out:
        assert f'href="#{place}"' in answer.text
        assert f'id="{place}"' in answer.text
    assert 'value="Wren"' in answer.text


def test_a_draft_waits_for_its_writer(officer: Person):
    """Finding 14"""
    officer.send("/refer", ELIGIBLE)
    officer.send("/refer/details", DETAILS | {"do": "add:subjects"})
    text = officer.get("/refer/details").text
    assert "Person 2" in text
    assert 'value="Wren"' in text
    assert officer.send("/refer/draft", DETAILS, page="/refer/details").status_code == 204


def test_each_page_of_the_referral_saves_its_own_part_and_loses_none_of_the_others(officer: Person):
    """Finding 14: autosave on both pages"""
    assert officer.send("/refer/draft", ELIGIBLE, page="/refer").status_code == 204
    assert QUESTION in officer.get("/refer").text
    assert officer.send("/refer/draft", DETAILS, page="/refer/details").status_code == 204
    changed = ELIGIBLE | {"eligibility-clarification_question": "Another question?"}
    officer.send("/refer/draft", changed, page="/refer")
    text = officer.get("/refer/details").text
    assert "Shouting at night." in text
    assert "Another question?" in text


@pytest.mark.parametrize("answer", ["eligibility-safeguarding_concern:bool", "eligibility-extent_unclear:bool"])
@pytest.mark.parametrize("given", ["false", ""])
def test_nobody_comes_to_the_details_of_what_is_not_for_the_mash(officer: Person, answer: str, given: str):
    """R05, R06"""
    officer.send("/refer/draft", ELIGIBLE | {answer: given}, page="/refer")
    assert officer.get("/refer/details").headers["location"] == "/refer"


def test_an_outcome_is_read_and_acknowledged_by_its_version(office: Office, officer: Person):
    """R42, R43, R45"""
    reference = office.refer_and_hand_back(CHILD)
    page = f"/referrals/{reference}"
    assert f"{page}/outcome" in officer.get(page).text
    text = officer.get(f"{page}/outcome").text
    assert "No further action" in text
    assert "Thank you for telling us" in text
    acknowledgement = f"{page}/acknowledgement"
    assert officer.post(acknowledgement, {"version": "2"}).status_code == 409
    assert officer.post(acknowledgement, {"version": "x"}).status_code == 404
    answer = officer.send(acknowledgement, page=f"{page}/outcome")
    assert answer.headers["location"] == f"{page}?done=outcome-acknowledged"
    assert "Your team acknowledged" in officer.get(f"{page}/outcome").text


def test_a_duty_team_sees_neither_the_assessment_nor_who_was_asked(office: Office, officer: Person):
    """R48"""
    reference = office.refer_and_join(CHILD)
    text = officer.get(f"/referrals/{reference}").text
    assert "Constabulary" not in text
    assert "Niche" not in text
    assert officer.get(f"/board/{reference}").status_code == 403


def test_a_referral_is_withdrawn_with_its_reason(office: Office, officer: Person):
    """R06"""
    reference = office.refer_and_ask(CHILD)
    page = f"/referrals/{reference}/withdraw"
    assert officer.send(page, {}).status_code == 422
    assert officer.send(page, {"reason": "NEEDS_MET_ELSEWHERE"}).status_code == 303
    assert "ENDED_EARLY" in acts(reference)


def test_a_concern_that_became_clear_comes_back_at_once(office: Office, officer: Person):
    """R06: open checks are cancelled, none is a breach, and no decision is made"""
    reference = office.refer_and_ask(CHILD)
    page = f"/referrals/{reference}/clear-concern"
    assert page in officer.get(f"/referrals/{reference}").text
    assert "follow your existing safeguarding procedure now" in officer.get(page).text
    assert officer.send(page).headers["location"] == f"/referrals/{reference}?done=clear"
    found = acts(reference)
    assert found.count("CHECK_CANCELLED") == found.count("CHECK_REQUESTED")
    # The two pages showed who is in it; sending the form shows nobody anything.
    assert found.count("DETAILS_READ") == 2
    assert "CHECK_BREACHED" not in found
    assert "DECIDED" not in found
    assert officer.post(page).status_code == 409
    assert page not in officer.get(f"/referrals/{reference}").text


@pytest.mark.parametrize(("end", "more"), [("clear-concern", {}), ("withdraw", {"reason": "OTHER"})])
def test_who_leaves_a_referral_of_several_people_is_chosen(office: Office, officer: Person, end: str, more: dict):
    """R06, R08: nobody is chosen beforehand, an empty choice is not all of them, and for the others it goes on"""
    reference = office.refer_and_ask(JOINT)
    page = f"/referrals/{reference}/{end}"
    shown = officer.get(page).text
    assert [f'value="S{number}"' in shown for number in (1, 2, 3)] == [True] * 3
    assert "checked" not in shown
    nobody = officer.send(page, more)
    assert nobody.status_code == 422
    assert "choose at least one person" in nobody.text
    assert "SUBJECT_EXITED" not in acts(reference)
    some = officer.send(page, {"subjects:list": ["S2", "S3"], **more})
    assert some.headers["location"].startswith(f"/referrals/{reference}?done=some-")
    assert acts(reference).count("SUBJECT_EXITED") == 2
    assert "ENDED_EARLY" not in acts(reference)
    # Somebody chose on a page from before: the answer stands beside the choice, and a last person needs none.
    assert 'href="#subjects"' in officer.send(page, {"subjects:list": ["S2"], **more}).text
    assert "For whom?" not in officer.get(page).text
    assert "done=some-" not in officer.send(page, more).headers["location"]
    assert "ENDED_EARLY" in acts(reference)


def test_only_the_team_that_sent_a_referral_ends_it(office: Office, client: Any):
    """R06, R48"""
    reference = office.refer_and_ask(JOINT)
    other = at_their_desk(client, "ADULT_OFFICER")
    assert other.post(f"/referrals/{reference}/clear-concern").status_code == 404
    assert "ENDED_EARLY" not in acts(reference)


@pytest.fixture
def hold(record: Stack) -> Iterator[Callable[[str], None]]:
    """Hold the hub's clock at a local moment for one test."""
    owner = record.environment()["MASH_OWNER_DATABASE_URL"]

    def held(words: str) -> None:
        held_clock.hold(owner, words, current_profile().zone_info)

    yield held
    held_clock.release(owner)


@pytest.mark.parametrize(
    ("moment", "watched"),
    [
        ("Mon 16 Mar 2026 10:00", True),
        ("Mon 16 Mar 2026 17:00", False),
        ("Sat 14 Mar 2026 12:00", False),
        ("Fri 03 Apr 2026 12:00", False),  # Good Friday
    ],
)
def test_out_of_hours_every_page_of_a_referral_says_that_nobody_is_watching_and_whom_to_call(
    office: Office, officer: Person, hold: Callable[[str], None], moment: str, watched: bool
):
    """R26"""
    hold(moment)
    officer.send("/refer", ELIGIBLE)
    reference = office.refer(CHILD)
    for page in ("/refer", "/refer/details", f"/referrals/{reference}"):
        text = officer.get(page).text
        assert ("call 999. Otherwise" in text) is not watched, page
        assert ("Emergency Duty Team (EDT) on 01632 960003" in text) is not watched, page


def test_the_text_for_whoever_told_the_team_holds_none_of_the_words_for_the_team(office: Office, officer: Person):
    """R45"""
    reference = office.refer_and_hand_back(CHILD)
    text = officer.get(f"/referrals/{reference}/outcome").text
    ready = text.partition("Words for whoever told you")[2]
    assert "Nobody knows of anything." in text
    assert "Nobody knows of anything." not in ready
    assert "Testchild" not in ready
    assert "please tell us again" in ready
