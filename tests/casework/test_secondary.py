"""A secondary agency is asked about one referral, when somebody thinks of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from casework import checks, collation, discussion, facts, queues, secondary, standing
from casework.documents import SecondaryDocument
from rules.collation import Section
from rules.errors import NotAcceptable, NotPermitted, WrongStage
from rules.stages import CheckStatus, Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    DUE,
    SUPPORT,
    act,
    acts_of,
    all_give_back,
    check,
    decide,
    duty,
    give_back,
    join,
    london,
    notices_of,
    referral,
    rep,
    walk,
)

MS = timedelta(milliseconds=1)
NOON = london("Mon 16 Mar 2026 12:00")
THURSDAY = london("Thu 19 Mar 2026 12:00")


def ask(reference: str, agency: str = "PROBATION", at: datetime = NOON, **more: Any) -> None:
    document = SecondaryDocument.model_validate({"agency": agency, "blocking": False, **more})
    act(secondary.ask, reference, document, by=SUPPORT, at=at)


def sections(reference: str, at: datetime) -> dict[str, str]:
    content = act(collation.read, reference, by=DECIDER, at=at)
    return {each["agency"]: each["section"] for each in content["agencies"]}


def test_a_secondary_agency_has_the_same_time_as_everybody_or_its_own(record, checking):
    """R20, R21"""
    ask(checking)
    ask(checking, "RUH", until=THURSDAY)
    assert check(checking, "PROBATION").due_at == london("Tue 17 Mar 2026 12:00")
    own = check(checking, "RUH")
    assert own.due_at == THURSDAY
    assert own.due_in_words == "Asked Mon 16 Mar 2026 12:00, with a time of its own. Due Thu 19 Mar 2026 12:00."
    assert ("check_requested", "agency:RUH") in notices_of(record, checking)
    assert acts_of(record, checking)[-2:] == ["CHECK_REQUESTED", "CHECK_REQUESTED"]


def test_a_request_that_is_not_blocking_and_late_lets_the_join_happen_and_is_shown_as_awaited(record, checking):
    """R20"""
    ask(checking)
    all_give_back(checking, but=["PROBATION"])
    assert act(facts.checks_settled, checking, AFTERNOON) is None
    assert act(standing.on_the_hub, checking)
    late = london("Fri 20 Mar 2026 12:00")
    join(checking, late)
    assert referral(checking).stage is Stage.AWAITING_DECISION
    assert sections(checking, late)["PROBATION"] == Section.AWAITED
    give_back(checking, "PROBATION", at=late)
    assert sections(checking, late)["PROBATION"] == Section.RETURNED_LATE


def test_a_blocking_request_is_waited_for_until_its_own_time(record, checking):
    """R20, R22"""
    ask(checking, "RUH", blocking=True, until=THURSDAY)
    all_give_back(checking, but=["RUH"])
    waiting = act(facts.checks_settled, checking, DUE + MS)
    assert waiting is not None
    assert "awaiting RUH" in waiting.why
    assert record.ask("SELECT due_at FROM wake WHERE about = 'deadline'") == [(THURSDAY + MS,)]
    assert act(facts.checks_settled, checking, THURSDAY + MS) is None


def test_the_answer_of_the_last_blocking_agency_wakes_the_referral(record, checking):
    """R20, R22"""
    all_give_back(checking, but=["POLICE"])
    ask(checking)
    give_back(checking, "POLICE")
    assert record.ask("SELECT 1 FROM wake WHERE kind = 'RUN' AND about = '' AND due_at = %s", AFTERNOON)


def test_the_run_is_woken_and_takes_note_of_who_was_asked_meanwhile_once(record, checking):
    """R20: the engine shows who was asked"""
    assert act(checks.agencies_to_ask, checking) == []
    ask(checking)
    assert record.ask("SELECT 1 FROM wake WHERE kind = 'RUN' AND about = '' AND due_at = %s", NOON)
    assert act(checks.agencies_to_ask, checking) == ["PROBATION"]
    act(checks.request_check, checking, "PROBATION", at=NOON)
    assert act(checks.agencies_to_ask, checking) == []
    assert acts_of(record, checking).count("CHECK_REQUESTED") == 5
    assert [row for row in notices_of(record, checking) if row[1] == "agency:PROBATION"] == [
        ("check_requested", "agency:PROBATION")
    ]


def test_a_question_of_its_own_is_for_this_agency_alone(record, checking):
    """R20, R49"""
    ask(checking, question="Is anybody under supervision?")
    asked = act(queues.read_check, checking, by=rep("PROBATION"), at=NOON)
    assert asked.question == "Is anybody under supervision?"
    other = act(queues.read_check, checking, by=rep("POLICE"), at=NOON)
    assert other.question == referral(checking).clarification_question


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"agency": "POLICE"}, "/agency"),  # a core agency
        ({"agency": "SCOUTS"}, "/agency"),
        ({"until": NOON - timedelta(hours=1)}, "/until"),
        ({"until": london("Sun 22 Mar 2026 12:00")}, "/until"),
        ({"until": NOON + timedelta(days=60)}, "/until"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_the_field(checking, wrong, field):
    """R20"""
    with pytest.raises(NotAcceptable) as refused:
        ask(checking, **wrong)
    assert [each.pointer for each in refused.value.fields] == [field]


def test_an_agency_is_asked_once_and_only_about_people_of_its_side(checking):
    """R15, R20"""
    ask(checking)
    with pytest.raises(NotAcceptable):
        ask(checking)
    codes = [agency.code for agency in act(secondary.to_choose_from, checking, by=SUPPORT)]
    assert codes == ["CAMHS", "CCG", "RUH"]


def test_after_the_join_it_is_asked_without_waiting_and_its_answer_is_an_addendum(record):
    """R20, R24"""
    reference = walk(Stage.AWAITING_DECISION)
    with pytest.raises(NotAcceptable):
        ask(reference, blocking=True, at=AFTERNOON)
    ask(reference, at=AFTERNOON)
    assert act(checks.agencies_to_ask, reference) == ["PROBATION"]
    give_back(reference, "PROBATION", at=AFTERNOON)
    [(addendum,)] = record.ask(
        "SELECT addendum FROM agency_return JOIN agency_check c ON c.id = check_id WHERE agency = 'PROBATION'"
    )
    assert addendum
    decide(reference)
    with pytest.raises(WrongStage):
        ask(reference, "RUH", at=AFTERNOON)


def test_calling_the_discussion_ends_the_wait_for_a_secondary_agency_too(checking):
    """R13, R20"""
    ask(checking, blocking=True)
    act(discussion.discuss_now, checking, by=SUPPORT, at=AFTERNOON)
    assert check(checking, "PROBATION").status is CheckStatus.NOT_AWAITED


@pytest.mark.parametrize("by", [rep("POLICE"), duty()])
def test_nobody_but_the_team_asks(checking, by):
    """R17"""
    with pytest.raises(NotPermitted):
        act(secondary.ask, checking, SecondaryDocument(agency="RUH", blocking=False), by=by, at=NOON)
