"""The impact assessment says what the profile says, and marks what it cannot."""

from __future__ import annotations

import pytest

from models.impact_assessment import TO_COMPLETE, page
from models.profile import load_profile
from models.settings import HOUSE


@pytest.mark.parametrize("area", ["bnes", "front-door"])
def test_it_is_filled_in_from_the_profile(area: str) -> None:
    """R51, R54, issue 7, point 8"""
    profile = load_profile(HOUSE / "profiles" / f"{area}.toml")
    made = page(profile)
    for agency in profile.agencies:
        assert f"{agency.names[-1].name} (`{agency.code}`)" in made
    for _, period in profile.retention:
        assert f"{period.days} days" in made
        assert period.basis in made
    assert all(band.label in made for band in profile.clocks.bands)
    assert profile.legal_gate
    assert all(profile.label("request_reason", row.request_reason) in made for row in profile.legal_gate.grounds)
    assert "not yet confirmed" in made
    assert profile.threshold.version in made


def test_a_confirmed_gate_is_said_to_be_and_what_no_profile_knows_stays_to_be_completed() -> None:
    """R54: a form that looks finished is not one"""
    profile = load_profile(HOUSE / "profiles" / "bnes.toml")
    gate = profile.legal_gate
    assert gate
    made = page(profile.model_copy(update={"legal_gate": gate.model_copy(update={"to_be_confirmed": False})}))
    assert "not yet confirmed" not in made
    assert made.count(TO_COMPLETE) > 20
    assert "{" not in made
