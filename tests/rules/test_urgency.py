"""Whose start goes first when many are due."""

from __future__ import annotations

import pytest

from rules.stages import Stage
from rules.urgency import UrgencyRating, board_place, lane, place

RED, AMBER, GREEN = UrgencyRating
ONE, TWO, THREE = ["STANDARD"], ["FAST", "STANDARD"], ["IN_4_H", "IN_24_H", "IN_72_H"]


@pytest.mark.parametrize(("rating", "band", "bands", "expected"), [
    (GREEN, "STANDARD", ONE, GREEN),
    (AMBER, "STANDARD", ONE, AMBER),
    (RED, "STANDARD", ONE, RED),
    (GREEN, "FAST", TWO, RED),
    (GREEN, "STANDARD", TWO, GREEN),
    (GREEN, "IN_4_H", THREE, RED),
    (GREEN, "IN_24_H", THREE, AMBER),
    (RED, "IN_24_H", THREE, RED),
    (AMBER, "IN_4_H", THREE, RED),
    (GREEN, "IN_72_H", THREE, GREEN),
    (GREEN, "UNKNOWN", THREE, GREEN),
])  # fmt: skip
def test_a_referral_is_as_urgent_as_the_hub_or_its_band_says_whichever_is_more(rating, band, bands, expected):
    """R10; issue 7, item 2"""
    assert lane(rating, band, bands) is expected


def test_a_check_stands_in_its_queue_by_rating_and_then_by_band():
    """R10"""
    places = [place(rating, band, THREE) for rating in UrgencyRating for band in [*THREE, "UNKNOWN"]]
    assert places == sorted(set(places))


def test_a_referral_stands_on_the_board_by_rating_and_then_by_whether_it_waits_for_a_decision():
    """R10"""
    stages = (Stage.AWAITING_DECISION, Stage.CHECKING)
    places = [board_place(rating, stage) for rating in UrgencyRating for stage in stages]
    assert places == sorted(set(places))
    assert len({board_place(RED, stage) for stage in Stage}) == 2
