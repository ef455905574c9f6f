"""A person decides, for each subject, on what they saw; once, and nothing is decided by leaving it out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from pydantic import ValidationError

from casework import checks, decision, discussion, early_end, outcome, reconsider
from casework.documents import DecisionDocument, EarlyEndDocument, ViewDocument
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, Refused, WrongStage
from rules.permissions import HUB, Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    DUTY,
    JUST_OVERDUE,
    OPERATOR,
    OTHER_DECIDER,
    SUPPORT,
    a_family,
    acknowledge,
    act,
    acts_of,
    all_give_back,
    answer,
    ask,
    decide,
    decision_on,
    duty,
    give_back,
    join,
    no_action,
    notices_of,
    refer,
    referral,
    rep,
    talk,
    verdict,
    walk,
)

IN_HASTE = {"without_discussion_because": "The child is in hospital now."}


@pytest.fixture
def wanted() -> str:
    """A referral about one child, discussed, on which a decision is wanted."""
    reference = walk(Stage.AWAITING_DECISION)
    act(discussion.record_discussion, reference, talk(), by=SUPPORT, at=AFTERNOON)
    return reference


def _decide(reference: str, document: DecisionDocument, by: Actor = DECIDER, at=AFTERNOON) -> None:
    act(decision.decide, reference, document, by=by, at=at)


def _decided(record) -> list[tuple[Any, ...]]:
    return record.ask("SELECT version, outcome, threshold_met, decided_by FROM threshold_decision ORDER BY version")


def _refused_fields(reference: str, document: DecisionDocument) -> list[str]:
    with pytest.raises(NotAcceptable) as refusal:
        _decide(reference, document)
    return sorted(field.pointer for field in refusal.value.fields)


# --- who ---


@pytest.mark.parametrize(
    "by",
    [
        SUPPORT,
        OPERATOR,
        HUB,
        duty(),
        rep("POLICE"),
        Actor("decider", Role.DECISION_MAKER, mash_profile=False, is_person=True),
        Actor("decider", Role.DECISION_MAKER, mash_profile=True, is_person=False),
        Actor("decider", Role.MASH_SUPPORT, mash_profile=True, is_person=True),
    ],
    ids=["support", "operator", "hub", "duty", "agency", "no MASH profile", "a system", "only support"],
)
def test_nobody_but_a_signed_in_decision_maker_decides(record, wanted, by):
    """R17, R36, R39"""
    with pytest.raises(NotPermitted):
        _decide(wanted, decision_on(wanted), by)
    assert _decided(record) == []
    assert referral(wanted).stage is Stage.AWAITING_DECISION


def test_a_decision_maker_decides_and_the_referral_goes_on(record, wanted):
    """R35"""
    _decide(wanted, decision_on(wanted))
    assert _decided(record) == [(1, "C_STRATEGY", True, "decider")]
    assert (referral(wanted).stage, referral(wanted).decided_at) == (Stage.HANDING_BACK, AFTERNOON)
    assert record.ask("SELECT threshold_document FROM threshold_decision") == [("2016.1",)]


# --- when ---


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.AWAITING_DECISION])
def test_nothing_is_decided_out_of_turn(record, stage):
    """R34, R36: not before the join, and not again when nothing questions it"""
    reference = walk(stage)
    before = _decided(record)
    with pytest.raises(WrongStage):
        _decide(reference, decision_on(reference, **IN_HASTE))
    assert _decided(record) == before


def test_a_decision_does_not_wait_for_an_engine_that_is_down(record, checking):
    """F10: everybody has answered, and no run has joined the returns yet"""
    all_give_back(checking)
    _decide(checking, decision_on(checking, **IN_HASTE))
    assert [name for name in acts_of(record, checking) if name in ("COLLATED", "DECISION_REQUESTED", "DECIDED")] == [
        "COLLATED", "DECISION_REQUESTED", "COLLATED", "DECIDED",
    ]  # fmt: skip


def test_without_a_discussion_the_reason_is_said_and_kept(record):
    """R34"""
    reference = walk(Stage.AWAITING_DECISION)
    assert _refused_fields(reference, decision_on(reference)) == ["/without_discussion_because"]
    _decide(reference, decision_on(reference, **IN_HASTE))
    assert len(_decided(record)) == 1


# --- what ---


@pytest.mark.parametrize("left_out", ["subject", "threshold_met", "level_of_need", "outcome", "rationale",
                                      "words_for_duty_team", "actions"])  # fmt: skip
def test_nothing_is_decided_by_leaving_it_out(left_out):
    """R35: nothing pre-selected"""
    half = {name: value for name, value in verdict().items() if name != left_out}
    with pytest.raises(ValidationError):
        DecisionDocument.model_validate({"version_seen": 1, "decisions": [half]})
    with pytest.raises(ValidationError):
        DecisionDocument.model_validate({"decisions": [verdict()]})


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({"outcome": "A_S42"}, ["/decisions/0/outcome"]),  # an adult's
        ({"outcome": "CLEAR_CONCERN_RETURN_X"}, ["/decisions/0/outcome"]),
        ({"outcome": "C_STRATEGY", "threshold_met": False}, ["/decisions/0/outcome"]),
        ({"outcome": "NFA", "threshold_met": True}, ["/decisions/0/outcome"]),
        ({"level_of_need": "L9"}, ["/decisions/0/level_of_need"]),
        ({"consent": "PERHAPS"}, ["/decisions/0/consent"]),
        ({"subject": "S2"}, ["/decisions"]),
        ({"outcome": "X", "level_of_need": "Y", "consent": "Z"},
         ["/decisions/0/consent", "/decisions/0/level_of_need", "/decisions/0/outcome"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_is_signed(record, wanted, said, pointers):
    """R35, R40"""
    assert _refused_fields(wanted, decision_on(wanted, verdict(**said))) == pointers
    assert _decided(record) == []


@pytest.mark.parametrize(
    ("consent", "onward"),
    [("NOT_SOUGHT", False), ("REFUSED_RESPECTED", False), ("WITHDRAWN", False), ("GIVEN_WRITTEN", True),
     ("GIVEN_VERBAL", True), ("NOT_REQUIRED_STATUTORY", True)],
)  # fmt: skip
def test_early_help_is_shared_onward_only_with_consent(wanted, consent, onward):
    """R40"""
    early_help = no_action(outcome="C_EARLY_HELP", level_of_need="L2")
    assert _refused_fields(wanted, decision_on(wanted, early_help)) == ["/decisions/0/consent"]
    _decide(wanted, decision_on(wanted, {**early_help, "consent": consent}))
    act(outcome.hand_back, wanted, at=AFTERNOON)
    [told] = act(outcome.read, wanted, by=duty(), at=AFTERNOON)["outcomes"]
    assert told["may_be_shared_onward"] is onward


@pytest.mark.parametrize(
    "subjects", [["S1"], ["S1", "S2"], ["S1", "S2", "S2"], ["S1", "S2", "S3", "S3"], ["S1", "S2", "S4"]]
)
def test_a_decision_is_for_every_subject_once(record, subjects):
    """R08, R35"""
    reference = refer(subjects=a_family())
    ask(reference)
    all_give_back(reference)
    join(reference)
    verdicts = [verdict(code, **({"outcome": "A_S42"} if code == "S1" else {})) for code in subjects]
    assert _refused_fields(reference, decision_on(reference, *verdicts, **IN_HASTE)) == ["/decisions"]
    assert _decided(record) == []


# --- at once ---


def _race(*turns) -> list[str]:
    """All at the same moment; the name of each refusal, or nothing."""
    together = Barrier(len(turns))

    def take(turn) -> str:
        together.wait()
        try:
            turn()
        except Refused as refusal:
            return type(refusal).__name__
        return ""

    with ThreadPoolExecutor(len(turns)) as threads:
        return list(threads.map(take, turns))


@pytest.mark.parametrize("trial", range(20))
def test_two_deciders_at_once_make_one_decision(record, wanted, trial):
    """INV3, F18: the other gets a conflict, not an overwrite; opposite decisions"""
    yes, no = decision_on(wanted), decision_on(wanted, no_action())
    ends = _race(lambda: _decide(wanted, yes, DECIDER), lambda: _decide(wanted, no, OTHER_DECIDER))
    assert sorted(ends) == ["", "Conflict"]
    winner = ("C_STRATEGY", True, "decider") if ends[0] == "" else ("NFA", False, "other-decider")
    assert _decided(record) == [(1, *winner)]
    assert acts_of(record, wanted).count("DECIDED") == 1


@pytest.mark.parametrize("trial", range(10))
def test_a_decision_that_races_a_late_return_has_seen_it_or_is_refused_or_is_reconsidered(record, trial):
    """F18: decide vs late return"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    act(discussion.record_discussion, reference, talk(), by=SUPPORT, at=JUST_OVERDUE)
    document = decision_on(reference)
    ends = _race(
        lambda: _decide(reference, document, at=JUST_OVERDUE),
        lambda: give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=JUST_OVERDUE),
    )
    to_reconsider = record.ask("SELECT count(*) FROM reconsideration")[0][0]
    assert (ends, len(_decided(record)), to_reconsider) in [(["", ""], 1, 1), (["Conflict", ""], 0, 0)]


