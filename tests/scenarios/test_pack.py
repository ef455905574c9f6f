"""Every scenario of the pack goes as it says, on the real parts."""

from __future__ import annotations

import pytest

from tests.scenarios.pack import PACK
from tests.scenarios.play import Played, Scenario


@pytest.mark.parametrize("scenario", PACK, ids=lambda scenario: scenario.__name__)
def test_a_scenario_of_the_pack_goes_as_it_says(played: dict[str, Played], scenario: Scenario) -> None:
    """R65, and the requirements that each scenario names"""
    assert played[scenario.__name__.replace("_", " ")].trouble is None


def test_each_scenario_names_the_requirements_that_it_proves() -> None:
    """R65"""
    assert [s.__name__ for s in PACK if "R" not in (s.__doc__ or "").partition("\n\n")[2]] == []
