"""The outcome goes to each team for its own subjects, and the referral is over when all of them know."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from casework import discussion, early_end, outcome
from casework.documents import EarlyEndDocument
from engine.timekeeper import keep_clock
from rules.errors import NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.stages import UNDECIDED, Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    DECIDER,
    DUE,
    DUTY,
    FOR_A_CHILD,
    JUST_OVERDUE,
    OPERATOR,
    SUPPORT,
    a_child,
    a_family,
    act,
    acts_of,
    all_give_back,
    ask,
    asked_agencies,
    check,
    decide,
    duty,
    give_back,
    join,
    london,
    no_action,
    notices_of,
    refer,
    referral,
    rep,
    verdict,
    walk,
)

MOVED = EarlyEndDocument(reason="MOVED_AREA")
ALL = EarlyEndDocument()


@pytest.fixture
def family() -> str:
    """A mother and two children, decided on and handed back."""
    reference = refer(subjects=a_family())
    ask(reference)
    all_give_back(reference)
    join(reference)
    decide(reference, verdict("S1", outcome="A_S42"), verdict("S2"), verdict("S3", outcome="C_ASSESS"))
    act(outcome.hand_back, reference, at=AFTERNOON)
    return reference


def _read(reference: str, team: str) -> dict[str, str]:
    told = act(outcome.read, reference, by=duty(team), at=AFTERNOON)
    return {each["subject"]: each["outcome"] for each in told["outcomes"]}


# --- to whom ---


def test_each_team_reads_its_own_subjects_and_nothing_of_the_others(family):
    """R08, R42"""
    assert _read(family, DUTY) == {"S2": "C_STRATEGY", "S3": "C_ASSESS"}
    assert _read(family, ASIST) == {"S1": "A_S42"}
    assert "Marla" not in str(act(outcome.read, family, by=duty(DUTY), at=AFTERNOON))
    assert "Perrin" not in str(act(outcome.read, family, by=duty(ASIST), at=AFTERNOON))


def test_a_team_is_told_the_words_meant_for_it_and_not_the_rationale(family):
    """R42, R48: the outcome, not the assessment"""
    told = act(outcome.read, family, by=duty(DUTY), at=AFTERNOON)
    assert told["upstream_reference"] == "CASE one"
    assert told["outcomes"][0]["words"] == verdict()["words_for_duty_team"]
    assert verdict()["rationale"] not in str(told)


def test_both_teams_are_told_once_each(record, family):
    """R42"""
    act(outcome.hand_back, family, at=AFTERNOON)
    told = [to for message, to in notices_of(record, family) if message == "outcome_ready"]
    assert sorted(told) == [f"duty:{ASIST}", f"duty:{DUTY}"]


@pytest.mark.parametrize("by", [rep("POLICE"), SUPPORT, DECIDER, OPERATOR, duty(ASIST)], ids=lambda actor: actor.id)
def test_an_outcome_is_for_the_team_it_was_handed_to(by):
    """R42, R49"""
    reference = walk(Stage.AWAITING_ACK)
    for verb in (outcome.read, outcome.acknowledge):
        with pytest.raises(NotFound):
            act(verb, reference, by=by, at=AFTERNOON)


# --- until all know ---


def test_a_referral_is_over_when_every_team_has_said_that_it_knows(record, family):
    """R43"""
    act(outcome.acknowledge, family, by=duty(DUTY), at=AFTERNOON)
    act(outcome.close, family, at=AFTERNOON)
    assert referral(family).stage is Stage.AWAITING_ACK
    act(outcome.acknowledge, family, by=duty(ASIST), at=AFTERNOON)
    act(outcome.close, family, at=AFTERNOON)
    assert (referral(family).stage, referral(family).closed_at) == (Stage.CLOSED, AFTERNOON)
    act(outcome.close, family, at=JUST_OVERDUE)
    assert acts_of(record, family).count("CLOSED") == 1


def test_acknowledging_twice_is_acknowledging_once(record):
    """R43"""
    reference = walk(Stage.AWAITING_ACK)
    for at in (AFTERNOON, JUST_OVERDUE):
        act(outcome.acknowledge, reference, by=duty(), at=at)
    assert record.ask("SELECT acknowledged_at, acknowledged_by FROM hand_back") == [(AFTERNOON, f"system-{DUTY}")]
    assert acts_of(record, reference).count("ACKNOWLEDGED") == 1


def test_the_last_acknowledgement_wakes_the_referral(record, family):
    woken = "SELECT count(*) FROM wake WHERE reference = %s AND kind = 'RUN' AND due_at = %s"
    act(outcome.acknowledge, family, by=duty(DUTY), at=JUST_OVERDUE)
    assert record.ask(woken, family, JUST_OVERDUE) == [(0,)]
    act(outcome.acknowledge, family, by=duty(ASIST), at=JUST_OVERDUE)
    assert record.ask(woken, family, JUST_OVERDUE) == [(1,)]


def test_an_outcome_about_to_change_cannot_be_acknowledged():
    """R24, R43: the team would say that it knows what is no longer so"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, no_action(), at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", at=JUST_OVERDUE)
    decide(reference, at=JUST_OVERDUE)
    with pytest.raises(WrongStage, match="about to change"):
        act(outcome.acknowledge, reference, by=duty(), at=JUST_OVERDUE)


