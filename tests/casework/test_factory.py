"""Every stage can be reached by what people and the hub do."""

from __future__ import annotations

import pytest

from rules.stages import Stage
from tests.casework.factory import referral, walk


@pytest.mark.parametrize("stage", Stage)
def test_a_referral_walks_to_every_stage_through_the_verbs(stage):
    assert referral(walk(stage)).stage is stage
