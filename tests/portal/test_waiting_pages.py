"""How the MASH team looks after the wait in the portal (R13, R21, R23, R33)."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from casework import clock_words, referrals
from casework.checks import record_breach
from casework.db import now, unit_of_work
from casework.register import current_profile
from models.check import AgencyCheck
from portal.examples import CHILD
from portal.forms import moment_parts
from reports import refresh
from tests.portal.office import SUPPORT, Office, acts, lapse, returns
from tests.portal.people import Person, at_their_desk


@pytest.fixture
def support(office: Office, client: Any) -> Person:
    return at_their_desk(client, "MASH_SUPPORT")


@pytest.fixture
def reference(office: Office) -> str:
    return office.refer_and_ask(CHILD)


def check(reference: str) -> AgencyCheck:
    with unit_of_work() as session:
        return referrals.check_of(session, reference, "POLICE")


def longer(reference: str, days: int = 7, reason: str = "MORE_TO_SEARCH") -> dict[str, str]:
    """The form that puts the due time to opening time some days on."""
    profile = current_profile()
    until = profile.calendar().opens_after(check(reference).due_at + timedelta(days=days))
    parts = moment_parts(until, profile.zone_info)
    return {f"until:moment{part}": value for part, value in parts.items()} | {"reason": reason}


def test_more_time_is_given_for_a_reason_and_the_page_says_why(support: Person, reference: str):
    """R21"""
    page = f"/board/{reference}/checks/POLICE"
    before = check(reference).due_at
    assert f"{page}/extend" in support.get(page).text
    answer = support.send(f"{page}/extend", longer(reference))
    assert answer.headers.get("location") == f"{page}?done=extended", answer.text
    assert check(reference).due_at > before
    text = support.get(page).text
    assert "There is more to search than expected" in text
    assert "Extended" in text


def test_an_extension_without_a_reason_is_refused_beside_the_field(support: Person, reference: str):
    """R21"""
    page = f"/board/{reference}/checks/POLICE/extend"
    for form, said in (
        (longer(reference, reason=""), "Reason: please answer this"),
        (longer(reference, days=-9), "must be later than the time that it is due now"),
        (longer(reference, days=90), "at most 28 days"),
    ):
        answer = support.send(page, form)
        assert answer.status_code == 422
        assert said in answer.text
        assert "There is a problem" in answer.text


def test_the_slower_of_two_who_give_more_time_is_told(support: Person, reference: str):
    """F18"""
    page = f"/board/{reference}/checks/POLICE/extend"
    seen = support.hidden(page)
    assert support.send(page, longer(reference)).status_code == 303
    late = support.post(page, longer(reference, days=9) | {"due_seen": seen["due_seen"]})
    assert late.status_code == 409
    assert "Somebody changed this while you were working" in late.text


def test_a_clock_is_stopped_shown_as_stopped_and_let_go_on(office: Office, support: Person, reference: str):
    """R33"""
    page = f"/board/{reference}/checks/POLICE"
    assert support.send(f"{page}/pause", {}).status_code == 422
    assert support.send(f"{page}/pause", {"reason": "QUESTION_OPEN"}).headers["location"] == f"{page}?done=paused"
    assert check(reference).paused_at is not None
    for where in (page, f"/board/{reference}"):
        assert "Time stands still" in support.get(where).text
    assert "Time stands still" in at_their_desk(office.client, "POLICE").get(f"/checks/{reference}").text
    assert support.post(f"{page}/pause", {"reason": "QUESTION_OPEN"}).status_code == 409
    assert support.post(f"{page}/resume").headers["location"] == f"{page}?done=resumed"
    assert check(reference).paused_at is None
    assert support.post(f"{page}/resume").status_code == 409


def test_the_answer_to_a_question_lets_the_clock_go_on(office: Office, support: Person, reference: str):
    """R33"""
    office.post("POLICE", f"/referrals/{reference}/check/clarify", {"text": "Which address?"})
    page = f"/board/{reference}/checks/POLICE"
    support.send(f"{page}/pause", {"reason": "QUESTION_OPEN"})
    assert "Its clock goes on with your answer." in support.get(page).text
    assert support.send(page, {"text": "The newer one."}).status_code == 303
    assert acts(reference)[-2:] == ["CLARIFICATION_ANSWERED", "CLOCK_RESUMED"]


def test_an_agency_is_reminded_now(support: Person, reference: str):
    """R23"""
    page = f"/board/{reference}/checks/POLICE"
    assert support.post(f"{page}/chase").headers["location"] == f"{page}?done=chased"
    assert acts(reference)[-1] == "CHECK_CHASED"
    assert "The agency is reminded." in support.get(f"{page}?done=chased").text


def test_who_is_overdue_can_be_reminded_and_not_given_more_time(support: Person, reference: str):
    """R21, INV5"""
    lapse(reference, "POLICE")
    page = f"/board/{reference}/checks/POLICE"
    text = support.get(page).text
    assert "Its time is up" in text
    assert f"{page}/extend" not in text
    assert support.send(f"{page}/extend", longer(reference)).status_code == 409
    assert support.send(f"{page}/pause", {"reason": "REP_ABSENT"}).status_code == 409
    assert support.post(f"{page}/chase").status_code == 303


def test_a_settled_check_is_not_reminded(office: Office, support: Person, reference: str):
    """R23"""
    office.post("POLICE", f"/referrals/{reference}/check/decline", {"reason": "NO_ISA"})
    page = f"/board/{reference}/checks/POLICE"
    assert "Remind it now" not in support.get(page).text
    assert support.post(f"{page}/chase").status_code == 409


ONE_MORE = {"agency": "PROBATION", "blocking:bool": "false", "question": "Is anybody under supervision?"}


def test_a_secondary_agency_is_asked_and_sees_its_own_question(office: Office, support: Person, reference: str):
    """R20"""
    page = f"/board/{reference}/ask"
    assert page in support.get(f"/board/{reference}").text
    assert support.send(page, {}).status_code == 422
    assert support.send(page, ONE_MORE).headers["location"] == f"/board/{reference}?done=asked-another"
    text = support.get(f"/board/{reference}").text
    assert "Avon Probation Service" in text
    assert "Not waited for" in text
    assert "Is anybody under supervision?" in at_their_desk(office.client, "PROBATION").get(f"/checks/{reference}").text
    assert (
        "Is anybody under supervision?" not in at_their_desk(office.client, "POLICE").get(f"/checks/{reference}").text
    )


def test_who_was_asked_already_is_not_offered_again(support: Person, reference: str):
    """R20"""
    page = f"/board/{reference}/ask"
    assert support.send(page, ONE_MORE).status_code == 303
    again = support.send(page, ONE_MORE)
    assert again.status_code == 422
    assert "it was not asked yet" in again.text
    assert 'value="PROBATION"' not in again.text


def test_after_the_join_another_agency_is_asked_without_waiting(office: Office, support: Person):
    """R20"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}/ask"
    assert "The returns are joined already" in support.get(page).text
    assert support.send(page, ONE_MORE | {"blocking:bool": "true"}).status_code == 422
    assert support.send(page, ONE_MORE).status_code == 303


