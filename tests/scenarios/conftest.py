"""The pack is played once; every test reads the same play."""

from __future__ import annotations

import pytest

from tests.scenarios.play import Hub, Played, play


@pytest.fixture(scope="session")
def played(running: tuple[object, Hub]) -> dict[str, Played]:
    """How each scenario of the pack went, by name."""
    return {each.name: each for each in play(running[1])}
