"""Each agency sees who has read what it gave, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from casework import collation, outcome, queues, readers
from casework.afterwards import tell_agencies
from rules.errors import NotFound
from rules.permissions import Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    DUE,
    JUST_OVERDUE,
    SUPPORT,
    WITHHELD,
    act,
    all_give_back,
    an_item,
    answer,
    decide,
    duty,
    give_back,
    join,
    no_action,
    notices_of,
    rep,
    walk,
)

LATER = AFTERNOON + timedelta(hours=1)
HUB = "B&NES MASH"


def seen_by(agency: str, reference: str) -> list[tuple[str, str, str, int | None]]:
    found = act(readers.readings, reference, by=rep(agency))
    return [(each.role, each.organisation, each.act, each.version) for each in found.readings]


def test_an_agency_sees_each_reading_of_what_it_gave_at_once(record: Any) -> None:
    """R50: by role and organisation"""
    reference = walk(Stage.CHECKING)
    act(collation.read, reference, by=SUPPORT, at=AFTERNOON)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"))
    assert seen_by("POLICE", reference) == []
    act(collation.read, reference, by=DECIDER, at=LATER)
    act(queues.read_check_for_team, reference, "POLICE", by=SUPPORT, at=LATER)
    assert seen_by("POLICE", reference) == [
        (Role.MASH_SUPPORT, HUB, "CHECK_READ", None),
        (Role.DECISION_MAKER, HUB, "ASSESSMENT_READ", None),
    ]


def test_who_read_another_agencys_answer_is_none_of_its_business(record: Any) -> None:
    """R49, R50"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"))
    act(queues.read_check_for_team, reference, "MENTAL_HEALTH", by=SUPPORT, at=LATER)
    act(queues.read_check, reference, by=rep("MENTAL_HEALTH"), at=LATER)
    act(collation.read, reference, by=SUPPORT, at=LATER)
    assert [seen[2] for seen in seen_by("POLICE", reference)] == ["ASSESSMENT_READ"]
    assert seen_by("MENTAL_HEALTH", reference) == []
    with pytest.raises(NotFound):
        act(readers.readings, reference, by=rep("COUNCIL_ADULTS"))
    with pytest.raises(NotFound):
        act(readers.readings, reference, by=SUPPORT)


def test_a_template_kept_before_the_answer_holds_nothing_of_it(record: Any) -> None:
    """R41, R50"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "MENTAL_HEALTH", answer("KNOWN_OPEN"))
    join(reference, JUST_OVERDUE)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=JUST_OVERDUE)
    act(queues.read_kept, reference, 1, by=SUPPORT, at=JUST_OVERDUE)
    assert seen_by("POLICE", reference) == []
    assert seen_by("MENTAL_HEALTH", reference) == [(Role.MASH_SUPPORT, HUB, "ASSESSMENT_READ", 1)]


def test_its_own_peoples_readings_are_counted_and_not_listed(record: Any) -> None:
    """R50"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"))
    for moment in (AFTERNOON, LATER):
        act(queues.read_check, reference, by=rep("POLICE"), at=moment)
    found = act(readers.readings, reference, by=rep("POLICE"))
    assert (found.readings, found.own_times, found.own_last_at) == ([], 2, LATER)


def became(reference: str, agency: str) -> Any:
    return act(queues.read_check, reference, by=rep(agency), at=JUST_OVERDUE).afterwards


def test_an_agency_learns_what_became_of_its_return_and_nothing_of_the_others(record: Any) -> None:
    """R44"""
    reference = walk(Stage.CHECKING)
    assert became(reference, "POLICE") is None
    all_give_back(reference, AFTERNOON)
    give_back(reference, "POLICE", answer("KNOWN_OPEN", items=[an_item(), WITHHELD]), at=LATER)
    before = became(reference, "POLICE")
    assert (before.joined_at, before.given, before.withheld, before.outcomes) == (None, 1, 1, [])
    join(reference, DUE)
    decide(reference, at=DUE)
    act(outcome.hand_back, reference, at=DUE)
    after = became(reference, "POLICE")
    assert after.joined_at == DUE
    assert [(one.subject, one.outcome, one.label) for one in after.outcomes] == [
        ("S1", "C_STRATEGY", "Strategy discussion (section 47)")
    ]


def test_agencies_that_returned_something_are_told_once_that_the_outcome_is_there(record: Any) -> None:
    """R44: a notice, without content"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"))
    join(reference, JUST_OVERDUE)
    decide(reference, at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    act(outcome.acknowledge, reference, by=duty(), at=JUST_OVERDUE)
    act(tell_agencies, reference, at=JUST_OVERDUE)
    told = [to for message, to in notices_of(record, reference) if message == "outcome_shared"]
    assert told == ["agency:POLICE"]


def test_an_agency_sees_that_the_duty_team_was_told_and_has_read_what_it_let_go(record: Any) -> None:
    """R29, R44, R50"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("KNOWN_OPEN", items=[an_item(), an_item(text="For the MASH to weigh.")]))
    give_back(reference, "MENTAL_HEALTH", answer("KNOWN_OPEN", items=[an_item()]))
    join(reference, JUST_OVERDUE)
    choices = [{"agency": "POLICE", "version": 1, "number": 1, "release": True}]
    decide(reference, no_action(items=choices), at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    act(outcome.read, reference, by=duty(), at=JUST_OVERDUE)
    assert (became(reference, "POLICE").released, became(reference, "MENTAL_HEALTH").released) == (1, 0)
    assert seen_by("POLICE", reference) == [(Role.DUTY_TEAM, "Children's duty team", "OUTCOME_READ", 1)]
    assert seen_by("MENTAL_HEALTH", reference) == []
