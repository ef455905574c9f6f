"""A decision below quorum has a reason and is counted; a disagreement is resolved by a person, and then rests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework import decision, discussion
from casework.documents import ResolutionDocument, ViewDocument
from engine.timekeeper import keep_clock
from rules.errors import Conflict, NotAcceptable, NotPermitted, WrongStage
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    DUE,
    SUPPORT,
    act,
    acts_of,
    decision_on,
    notices_of,
    referral,
    rep,
    talk,
    walk,
)

DISAGREES = ViewDocument(agency="MENTAL_HEALTH", view="DISAGREE", reason="It should be placed higher.")


@pytest.fixture
def wanted(record) -> str:
    return walk(Stage.AWAITING_DECISION)


def discuss(reference: str, *agencies: str) -> None:
    act(discussion.record_discussion, reference, talk(agencies), by=SUPPORT, at=AFTERNOON)


def resolve(reference: str, by: Actor = DECIDER, seen: int | None = None) -> None:
    version = referral(reference).version if seen is None else seen
    document = ResolutionDocument(version_seen=version, resolution="Placed at level 3 by all.")
    act(discussion.resolve_dissent, reference, document, by=by, at=AFTERNOON)


def disagree(reference: str) -> None:
    act(discussion.record_view, reference, DISAGREES, by=rep("MENTAL_HEALTH"), at=AFTERNOON)


def keep_time(until) -> None:
    while act(keep_clock, until):
        pass


def test_a_decision_without_an_agency_of_the_quorum_needs_a_reason_and_is_counted(record, wanted):
    """R38"""
    discuss(wanted, "POLICE", "MENTAL_HEALTH")
    with pytest.raises(NotAcceptable) as refused:
        act(decision.decide, wanted, decision_on(wanted), by=DECIDER, at=AFTERNOON)
    assert [(each.pointer, each.detail) for each in refused.value.fields] == [
        ("/below_quorum_because", "COUNCIL_CHILDREN took no part: say why you decide without")
    ]
    reasoned = decision_on(wanted, below_quorum_because="Nobody could be reached.")
    act(decision.decide, wanted, reasoned, by=DECIDER, at=AFTERNOON)
    assert record.ask("SELECT quorum_missing FROM threshold_decision") == [("COUNCIL_CHILDREN",)]
    counted = "SELECT detail -> 'below_quorum' FROM ledger WHERE act = 'DECIDED'"
    assert record.ask(counted) == [(["COUNCIL_CHILDREN"],)]


def test_within_the_quorum_no_reason_is_asked_for_and_none_kept(record, wanted):
    """R38"""
    discuss(wanted, "POLICE", "COUNCIL_CHILDREN")
    act(decision.decide, wanted, decision_on(wanted), by=DECIDER, at=AFTERNOON)
    assert record.ask("SELECT quorum_missing, below_quorum_because FROM threshold_decision") == [(None, None)]


def test_an_agency_that_said_what_it_thinks_took_part(record, wanted):
    """R38"""
    discuss(wanted, "POLICE")
    view = ViewDocument(agency="COUNCIL_CHILDREN", view="AGREE")
    act(discussion.record_view, wanted, view, by=rep("COUNCIL_CHILDREN"), at=AFTERNOON)
    act(decision.decide, wanted, decision_on(wanted), by=DECIDER, at=AFTERNOON)


def test_without_a_discussion_one_reason_says_why_nobody_took_part(record, wanted):
    """R34, R38"""
    document = decision_on(wanted, without_discussion_because="The child is in hospital now.")
    act(decision.decide, wanted, document, by=DECIDER, at=AFTERNOON)
    assert record.ask("SELECT quorum_missing FROM threshold_decision") == [("POLICE,COUNCIL_CHILDREN",)]


def test_a_resolved_disagreement_is_kept_and_goes_no_further(record, wanted):
    """R37"""
    disagree(wanted)
    resolve(wanted)
    assert acts_of(record, wanted)[-1] == "DISSENT_RESOLVED"
    assert record.ask("SELECT resolved_at, resolved_by, next_at FROM dissent") == [(AFTERNOON, DECIDER.id, None)]
    keep_time(DUE + timedelta(days=20))
    assert "DISSENT_ESCALATED" not in acts_of(record, wanted)
    with pytest.raises(WrongStage):
        resolve(wanted)


def test_a_new_disagreement_after_one_that_was_resolved_is_escalated_in_its_turn(record, wanted):
    """R37"""
    disagree(wanted)
    resolve(wanted)
    act(discussion.record_view, wanted, DISAGREES, by=rep("MENTAL_HEALTH"), at=DUE)
    assert acts_of(record, wanted).count("DISSENT_RECORDED") == 2
    keep_time(DUE + timedelta(days=3))
    assert "DISSENT_ESCALATED" in acts_of(record, wanted)
    assert [to for message, to in notices_of(record, wanted) if message == "dissent"].count("mash:team") == 2


def test_who_resolves_has_seen_the_newest_view(wanted):
    """F18, R37"""
    disagree(wanted)
    seen = referral(wanted).version
    disagree(wanted)
    with pytest.raises(Conflict):
        resolve(wanted, seen=seen)


@pytest.mark.parametrize("by", [SUPPORT, rep("MENTAL_HEALTH")])
def test_only_a_decision_maker_resolves_a_disagreement(wanted, by):
    """R17, R37"""
    disagree(wanted)
    with pytest.raises(NotPermitted):
        resolve(wanted, by)
