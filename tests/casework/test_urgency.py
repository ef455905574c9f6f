"""The MASH team rates how urgent a referral is, every queue follows, and an agency may call to discuss now (R10)."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from casework import board, outcome, queues, urgency
from casework.urgency_documents import RatingDocument, UrgentCallDocument
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.stages import Stage
from rules.urgency import UrgencyRating
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    OPERATOR,
    SUPPORT,
    acknowledge,
    act,
    acts_of,
    all_give_back,
    ask,
    decide,
    duty,
    join,
    notices_of,
    refer,
    referral,
    rep,
    walk,
)
from tests.record import Record

LATER = ASKED.replace(hour=12)


def rate(reference: str, rating: str, seen: str = "GREEN", by=SUPPORT, rationale: str = "He is out on bail.") -> None:
    document = RatingDocument(rating=rating, rating_seen=seen, rationale=rationale)
    act(urgency.rate, reference, document, by=by, at=AFTERNOON)


def call(reference: str, agency: str = "POLICE", by=None) -> None:
    document = UrgentCallDocument(reason="She is alone with him tonight.")
    act(urgency.call, reference, agency, document, by=by or rep(agency), at=AFTERNOON)


def queue_of(agency: str = "POLICE") -> list[str]:
    return [task.reference for task in act(queues.tasks_of, by=rep(agency)).checks]


def on_the_board() -> list[str]:
    return [row.reference for row in act(board.rows, by=SUPPORT)]


def test_a_rating_needs_its_rationale(record: Record):
    """R10: re-rating without rationale refused"""
    for rationale in ("", " "):
        with pytest.raises(ValueError, match="rationale"):
            RatingDocument(rating="RED", rating_seen="GREEN", rationale=rationale)


def test_a_check_that_nobody_answered_waits_in_the_queue_after_its_referral_is_closed(record: Record):
    """R10, R22: the late answer still comes, in its place among the others"""
    closed = walk(Stage.CHECKING, sender_id="closed")
    rate(closed, "RED")
    all_give_back(closed, but=["POLICE"])
    days_later = ASKED + timedelta(days=2)
    join(closed, days_later)
    decide(closed, at=days_later)
    act(outcome.hand_back, closed, at=days_later)
    acknowledge(closed, at=days_later)
    assert referral(closed).stage is Stage.CLOSED
    still = walk(Stage.CHECKING, sender_id="still")
    first, second = act(queues.tasks_of, by=rep("POLICE")).checks
    assert (first.reference, first.urgency_rating, second.reference) == (closed, "RED", still)
    assert first.question == second.question == referral(closed).clarification_question


def test_a_new_rating_is_in_the_ledger_with_its_reason_sealed_apart(record: Record):
    """R10"""
    reference = walk(Stage.CHECKING)
    assert referral(reference).urgency_rating is UrgencyRating.GREEN
    rate(reference, "RED")
    assert referral(reference).urgency_rating is UrgencyRating.RED
    assert referral(reference).rated_because == "He is out on bail."
    [(detail, content)] = record.ask(
        "SELECT l.detail::text, l.commitment FROM ledger l WHERE reference = %s AND act = 'URGENCY_RATED'", reference
    )
    assert '"rating": "RED"' in detail
    assert '"was": "GREEN"' in detail
    assert "bail" not in detail
    assert content


@pytest.mark.parametrize("by", [rep("POLICE"), duty(), OPERATOR])
def test_the_mash_team_alone_rates(record: Record, by):
    """R10, R17"""
    reference = walk(Stage.CHECKING)
    with pytest.raises(NotPermitted):
        rate(reference, "RED", by=by)


@pytest.mark.parametrize(("rating", "seen", "refused"), [
    ("PURPLE", "GREEN", NotAcceptable),
    ("GREEN", "GREEN", NotAcceptable),
    ("AMBER", "RED", Conflict),
])  # fmt: skip
def test_a_rating_is_one_of_the_set_is_new_and_replaces_the_one_that_was_seen(record: Record, rating, seen, refused):
    """R10, F18"""
    reference = walk(Stage.CHECKING)
    with pytest.raises(refused):
        rate(reference, rating, seen)
    assert "URGENCY_RATED" not in acts_of(record, reference)


@pytest.mark.parametrize("stage", Stage)
def test_a_referral_is_rated_until_it_is_decided(record: Record, stage):
    """R10"""
    reference = refer() if stage is Stage.RECEIVED else walk(stage)
    if stage in (Stage.HANDING_BACK, Stage.AWAITING_ACK, Stage.CLOSED):
        with pytest.raises(WrongStage):
            rate(reference, "AMBER")
    else:
        rate(reference, "AMBER")


@pytest.mark.parametrize("ratings", list(itertools.permutations(UrgencyRating)))
def test_every_queue_is_ordered_by_rating_and_then_by_due_time(record: Record, ratings):
    """R10: queue order is rating, then due time"""
    asked = [refer(sender_id=f"one {n}", at=moment) for n, moment in enumerate((LATER, ASKED) * 3)]
    for number, reference in enumerate(asked):
        ask(reference, at=(LATER, ASKED)[number % 2])
        if (rating := ratings[number // 2]) != "GREEN":
            rate(reference, rating)
    place = {rating: asked[2 * n : 2 * n + 2] for n, rating in enumerate(ratings)}
    expected = [reference for rating in UrgencyRating for reference in reversed(place[rating])]
    assert queue_of() == expected
    assert on_the_board() == expected


def test_of_one_rating_what_waits_for_a_decision_is_first_on_the_board(record: Record):
    """R10"""
    sooner, decided_next, red = refer(at=ASKED), refer(at=LATER, sender_id="two"), refer(at=LATER, sender_id="three")
    ask(sooner), ask(decided_next, at=LATER), ask(red, at=LATER)
    rate(red, "RED")
    assert on_the_board() == [red, sooner, decided_next]
    all_give_back(decided_next)
    join(decided_next)
    assert on_the_board() == [red, decided_next, sooner]


def test_a_representative_calls_for_the_discussion_and_learns_that_the_team_knows(record: Record):
    """R10: any representative can raise "urgent – discuss now" """
    first, second = refer(), refer(sender_id="two")
    ask(first), ask(second)
    call(second, "MENTAL_HEALTH")
    assert ("urgent_called", "mash:team") in notices_of(record, second)
    [row, other] = act(board.rows, by=SUPPORT)
    assert (row.reference, row.called_urgent, other.called_urgent) == (second, True, False)
    act(urgency.acknowledge, second, "MENTAL_HEALTH", by=DECIDER, at=AFTERNOON)
    assert ("urgent_acknowledged", "agency:MENTAL_HEALTH") in notices_of(record, second)
    [seen] = act(queues.read_check, second, by=rep("MENTAL_HEALTH"), at=AFTERNOON).urgent_calls
    assert (seen.raised_at, seen.acknowledged_at) == (AFTERNOON, AFTERNOON)
    assert not any(row.called_urgent for row in act(board.rows, by=SUPPORT))
    assert {"URGENT_CALLED", "URGENT_ACKNOWLEDGED"} <= set(acts_of(record, second))
    with pytest.raises(WrongStage):
        act(urgency.acknowledge, second, "MENTAL_HEALTH", by=DECIDER, at=AFTERNOON)


def test_one_call_that_waits_is_enough_and_another_may_follow_it(record: Record):
    """R10"""
    reference = walk(Stage.CHECKING)
    call(reference)
    with pytest.raises(WrongStage):
        call(reference)
    call(reference, "MENTAL_HEALTH")
    act(urgency.acknowledge, reference, "POLICE", by=SUPPORT, at=AFTERNOON)
    call(reference)
    assert acts_of(record, reference).count("URGENT_CALLED") == 3


def test_a_call_is_for_a_check_of_ones_own_alone(record: Record):
    """R49: who was not asked learns nothing"""
    reference = walk(Stage.CHECKING)
    for agency, by in [("RUH", rep("RUH")), ("POLICE", rep("MENTAL_HEALTH")), ("POLICE", SUPPORT)]:
        with pytest.raises(NotFound):
            call(reference, agency, by=by)
    with pytest.raises(NotFound):
        call("7KQ2-XW9S")


def test_a_call_may_come_with_the_return_already_given_and_not_after_the_decision(record: Record):
    """R10"""
    waiting, decided = walk(Stage.AWAITING_DECISION), walk(Stage.AWAITING_ACK, sender_id="two")
    call(waiting)
    with pytest.raises(WrongStage):
        call(decided)
