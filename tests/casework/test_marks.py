"""What a referral's run is marked with on the engine's screen, and which is handed to the engine first."""

from __future__ import annotations

from casework.marks import marks
from engine.waking import _claim
from rules.stages import Stage
from rules.urgency import UrgencyRating
from tests.casework.factory import a_family, act, refer, walk
from tests.record import Record


def test_a_run_is_marked_with_originator_sides_and_band_and_ranked_by_urgency(record: Record):
    """Issue 7, items 1 and 2: codes alone"""
    reference = refer(subjects=a_family())
    found = act(marks, reference)
    assert found.tags == ["CHILDREN_DUTY", "adult", "child", "STANDARD"]
    assert found.lane is UrgencyRating.GREEN
    with record.as_owner() as owner:
        owner.execute(
            "UPDATE referral SET urgency_rating = 'RED', rated_at = now(), rated_because = '' WHERE reference = %s",
            (reference,),
        )
    assert act(marks, reference).lane is UrgencyRating.RED


def test_what_is_rated_red_is_handed_to_the_engine_first(record: Record):
    """Issue 7, item 2: also when it was rated after its run began"""
    references = [walk(Stage.CHECKING, sender_id=f"n{number}") for number in range(3)]
    with record.as_owner() as owner:
        owner.execute("DELETE FROM wake")
        for reference in references:
            owner.execute(
                "INSERT INTO wake (id, reference, kind, about, due_at, attempts)"
                " VALUES (gen_random_uuid(), %s, 'RUN', '', mash_now() - interval '1 hour', 0)",
                (reference,),
            )
        for rating, reference in zip(("RED", "AMBER"), reversed(references), strict=False):
            owner.execute(
                "UPDATE referral SET urgency_rating = %s, rated_at = now(), rated_because = '' WHERE reference = %s",
                (rating, reference),
            )
    assert [row.reference for row in _claim(2)] == list(reversed(references))[:2]
    assert [row.reference for row in _claim(2)] == references[:1]
