"""No agency is asked before the basis, consent and informing of every person are on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from casework import checks, early_end, intake, ledger, legal_basis, legal_gate
from casework.documents import EarlyEndDocument
from casework.facts import gate_passed
from casework.hold_ups import Why, hold_ups
from engine.timekeeper import keep_clock
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Mover, Stage
from tests.casework.factory import (
    ASIST,
    ASKED,
    DECIDER,
    DUTY,
    FOR_A_CHILD,
    SUPPORT,
    WITHOUT_BASIS,
    a_child,
    a_family,
    act,
    acts_of,
    asked_agencies,
    completion,
    document,
    duty,
    london,
    notices_of,
    refer,
    referral,
    rep,
    walk,
)

MS = timedelta(milliseconds=1)
NOT_SOUGHT = {
    "consent": "NOT_SOUGHT",
    "consent_given_by": None,
    "consent_on": None,
    "consent_reason": "She is at risk.",
}


@pytest.fixture
def held() -> str:
    """A referral about a child, of which nobody has said on what basis agencies are asked."""
    return walk(Stage.AWAITING_BASIS)


def keep_time(until: datetime) -> int:
    """What the timekeeper does at this moment, until nothing is due; how many rows it fired."""
    return sum(iter(lambda: act(keep_clock, until), 0))


def wakes_of(record: Any, reference: str) -> int:
    """How many wakes of its run are due."""
    [(count,)] = record.ask("SELECT count(*) FROM wake WHERE reference = %s AND kind = 'RUN'", reference)
    return int(count)


def test_without_a_basis_no_request_leaves_and_both_teams_are_told(people, held):
    """R54"""
    assert act(checks.agencies_to_ask, held) == []
    act(checks.request_check, held, "POLICE", at=ASKED)
    assert asked_agencies(held) == []
    assert acts_of(people, held) == ["RECEIVED", "BASIS_AWAITED"]
    assert notices_of(people, held) == [("basis_wanted", f"duty:{DUTY}"), ("basis_wanted", "mash:team")]
    waiting = act(gate_passed, held, ASKED)
    assert waiting.state == "Waiting for the lawful basis"
    assert waiting.why.endswith("is to complete S1: basis")


def test_once_it_is_complete_the_agencies_are_asked_by_the_run_that_was_woken(people, held):
    """R54"""
    with people.as_owner() as owner:
        owner.execute("DELETE FROM wake")
    act(legal_gate.complete, held, completion(held), by=duty(), at=ASKED)
    assert referral(held).stage is Stage.CHECKING
    assert referral(held).accepted_at == ASKED
    assert wakes_of(people, held) == 1
    assert act(gate_passed, held, ASKED) is None
    assert set(act(checks.agencies_to_ask, held)) == set(FOR_A_CHILD)
    recorded = act(ledger.entries, held)[2]
    assert recorded.act == "BASIS_RECORDED"
    assert recorded.actor == f"system-{DUTY}"
    assert recorded.detail == {
        "subject": "S1", "request_reason": "GENERAL_SAFEGUARDING", "article_6": "6_1_E", "article_9": "9_2_G",
        "dpa_condition": "SCH1_P2_18", "gateway": "CA2004_S10", "consent": "GIVEN_VERBAL", "consent_reason_code": None,
        "informed": "INFORMED",
    }  # fmt: skip


def test_a_part_is_recorded_and_the_rest_is_still_waited_for(people):
    """R54: per subject"""
    reference = refer(subjects=[{**one, "basis": None} for one in a_family()])
    act(intake.screen, reference, at=ASKED)
    mother = {"consent_given_by": "She herself"}
    act(legal_gate.complete, reference, completion(reference, "S1", **mother), by=SUPPORT, at=ASKED)
    assert referral(reference).stage is Stage.AWAITING_BASIS
    assert set(act(legal_gate.missing, reference)) == {"S2", "S3"}


@pytest.mark.parametrize(
    ("consent", "field"),
    [
        ({"consent": "REFUSED_RESPECTED"}, "consent"),
        ({"consent": "WITHDRAWN"}, "consent"),
        (NOT_SOUGHT, "consent_reason_code"),
        ({"consent_given_by": None}, "consent_given_by"),
        ({"consent_on": None}, "consent_on"),
        ({"informed": "UNKNOWN"}, "informed"),
        ({"basis": None}, "basis"),
    ],
)
def test_a_referral_that_lacks_something_is_taken_and_held(consent, field):
    """R56: no consent and no reason: it cannot fan out"""
    reference = refer(subjects=[{**a_child(), **consent}])
    act(intake.screen, reference, at=ASKED)
    assert referral(reference).stage is Stage.AWAITING_BASIS
    assert act(legal_gate.missing_fields, reference) == {"S1": [field]}


def test_consent_not_sought_for_a_stated_reason_is_enough():
    """R56"""
    subjects = [{**a_child(), **NOT_SOUGHT, "consent_reason_code": "RISK_TO_CHILD"}]
    reference = refer(subjects=subjects)
    act(intake.screen, reference, at=ASKED)
    assert referral(reference).stage is Stage.CHECKING


def test_who_respects_a_refusal_withdraws_that_person_and_the_others_go_on(people):
    """R56"""
    mother, *children = a_family()
    reference = refer(subjects=[{**mother, "consent": "REFUSED_RESPECTED"}, *children])
    act(intake.screen, reference, at=ASKED)
    assert referral(reference).stage is Stage.AWAITING_BASIS
    leaves = EarlyEndDocument(reason="OTHER", subjects=["S1"])
    act(early_end.withdraw, reference, leaves, by=duty(), at=ASKED)
    assert referral(reference).stage is Stage.CHECKING
    assert set(act(checks.agencies_to_ask, reference)) == set(FOR_A_CHILD)


def test_a_withdrawal_of_consent_keeps_any_more_agencies_from_being_asked():
    """R56"""
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    act(checks.request_check, reference, "POLICE", at=ASKED)
    act(legal_gate.complete, reference, completion(reference, consent="WITHDRAWN"), by=duty(), at=ASKED)
    assert act(checks.agencies_to_ask, reference) == []
    act(checks.request_check, reference, "MENTAL_HEALTH", at=ASKED)
    assert asked_agencies(reference) == ["POLICE"]


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"basis": {"request_reason": "S42_CARE_ACT", "confirmed_by": "X"}}, {"/basis/request_reason"}),
        ({"basis": {"request_reason": "NO", "confirmed_by": "X", "gateway": "NO"}},
         {"/basis/request_reason", "/basis/gateway"}),
        ({"basis": {"request_reason": "S17_WITH_CONSENT", "confirmed_by": "X", "article_6": "6_1_D"}},
         {"/basis/article_6"}),
        ({"consent_on": "2026-03-18"}, {"/consent_on"}),
        ({"informed_on": "2027-01-01"}, {"/informed_on"}),
        ({"consent_reason_code": "NOT_PRACTICABLE"}, {"/consent_reason_code"}),
        ({"informed_how": "SHOUTED"}, {"/informed_how"}),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_at_intake_and_afterwards(held, changed, pointers):
    """R54, R56: with every bad field named"""
    with pytest.raises(NotAcceptable) as at_intake:
        act(intake.receive, document([{**a_child(), **changed}]), by=duty(), at=ASKED)
    with pytest.raises(NotAcceptable) as afterwards:
        act(legal_gate.complete, held, completion(held, **changed), by=duty(), at=ASKED)
    for refused in (at_intake, afterwards):
        assert {field.pointer for field in refused.value.fields} == {f"/subjects/0{each}" for each in pointers}


def test_nobody_completes_it_for_somebody_else(held):
    """R54: the originating duty team, or the MASH team"""
    strangers: list[tuple[Actor, type[Exception]]] = [
        (duty(ASIST), NotFound),
        (rep("POLICE"), NotPermitted),
        (Actor("s", Role.MASH_SUPPORT, is_person=True), NotPermitted),
        (Actor("a", Role.ACCOUNT_ADMIN, is_person=True), NotPermitted),
    ]
    for actor, refusal in strangers:
        with pytest.raises(refusal):
            act(legal_gate.complete, held, completion(held), by=actor, at=ASKED)
        with pytest.raises(refusal):
            act(legal_basis.read, held, by=actor, at=ASKED)
    assert referral(held).stage is Stage.AWAITING_BASIS


def test_two_who_complete_it_at_once_do_not_overwrite_each_other(held):
    """F18"""
    by_one, by_another = completion(held, informed="UNKNOWN"), completion(held)
    act(legal_gate.complete, held, by_one, by=duty(), at=ASKED)
    with pytest.raises(Conflict):
        act(legal_gate.complete, held, by_another, by=DECIDER, at=ASKED)


@pytest.mark.parametrize(
    ("held_at", "chased"),
    [
        ("Mon 16 Mar 2026 10:00", ["Tue 17 Mar 2026 10:00", "Wed 18 Mar 2026 10:00"]),
        ("Fri 20 Mar 2026 10:00", ["Mon 23 Mar 2026 08:30", "Tue 24 Mar 2026 08:30"]),
    ],
)
def test_a_referral_that_stays_held_is_chased_again_and_again_in_office_hours(people, held_at, chased):
    """R54: the team that can complete it, and the MASH team, are told that it waits, and nothing of anybody"""
    reference = refer(subjects=[{**a_child(), "basis": None}], at=london(held_at))
    act(intake.screen, reference, at=london(held_at))
    for times, moment in enumerate(map(london, chased)):
        assert keep_time(moment - MS) == 0
        assert acts_of(people, reference).count("BASIS_CHASED") == times
        assert keep_time(moment) == 1
        said = [to for message, to in notices_of(people, reference) if message == "basis_chased"]
        assert said == [f"duty:{DUTY}", "mash:team"] * (times + 1)
    assert act(ledger.entries, reference)[-1].detail == {"missing": {"S1": ["basis"]}}


def test_what_is_complete_or_over_is_chased_no_more(people, held):
    """R54"""
    withdrawn = refer(subjects=[{**a_child(), "basis": None}], sender_id="two")
    act(intake.screen, withdrawn, at=ASKED)
    act(early_end.withdraw, withdrawn, EarlyEndDocument(reason="OTHER"), by=duty(), at=ASKED)
    act(legal_gate.complete, held, completion(held), by=duty(), at=ASKED)
    keep_time(ASKED + timedelta(days=30))
    for reference in (held, withdrawn):
        assert "BASIS_CHASED" not in acts_of(people, reference)


def test_a_held_referral_is_a_hold_up_once_it_was_chased(people, held):
    """R73"""
    assert act(hold_ups) == []
    keep_time(ASKED + timedelta(days=3))
    [found] = act(hold_ups)
    assert (found.why, found.since, found.waits_for) == (Why.NO_BASIS, ASKED, Mover.DUTY_OR_MASH)


def test_after_the_decision_there_is_nothing_to_complete():
    """R54"""
    decided = walk(Stage.HANDING_BACK)
    with pytest.raises(WrongStage):
        act(legal_gate.complete, decided, completion(decided), by=duty(), at=ASKED)


def test_the_page_says_what_is_on_record_what_is_missing_and_what_is_allowed(people, held):
    """R54; each reading is kept (R50)"""
    [person] = act(legal_basis.read, held, by=SUPPORT, at=ASKED).people
    assert [each.field for each in person.missing] == ["basis"]
    assert person.consent_given_by == WITHOUT_BASIS["consent_given_by"]
    assert [each.request_reason for each in person.reasons] == [
        "GENERAL_SAFEGUARDING", "S17_WITH_CONSENT", "S47", "ALREADY_OPEN",
    ]  # fmt: skip
    assert person.reasons[0].gateway[0] == "CA2004_S10"
    assert acts_of(people, held)[-1] == "BASIS_READ"
