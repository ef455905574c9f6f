"""What a run waits for: so, or not yet, and why, at every stage; in codes alone, since operators read it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework import facts, outcome
from casework.facts import Waiting
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DUE,
    SATURDAY,
    a_child,
    a_family,
    acknowledge,
    act,
    all_give_back,
    ask,
    decide,
    give_back,
    join,
    london,
    refer,
    verdict,
    walk,
)

MS = timedelta(milliseconds=1)
FACTS = (facts.hub_open, facts.gate_passed, facts.checks_settled, facts.threshold_decided, facts.outcome_acknowledged)
#: Which fact is not so at which stage, on a Saturday evening; all others are.
AWAITED = {
    Stage.RECEIVED: set(),
    Stage.QUEUED_OUT_OF_HOURS: {"hub_open"},
    Stage.AWAITING_BASIS: {"gate_passed"},
    Stage.CHECKING: {"checks_settled", "threshold_decided"},
    Stage.AWAITING_DECISION: {"threshold_decided"},
    Stage.HANDING_BACK: set(),
    Stage.AWAITING_ACK: {"outcome_acknowledged"},
    Stage.CLOSED: set(),
}


@pytest.mark.parametrize("stage", Stage)
def test_a_fact_is_so_or_says_why_not_at_every_stage_and_holds_nothing_of_a_person(stage):
    """R51: the engine's screens show it"""
    canary = {**a_child(), "given_name": "Canary", "family_name": "Canary", "voice": "Canary", "address": "Canary"}
    if stage is Stage.AWAITING_BASIS:
        canary["basis"] = None
    reference = walk(stage, subjects=[canary])
    said = {fact.__name__: act(fact, reference, SATURDAY) for fact in FACTS}
    assert {name for name, waiting in said.items() if waiting} == AWAITED[stage]
    assert "canary" not in repr(said).lower()
    assert reference not in repr(said)


def test_a_queued_referral_waits_for_the_opening_and_says_until_when():
    """R26"""
    reference = walk(Stage.QUEUED_OUT_OF_HOURS)
    opens = london("Mon 16 Mar 2026 08:30")
    waiting = act(facts.hub_open, reference, opens - MS)
    assert waiting == Waiting("Out of hours", "The hub is closed until Mon 16 Mar 2026 08:30")
    assert act(facts.hub_open, reference, opens) is None


def test_the_wait_for_returns_names_who_is_awaited_and_ends_with_the_last_of_them(checking):
    """R22"""
    give_back(checking, "COUNCIL_CHILDREN")
    give_back(checking, "COMMUNITY_HEALTH_CHILDREN")
    assert act(facts.checks_settled, checking, AFTERNOON) == Waiting(
        "Waiting for returns",
        "2 of 4 agencies settled; awaiting MENTAL_HEALTH, POLICE; joined without them after Tue 17 Mar 2026 10:00",
        progress="2 of 4",
    )
    give_back(checking, "MENTAL_HEALTH")
    give_back(checking, "POLICE")
    assert act(facts.checks_settled, checking, AFTERNOON) is None


@pytest.mark.parametrize(("at", "awaited"), [(DUE - MS, True), (DUE, True), (DUE + MS, False)])
def test_the_wait_for_returns_ends_just_after_the_deadline(checking, at, awaited):
    """F19, R22"""
    assert (act(facts.checks_settled, checking, at) is not None) is awaited


def test_the_wait_for_a_decision_never_ends_by_itself():
    """R36"""
    reference = walk(Stage.AWAITING_DECISION)
    assert act(facts.threshold_decided, reference, DUE + timedelta(days=10_000)) is not None
    decide(reference)
    assert act(facts.threshold_decided, reference, AFTERNOON) is None


def test_the_wait_for_an_acknowledgement_names_the_teams_that_are_silent():
    """R43"""
    reference = refer(subjects=a_family())
    ask(reference)
    all_give_back(reference)
    join(reference)
    decide(reference, verdict("S1", outcome="A_S42"), verdict("S2"), verdict("S3"))
    act(outcome.hand_back, reference, at=AFTERNOON)
    both = act(facts.outcome_acknowledged, reference, AFTERNOON)
    assert both == Waiting("Waiting for acknowledgement", "ADULT_ASIST, CHILDREN_DUTY to acknowledge the outcome")
    acknowledge(reference, "CHILDREN_DUTY")
    one = act(facts.outcome_acknowledged, reference, AFTERNOON)
    assert one == Waiting("Waiting for acknowledgement", "ADULT_ASIST to acknowledge the outcome")
    acknowledge(reference, "ADULT_ASIST")
    assert act(facts.outcome_acknowledged, reference, AFTERNOON) is None
