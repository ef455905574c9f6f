"""Whose start goes first when many are due."""

from __future__ import annotations

import pytest

from rules.urgency import UrgencyRating, lane

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
