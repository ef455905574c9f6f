"""The MASH team asks an agency about its return, on a clock of its own (R33)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework import collation, decision, follow_up, queues
from casework.documents import PauseDocument
from engine.timekeeper import keep_clock
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    SUPPORT,
    act,
    acts_of,
    check,
    decide,
    decision_on,
    duty,
    give_back,
    london,
    notices_of,
    referral,
    rep,
    walk,
)

QUESTION, ANSWER = "Who was in the house that night?", "Her aunt, and nobody else."
DUE = london("Tue 17 Mar 2026 15:00")
MORNING = london("Tue 17 Mar 2026 10:00")
NOON = london("Tue 17 Mar 2026 12:00")
ELSEWHERE = PauseDocument(reason="RECORDS_ELSEWHERE")


@pytest.fixture
def returned(record) -> str:
    """A child's referral on which the police have answered."""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", at=ASKED)
    return reference


def ask(reference: str, by: Actor = SUPPORT, agency: str = "POLICE") -> None:
    act(follow_up.ask, reference, agency, QUESTION, by=by, at=AFTERNOON)


def reply(reference: str, at=MORNING, by: Actor | None = None) -> None:
    act(follow_up.answer, reference, "POLICE", ANSWER, by=by or rep("POLICE"), at=at)


def asked(reference: str) -> follow_up.FollowUpSeen:
    seen = act(queues.read_check_for_team, reference, "POLICE", by=SUPPORT, at=AFTERNOON)
    return seen.follow_ups[-1]


def waits_for_police() -> list[str]:
    return [task.reference for task in act(queues.tasks_of, by=rep("POLICE")).follow_ups]


def test_a_question_about_a_return_is_on_the_agencys_task_with_its_due_time(record, returned):
    """R33: the return stays what it is"""
    ask(returned)
    [task] = act(queues.tasks_of, by=rep("POLICE")).follow_ups
    assert (task.reference, task.asked_at, task.due_at) == (returned, AFTERNOON, DUE)
    assert act(queues.tasks_of, by=rep("MENTAL_HEALTH")).follow_ups == []
    own = act(queues.read_check, returned, by=rep("POLICE"), at=AFTERNOON)
    assert own.follow_ups[0].question == QUESTION
    assert check(returned, "POLICE").status == "RETURNED"
    assert ("follow_up_asked", "agency:POLICE") in notices_of(record, returned)


def test_the_answer_goes_to_the_team_and_the_template_and_both_times_are_kept(record, returned):
    """R33, R41"""
    ask(returned)
    before = referral(returned).version
    reply(returned)
    found = asked(returned)
    assert (found.asked_at, found.answered_at, found.answer) == (AFTERNOON, MORNING, ANSWER)
    assert waits_for_police() == []
    assert referral(returned).version == before + 1
    assert ("follow_up_answered", "mash:team") in notices_of(record, returned)
    content = act(collation.read, returned, by=SUPPORT, at=MORNING)
    [police] = [each for each in content["agencies"] if each["agency"] == "POLICE"]
    [source] = police["follow_ups"]
    assert (source["question"], source["answer"]) == (QUESTION, ANSWER)
    assert source["answered"] == "Tue 17 Mar 2026 10:00"
    page = collation.render(content)
    assert QUESTION in page
    assert ANSWER in page


def test_a_late_answer_is_taken_and_is_no_breach_of_anything(record, returned):
    """R33, R22"""
    ask(returned)
    while act(keep_clock, DUE + timedelta(hours=2)):
        pass
    reply(returned, at=DUE + timedelta(hours=1))
    assert check(returned, "POLICE").breached_at is None
    [(late,)] = record.ask(
        "SELECT detail->>'late_ms' FROM ledger WHERE reference = %s AND act = 'FOLLOW_UP_ANSWERED'", returned
    )
    assert late == str(3600 * 1000)
    breached = record.ask(
        "SELECT detail->>'agency' FROM ledger WHERE reference = %s AND act = 'CHECK_BREACHED'", returned
    )
    assert ("POLICE",) not in breached


