"""A dip sample of what was decided is looked at again by somebody who does not know what that was (R63)."""

from __future__ import annotations

from datetime import date

import pytest

from casework import collation, dip_samples, second_looks
from casework.dip_samples import SampleRead
from casework.sample_documents import LookDocument, SampleDocument
from rules.errors import NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ANALYST,
    ASIST,
    DECIDER,
    OTHER_DECIDER,
    SUPPORT,
    a_family,
    act,
    acts_of,
    an_adult,
    decide,
    no_action,
    verdict,
    walk,
)

WEEK = {"first_on": date(2026, 3, 16), "last_on": date(2026, 3, 22)}


def draw(size: int = 10, seed: int = 7, by: Actor = ANALYST, **period: date) -> SampleRead:
    wanted = SampleDocument(size=size, seed=seed, **{**WEEK, **period})
    return act(dip_samples.one, act(dip_samples.draw, wanted, by=by, at=AFTERNOON), by=by)


def look(reference: str, by: Actor = OTHER_DECIDER, **more: object) -> None:
    said = {"subject": "S1", "threshold_met": False, "level_of_need": "L1", "outcome": "NFA", "reason": "Old.", **more}
    act(second_looks.record, reference, LookDocument.model_validate({"looks": [said]}), by=by, at=AFTERNOON)


@pytest.fixture
def decided(record) -> str:
    reference = walk(Stage.AWAITING_DECISION)
    decide(reference)
    return reference


def test_a_sample_is_drawn_by_side_and_outcome_and_again_the_same(record, decided):
    """R63"""
    other = walk(Stage.AWAITING_DECISION, sender_id="two")
    decide(other, no_action())
    adult = walk(Stage.AWAITING_DECISION, sender_id="three", team=ASIST, subjects=[an_adult()])
    decide(adult, verdict(outcome="A_S42", level_of_need="L3"))
    first, again = draw(), draw()
    assert first.looks == again.looks
    assert {(each.reference, each.side, each.first_outcome) for each in first.looks} == {
        (decided, "child", "C_STRATEGY"), (other, "child", "NFA"), (adult, "adult", "A_S42"),
    }  # fmt: skip
    assert (first.decided, first.drawn, first.looked) == (3, 3, 0)
    assert len(draw(size=2).looks) == 2
    assert sorted(each.drawn for each in act(dip_samples.listed, by=ANALYST)) == [2, 3, 3]


def test_each_person_of_a_joint_referral_is_a_case_of_their_own(record):
    """R08, R63"""
    joint = walk(Stage.AWAITING_DECISION, subjects=a_family())
    adult = no_action("S1")
    decide(joint, adult, verdict("S2"), verdict("S3"))
    assert sorted(each.subject for each in draw().looks) == ["S1", "S2", "S3"]


def test_what_was_decided_on_another_day_is_not_drawn(record, decided):
    """R63"""
    with pytest.raises(NotAcceptable, match="first_on"):
        draw(first_on=date(2026, 3, 17))
    with pytest.raises(NotAcceptable, match="last_on"):
        draw(last_on=date(2026, 3, 15))


def test_only_an_analyst_draws(record, decided):
    """R63"""
    for somebody in (SUPPORT, DECIDER):
        with pytest.raises(NotPermitted):
            draw(by=somebody)


def test_a_colleague_sees_what_was_known_and_not_what_was_thought_or_decided(record, decided):
    """R63"""
    draw()
    assert [each.reference for each in act(second_looks.waiting, by=OTHER_DECIDER).referrals] == [decided]
    shown = act(second_looks.read, decided, by=OTHER_DECIDER, at=AFTERNOON)
    assert shown.subjects == ["S1"]
    assert shown.content["agencies"]
    assert not shown.content.keys() & {"views", "discussions", "decisions"}
    assert "C_STRATEGY" not in shown.model_dump_json()
    assert acts_of(record, decided)[-1] == "ASSESSMENT_READ"


def test_a_second_look_stands_beside_the_decision_and_changes_nothing(record, decided):
    """R63, R36"""
    before = record.ask("SELECT outcome, version FROM threshold_decision")
    sample = draw()
    look(decided)
    assert record.ask("SELECT outcome, version FROM threshold_decision") == before
    first = act(dip_samples.one, sample.id, by=ANALYST)
    [mine] = first.looks
    assert (mine.first_outcome, mine.outcome, mine.first_met, mine.threshold_met) == ("C_STRATEGY", "NFA", True, False)
    assert (first.on_outcome.looked, first.on_outcome.same) == (1, 0)
    assert (sample.looked, sample.on_outcome.alpha) == (0, None)
    assert acts_of(record, decided)[-1] == "SECOND_LOOK_RECORDED"


def test_agreement_is_a_number_once_enough_is_looked_at(record):
    """R37, R63: of four cases one is seen otherwise; alpha by hand is 1 - 7 * 2 / (8 * 8 - 5 * 5 - 3 * 3)"""
    for number, outcome in enumerate(("NFA", "NFA", "C_STRATEGY", "C_STRATEGY")):
        reference = walk(Stage.AWAITING_DECISION, sender_id=f"n{number}")
        decide(reference, no_action() if outcome == "NFA" else verdict())
    sample = draw()
    for each in sample.looks[:3]:
        met = each.first_met
        look(each.reference, threshold_met=met, outcome=each.first_outcome, level_of_need="L4" if met else "L1")
    last = sample.looks[3]
    flipped = not last.first_met
    look(last.reference, threshold_met=flipped, outcome="C_STRATEGY" if flipped else "NFA", level_of_need="L3")
    agreed = act(dip_samples.one, sample.id, by=ANALYST).on_outcome
    assert (agreed.looked, agreed.same) == (4, 3)
    assert agreed.alpha == pytest.approx(1 - 7 * 2 / 30)
    assert agreed.low is not None
    assert agreed.low <= agreed.alpha <= agreed.high


def test_whoever_decided_or_has_read_it_since_takes_no_second_look(record, decided):
    """R63: blind"""
    draw()
    assert act(second_looks.waiting, by=DECIDER).referrals == []
    with pytest.raises(NotPermitted, match="yourself"):
        act(second_looks.read, decided, by=DECIDER, at=AFTERNOON)
    act(second_looks.read, decided, by=OTHER_DECIDER, at=AFTERNOON)
    act(collation.read, decided, by=OTHER_DECIDER, at=AFTERNOON)
    with pytest.raises(NotPermitted, match="since it was decided"):
        look(decided)
    with pytest.raises(NotPermitted):
        look(decided, by=SUPPORT)


def test_a_look_that_does_not_answer_is_refused_with_every_field(record, decided):
    """R63"""
    draw()
    with pytest.raises(NotAcceptable) as refused:
        look(decided, outcome="A_S42", level_of_need="L9")
    assert {field.pointer for field in refused.value.fields} == {"/looks/0/outcome", "/looks/0/level_of_need"}
    with pytest.raises(NotAcceptable, match="/looks"):
        look(decided, subject="S2")


def test_what_was_not_drawn_or_is_done_has_no_second_look(record, decided):
    """R63"""
    with pytest.raises(NotFound):
        look(decided)
    draw()
    look(decided)
    with pytest.raises(NotFound):
        look(decided)