@pytest.mark.parametrize("trial", range(10))
def test_a_decision_that_races_a_withdrawal_has_one_winner(record, wanted, trial):
    """F18: decide vs withdraw"""
    document = decision_on(wanted)
    leave = EarlyEndDocument(reason="MOVED_AREA")
    ends = _race(
        lambda: _decide(wanted, document),
        lambda: act(early_end.withdraw, wanted, leave, by=duty(), at=AFTERNOON),
    )
    left = record.ask("SELECT count(*) FROM subject WHERE exit_code = 'WITHDRAWN'")[0][0]
    assert (ends, len(_decided(record)), left) in [(["", "WrongStage"], 1, 0), (["Conflict", ""], 0, 1)]


def test_a_decision_on_what_has_changed_since_says_what_changed(record):
    """F18, R41: a return came while the decider was reading"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    document = decision_on(reference, **IN_HASTE)
    give_back(reference, "POLICE", at=JUST_OVERDUE)
    with pytest.raises(Conflict, match="AWAITING_DECISION"):
        _decide(reference, document, at=JUST_OVERDUE)
    assert _decided(record) == []


def test_a_subject_that_left_while_the_decider_was_reading_is_a_conflict(record):
    """F18: decide vs withdraw, of one subject of three"""
    reference = refer(subjects=a_family())
    ask(reference)
    all_give_back(reference)
    join(reference)
    all_three = [verdict("S1", outcome="A_S42"), verdict("S2"), verdict("S3")]
    document = decision_on(reference, *all_three, **IN_HASTE)
    act(early_end.withdraw, reference, EarlyEndDocument(reason="DIED", subjects=["S1"]), by=duty(), at=AFTERNOON)
    with pytest.raises(Conflict):
        _decide(reference, document)
    assert _decided(record) == []


# --- again ---


@pytest.fixture
def questioned() -> str:
    """Closed with no further action; then the police answered."""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, no_action(), at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    acknowledge(reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=JUST_OVERDUE)
    return reference


def test_a_decision_that_stands_is_left_as_it_is_with_a_reason(record, questioned):
    """R24"""
    act(reconsider.let_stand, questioned, "It adds nothing.", by=DECIDER, at=JUST_OVERDUE)
    assert record.ask("SELECT conclusion, settled_by FROM reconsideration") == [("STANDS", "decider")]
    assert _decided(record) == [(1, "NFA", False, "decider")]
    assert referral(questioned).stage is Stage.CLOSED
    with pytest.raises(WrongStage):
        act(reconsider.let_stand, questioned, "Again.", by=DECIDER, at=JUST_OVERDUE)


@pytest.mark.parametrize("by", [SUPPORT, OPERATOR, duty(), rep("POLICE"), HUB], ids=lambda actor: actor.id)
def test_only_a_decision_maker_says_that_it_stands(questioned, by):
    """R24, R36"""
    with pytest.raises(NotPermitted):
        act(reconsider.let_stand, questioned, "It adds nothing.", by=by, at=JUST_OVERDUE)


def test_a_changed_decision_is_a_new_version_beside_the_old_one_and_news_to_the_team(record, questioned):
    """R24, INV3"""
    _decide(questioned, decision_on(questioned), OTHER_DECIDER, JUST_OVERDUE)
    assert _decided(record) == [(1, "NFA", False, "decider"), (2, "C_STRATEGY", True, "other-decider")]
    assert record.ask("SELECT conclusion FROM reconsideration") == [("CHANGED",)]
    act(outcome.hand_back, questioned, at=JUST_OVERDUE)
    told = act(outcome.read, questioned, by=duty(), at=JUST_OVERDUE)
    assert (told["version"], told["acknowledged"], told["outcomes"][0]["outcome"]) == (2, None, "C_STRATEGY")
    assert notices_of(record, questioned).count(("outcome_ready", f"duty:{DUTY}")) == 2
    acknowledge(questioned, at=JUST_OVERDUE)
    assert referral(questioned).stage is Stage.CLOSED


def test_a_decision_that_changes_nothing_for_a_team_is_no_news_to_it(record, questioned):
    """R24"""
    _decide(questioned, decision_on(questioned, no_action(rationale="Still so.")), at=JUST_OVERDUE)
    act(outcome.hand_back, questioned, at=JUST_OVERDUE)
    act(outcome.close, questioned, at=JUST_OVERDUE)
    assert referral(questioned).stage is Stage.CLOSED
    assert record.ask("SELECT count(*) FROM hand_back") == [(1,)]
    assert notices_of(record, questioned).count(("outcome_ready", f"duty:{DUTY}")) == 1


# --- the talk ---


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({"mode": "SMOKE_SIGNALS"}, ["/mode"]),
        ({"present": [{"agency": "SCOUTS", "name": "A", "role": "B"}]}, ["/present/0/agency"]),
        ({"views": [{"agency": "SCOUTS", "view": "AGREE"}]}, ["/views/0/agency"]),
        ({"held_at": JUST_OVERDUE}, ["/held_at"]),
        ({"views": [{"agency": "POLICE", "view": "DISAGREE"}]}, ["/views/0/reason"]),
        ({"views": [{"agency": "POLICE", "view": "PERHAPS"}]}, ["/views/0/view"]),
    ],
)
def test_a_discussion_that_does_not_fit_is_refused_whole(record, said, pointers):
    """R34, R37"""
    reference = walk(Stage.AWAITING_DECISION)
    with pytest.raises(NotAcceptable) as refusal:
        act(discussion.record_discussion, reference, talk(**said), by=SUPPORT, at=AFTERNOON)
    assert [field.pointer for field in refusal.value.fields] == pointers
    assert record.ask("SELECT count(*) FROM discussion") == [(0,)]
    assert "DISCUSSED" not in acts_of(record, reference)


@pytest.mark.parametrize("by", [duty(), rep("POLICE"), OPERATOR], ids=lambda actor: actor.id)
def test_only_the_team_prepares_the_discussion(checking, by):
    """R17"""
    for prepare in (
        lambda s: discussion.record_discussion(s, checking, talk(), by=by, at=AFTERNOON),
        lambda s: discussion.discuss_now(s, checking, by=by, at=AFTERNOON),
    ):
        with pytest.raises(NotPermitted):
            act(prepare)


def test_an_agency_gives_its_own_view_and_no_others(record):
    """R37, R49"""
    reference = walk(Stage.AWAITING_DECISION)
    view = ViewDocument(agency="POLICE", view="AGREE")
    act(discussion.record_view, reference, view, by=rep("POLICE"), at=AFTERNOON)
    with pytest.raises(NotFound):
        act(discussion.record_view, reference, view, by=rep("MENTAL_HEALTH"), at=AFTERNOON)
    probation = ViewDocument(agency="PROBATION", view="AGREE")
    with pytest.raises(NotFound):
        act(discussion.record_view, reference, probation, by=rep("PROBATION"), at=AFTERNOON)
    assert record.ask("SELECT agency, recorded_by FROM threshold_view") == [("POLICE", "rep-POLICE")]


def test_discussing_now_ends_the_wait_and_nobody_given_up_is_a_breach(record, checking):
    """R13"""
    give_back(checking, "POLICE")
    act(discussion.discuss_now, checking, by=SUPPORT, at=AFTERNOON)
    join(checking)
    assert referral(checking).stage is Stage.AWAITING_DECISION
    statuses = record.ask("SELECT status, breached_at, count(*) FROM agency_check GROUP BY 1, 2 ORDER BY 1")
    assert statuses == [("NOT_AWAITED", None, 3), ("RETURNED", None, 1)]
    assert sum(message == "check_stopped" for message, _ in notices_of(record, checking)) == 3
    with pytest.raises(WrongStage):
        act(discussion.discuss_now, checking, by=SUPPORT, at=AFTERNOON)
    assert act(checks.agencies_to_ask, checking) == []