def test_whoever_is_deciding_meets_a_conflict_when_the_answer_comes(record):
    """R33, F18"""
    reference = walk(Stage.AWAITING_DECISION)
    ask(reference)
    seen = decision_on(reference, without_discussion_because="Urgent.")
    reply(reference)
    with pytest.raises(Conflict):
        act(decision.decide, reference, seen, by=DECIDER, at=MORNING)


def test_a_pause_says_who_and_why_and_leaves_as_much_time_as_there_was(record, returned):
    """R33"""
    ask(returned)
    act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=MORNING)
    found = asked(returned)
    assert (found.paused_at, found.pause_reason, found.paused_by) == (MORNING, "RECORDS_ELSEWHERE", "support")
    own = act(queues.read_check, returned, by=rep("POLICE"), at=MORNING)
    assert (own.follow_ups[0].paused_at, own.follow_ups[0].paused_by) == (MORNING, None)
    act(follow_up.resume, returned, "POLICE", by=SUPPORT, at=NOON)
    found = asked(returned)
    assert (found.paused_at, found.due_at) == (None, DUE + timedelta(hours=2))
    assert "Records must be fetched from elsewhere" in found.due_in_words
    told = record.ask("SELECT act, actor, detail->>'reason' FROM ledger WHERE reference = %s", returned)
    assert ("FOLLOW_UP_PAUSED", "support", "RECORDS_ELSEWHERE") in told
    assert notices_of(record, returned).count(("check_time_changed", "agency:POLICE")) == 2


def test_an_answer_ends_the_pause(record, returned):
    """R33"""
    ask(returned)
    act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=MORNING)
    reply(returned, at=NOON)
    assert asked(returned).due_at == DUE + timedelta(hours=2)
    assert acts_of(record, returned)[-3:] == ["FOLLOW_UP_RESUMED", "FOLLOW_UP_ANSWERED", "CHECK_READ"]


def test_a_pause_needs_a_reason_of_the_list_and_a_clock_that_goes(returned):
    """R33"""
    with pytest.raises(WrongStage):
        act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=MORNING)
    ask(returned)
    with pytest.raises(WrongStage):
        act(follow_up.resume, returned, "POLICE", by=SUPPORT, at=MORNING)
    with pytest.raises(NotAcceptable):
        act(follow_up.pause, returned, "POLICE", PauseDocument(reason="TIRED"), by=SUPPORT, at=MORNING)
    with pytest.raises(WrongStage):
        act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=DUE + timedelta(minutes=1))
    act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=MORNING)
    with pytest.raises(WrongStage):
        act(follow_up.pause, returned, "POLICE", ELSEWHERE, by=SUPPORT, at=NOON)


def test_only_an_agency_that_returned_is_asked_and_one_thing_at_a_time(returned):
    """R33"""
    with pytest.raises(WrongStage):
        ask(returned, agency="MENTAL_HEALTH")
    with pytest.raises(NotFound):
        ask(returned, agency="RUH")
    with pytest.raises(WrongStage):
        reply(returned)
    ask(returned)
    with pytest.raises(WrongStage):
        ask(returned)
    reply(returned)
    ask(returned)
    assert waits_for_police() == [returned]


def test_after_the_decision_nothing_waits_any_more_and_a_return_is_corrected_instead(record):
    """R24, R33"""
    reference = walk(Stage.AWAITING_DECISION)
    ask(reference)
    decide(reference)
    assert waits_for_police() == []
    assert not asked(reference).waits
    for late in (reply, ask):
        with pytest.raises(WrongStage):
            late(reference)


@pytest.mark.parametrize("by", [rep("POLICE"), duty()])
def test_only_the_team_asks(returned, by):
    """R17, R33"""
    with pytest.raises(NotPermitted):
        ask(returned, by=by)


@pytest.mark.parametrize("by", [rep("MENTAL_HEALTH"), SUPPORT, duty()])
def test_only_the_agency_itself_answers(returned, by):
    """R33, R49"""
    ask(returned)
    with pytest.raises(NotFound):
        reply(returned, by=by)
