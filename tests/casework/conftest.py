"""A hub with its people, for tests of what may be done in it."""

from __future__ import annotations

import pytest

from rules.stages import Stage
from tests.casework.factory import open_hub, walk
from tests.record import Record


@pytest.fixture(autouse=True)
def people(record: Record) -> Record:
    """An empty record in which the profile is registered and everybody has an account."""
    open_hub()
    return record


@pytest.fixture
def checking() -> str:
    """A referral about one child, whose agencies have been asked on Monday at 10:00."""
    return walk(Stage.CHECKING)
