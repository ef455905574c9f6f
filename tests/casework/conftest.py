"""A hub with its people, for tests of what may be done in it."""

from __future__ import annotations

import pytest

from tests.casework.factory import open_hub
from tests.record import Record


@pytest.fixture(autouse=True)
def people(record: Record) -> Record:
    """An empty record in which the profile is registered and everybody has an account."""
    open_hub()
    return record