@pytest.mark.parametrize("second", [no_action(), verdict()], ids=["unchanged", "changed"])
@pytest.mark.parametrize("handed_back", ["Tue 17 Mar 2026 11:00", "Wed 18 Mar 2026 12:00"])
def test_after_a_second_decision_the_team_is_chased_once_a_day_as_before(record, second, handed_back):
    """R43: the chase of the first outcome may fall due while nothing can be acknowledged; it was not the last"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, no_action(), at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", at=JUST_OVERDUE)
    decide(reference, second, at=JUST_OVERDUE)
    again = london(handed_back)
    _keep_time(again)
    act(outcome.hand_back, reference, at=again)
    for days in (1, 2):
        _keep_time(again + timedelta(days=days))
        assert acts_of(record, reference).count("ACK_CHASED") == days


def _keep_time(until: datetime) -> None:
    while act(keep_clock, until):
        pass


# --- before a decision ---


@pytest.mark.parametrize("stage", sorted(UNDECIDED))
@pytest.mark.parametrize("by", [duty(), DECIDER], ids=lambda actor: actor.id)
def test_a_concern_that_becomes_clear_ends_the_referral_at_every_stage_before_a_decision(record, stage, by):
    """R06"""
    reference = walk(stage)
    act(early_end.clear_concern, reference, ALL, by=by, at=AFTERNOON)
    assert referral(reference).stage is Stage.HANDING_BACK
    assert record.ask("SELECT exit_code FROM subject") == [("CLEAR_CONCERN_RETURN",)]
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert _read(reference, DUTY) == {"S1": "CLEAR_CONCERN_RETURN"}
    assert ("outcome_ready", f"duty:{DUTY}") in notices_of(record, reference)


@pytest.mark.parametrize("stage", sorted(set(Stage) - UNDECIDED))
def test_after_the_decision_nothing_ends_early(stage):
    """R06"""
    reference = walk(stage)
    for end in (early_end.clear_concern, early_end.withdraw):
        with pytest.raises(WrongStage):
            act(end, reference, MOVED, by=duty(), at=AFTERNOON)


def test_open_checks_are_cancelled_and_their_agencies_told_and_none_is_a_breach(record, checking):
    """R06"""
    give_back(checking, "POLICE")
    act(early_end.clear_concern, checking, ALL, by=duty(), at=AFTERNOON)
    assert check(checking, "POLICE").status == "RETURNED"
    stopped = set(FOR_A_CHILD) - {"POLICE"}
    assert {agency for agency in FOR_A_CHILD if check(checking, agency).status == "CANCELLED"} == stopped
    told = [to for message, to in notices_of(record, checking) if message == "check_stopped"]
    assert sorted(told) == sorted(f"agency:{agency}" for agency in stopped)
    _keep_time(DUE + timedelta(days=1))
    assert "CHECK_BREACHED" not in acts_of(record, checking)


def test_who_withdraws_need_not_be_told_nor_say_that_it_knows(record, checking):
    """R06, R43"""
    act(early_end.withdraw, checking, MOVED, by=duty(), at=AFTERNOON)
    act(outcome.hand_back, checking, at=AFTERNOON)
    act(outcome.close, checking, at=AFTERNOON)
    assert referral(checking).stage is Stage.CLOSED
    assert "outcome_ready" not in dict(notices_of(record, checking))
    assert record.ask("SELECT exit_code, exit_reason FROM subject") == [("WITHDRAWN", "MOVED_AREA")]


def test_the_other_team_of_a_joint_case_is_told_of_a_withdrawal(record):
    """R06, R08"""
    reference = refer(subjects=a_family())
    ask(reference)
    act(early_end.withdraw, reference, MOVED, by=duty(), at=AFTERNOON)
    act(outcome.hand_back, reference, at=AFTERNOON)
    act(outcome.close, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_ACK
    told = [to for message, to in notices_of(record, reference) if message == "outcome_ready"]
    assert told == [f"duty:{ASIST}"]


def test_one_subject_of_a_joint_case_leaves_and_the_others_go_on(record):
    """R06, R08"""
    reference = refer(subjects=a_family())
    ask(reference)
    leaving = EarlyEndDocument(reason="DIED", subjects=["S1"])
    act(early_end.withdraw, reference, leaving, by=duty(), at=AFTERNOON)
    assert referral(reference).stage is Stage.CHECKING
    assert "ENDED_EARLY" not in acts_of(record, reference)
    for agency in asked_agencies(reference):
        about_the_dead = not check(reference, agency).basis.keys() - {"S1"}
        assert (check(reference, agency).status == "CANCELLED") is about_the_dead
        if not about_the_dead:
            give_back(reference, agency)
    stopped = [to for message, to in notices_of(record, reference) if message == "check_stopped"]
    assert 0 < len(stopped) < len(asked_agencies(reference))
    join(reference)
    decide(reference, verdict("S2"), no_action("S3"))
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert _read(reference, DUTY) == {"S2": "C_STRATEGY", "S3": "NFA"}
    assert _read(reference, ASIST) == {"S1": "WITHDRAWN"}


def test_the_last_subject_to_leave_ends_the_referral():
    """R06"""
    reference = refer(subjects=a_family())
    ask(reference)
    for code in ("S1", "S2", "S3"):
        assert referral(reference).stage is Stage.CHECKING
        leaving = EarlyEndDocument(reason="MOVED_AREA", subjects=[code])
        act(early_end.withdraw, reference, leaving, by=duty(), at=AFTERNOON)
    assert referral(reference).stage is Stage.HANDING_BACK
    assert {check(reference, agency).status for agency in asked_agencies(reference)} == {"CANCELLED"}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (EarlyEndDocument(), "/reason"),
        (EarlyEndDocument(reason="BORED"), "/reason"),
        (EarlyEndDocument(reason="DIED", subjects=["S2"]), "/subjects/0"),
    ],
)
def test_a_withdrawal_names_its_reason_and_those_who_are_there(checking, document, pointer):
    """R06, requirements §4.9"""
    with pytest.raises(NotAcceptable) as refusal:
        act(early_end.withdraw, checking, document, by=duty(), at=AFTERNOON)
    assert [field.pointer for field in refusal.value.fields] == [pointer]
    assert referral(checking).stage is Stage.CHECKING


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(duty(ASIST), NotFound), (rep("POLICE"), NotPermitted), (SUPPORT, NotPermitted), (OPERATOR, NotPermitted)],
    ids=["other team", "agency", "support", "operator"],
)
def test_only_the_originator_or_a_decision_maker_ends_a_referral_early(record, checking, by, refusal):
    """R06"""
    with pytest.raises(refusal):
        act(early_end.clear_concern, checking, ALL, by=by, at=AFTERNOON)
    assert "SUBJECT_EXITED" not in acts_of(record, checking)


def test_a_breach_that_came_before_the_early_end_stays(record, checking):
    """INV5"""
    act(early_end.clear_concern, checking, ALL, by=duty(), at=JUST_OVERDUE)
    assert acts_of(record, checking).count("CHECK_BREACHED") == len(FOR_A_CHILD)
    assert record.ask("SELECT DISTINCT status, breached_at FROM agency_check") == [("CANCELLED", DUE)]


def test_a_withdrawal_after_discussing_now_still_ends_it(checking):
    act(discussion.discuss_now, checking, by=SUPPORT, at=AFTERNOON)
    act(early_end.withdraw, checking, MOVED, by=duty(), at=AFTERNOON)
    assert referral(checking).stage is Stage.HANDING_BACK


def test_a_child_and_another_team_do_not_meet():
    """R08: a referral about children alone tells nobody of the adults' side"""
    reference = walk(Stage.AWAITING_ACK, subjects=[a_child()])
    with pytest.raises(NotFound):
        act(outcome.read, reference, by=duty(ASIST), at=AFTERNOON)
