"""One hub for all tests that need a whole one: real PostgreSQL, Prefect server, worker, timekeeper, API and SMTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.stack import Stack
from tests.hub import hub_of_a_group
from tests.scenarios.play import Hub

pytest_plugins = ["tests.record", "tests.processes"]


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Stack, Hub]]:
    """A hub of the tests' own, started once and stopped at the end."""
    with hub_of_a_group("hub") as both:
        yield both


@pytest.fixture
def stack(running: tuple[Stack, Hub]) -> Stack:
    """The parts of the tests' hub."""
    return running[0]


@pytest.fixture
def hub(running: tuple[Stack, Hub]) -> Hub:
    """Where the tests' hub is, and what opens it."""
    return running[1]