def test_a_clock_that_stands_still_is_told_on_the_board_without_a_name(support: Person, reference: str):
    """R53"""
    with unit_of_work() as session:
        for each in referrals.checks(session, reference):
            each.paused_at, each.pause_reason = now(session), "SYSTEM_DOWN"
            session.add(each)
    # The board holds so many that only the most urgent of these tests' referrals are sure to stand on it.
    support.send(f"/board/{reference}/urgency", {"rating": "RED", "rationale": "To be seen."})
    assert "Paused" in support.get("/board").text


def test_why_a_check_was_late_is_said_by_the_team_or_the_agencys_manager(
    office: Office, support: Person, reference: str
):
    """R25: from the code set, on the page and through the API; the record keeps both"""
    page, own = f"/board/{reference}/checks/POLICE", f"/checks/{reference}"
    manager = at_their_desk(office.client, "POLICE")
    assert "Why it was late" not in support.get(page).text
    assert support.post(f"{page}/cause", {"cause": "REP_ABSENT"}).status_code == 409
    lapse(reference, "POLICE")
    with unit_of_work() as session:
        referrals.lock(session, reference)
        record_breach(session, referrals.check_of(session, reference, "POLICE"), at=now(session))
    assert "Why it was late" in support.get(page).text
    assert support.post(f"{page}/cause", {"cause": ""}).status_code == 422
    given = support.post(f"{page}/cause", {"cause": "QUESTION_UNCLEAR"})
    assert given.headers["location"] == f"{page}?done=cause-given"
    said = "Cause of the breach, says the MASH team: The question was unclear (QUESTION_UNCLEAR)."
    assert said in support.get(page).text
    assert said in manager.get(own).text
    assert manager.post(f"{own}/cause", {"cause": "REP_ABSENT"}).status_code == 303
    answer = office.post("MASH_SUPPORT", f"/referrals/{reference}/checks/POLICE/cause", {"cause": "SYSTEM_DOWN"})
    assert answer.status_code == 200, answer.text
    assert check(reference).breach_cause == "SYSTEM_DOWN"
    assert acts(reference).count("CAUSE_RECORDED") == 3


def test_the_team_marks_the_quality_of_a_return_and_its_agency_sees_that_in_its_figures(
    office: Office, support: Person, reference: str
):
    """R31: on the page and through the API; nothing can be marked before it is returned"""
    page, police = f"/board/{reference}/checks/POLICE", at_their_desk(office.client, "POLICE")
    assert "Quality of its return" not in support.get(page).text
    assert support.post(f"{page}/quality", {"answers_question:bool": "true"}).status_code == 409
    with unit_of_work() as session:
        returns(session, reference, "POLICE")
    assert "Do its items say when" not in support.get(page).text
    empty = support.post(f"{page}/quality", {})
    assert (empty.status_code, 'href="#answers_question"' in empty.text) == (422, True)
    marked = support.post(f"{page}/quality", {"answers_question:bool": "false"})
    assert marked.headers["location"] == f"{page}?done=return-marked"
    assert "it does not answer the question." in support.get(page).text
    asked = f"/referrals/{reference}/checks/POLICE/quality"
    assert office.post("MASH_SUPPORT", asked, {"answers_question": True}).status_code == 200
    assert acts(reference).count("RETURN_MARKED") == 2
    work_out_figures()
    told = police.get("/your-figures").text
    assert re.search(r"The MASH team marked \d+ of your returns: \d+ answers? what was asked", told)


def work_out_figures() -> None:
    """As the timekeeper does each minute."""
    with unit_of_work() as session:
        while refresh.refresh(session):
            pass


def test_how_a_clock_ran_is_told_on_both_pages_in_the_same_words(office: Office, support: Person, reference: str):
    """R25"""
    page = f"/board/{reference}/checks/POLICE"
    support.send(f"{page}/pause", {"reason": "QUESTION_OPEN"})
    support.post(f"{page}/resume")
    with unit_of_work() as session:
        told = clock_words.explain(session, reference, "POLICE", by=SUPPORT, at=now(session))
    assert "by the MASH team (A question has to be answered first, QUESTION_OPEN)" in " ".join(told)
    for text in (support.get(page).text, at_their_desk(office.client, "POLICE").get(f"/checks/{reference}").text):
        for sentence in told[:-1]:
            assert sentence in unescape(text)
