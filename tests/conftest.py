"""One hub for all tests that need a whole one: real PostgreSQL, Prefect server, worker, timekeeper, API and SMTP."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.stack import Stack
from tests.ends import at_the_end_of
from tests.hub import running_hub
from tests.hurry import hurry
from tests.scenarios.play import Hub

pytest_plugins = ["tests.record", "tests.processes"]


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Stack, Hub]]:
    """A hub of the tests' own, started once and stopped at the end."""
    # Not in pytest's folder: each run of pytest on the machine shuts that one to PostgreSQL's account.
    with tempfile.TemporaryDirectory(prefix="mash-hub-") as folder, ExitStack() as lasting:
        both = lasting.enter_context(running_hub(Path(folder)))
        at_the_end_of("hub", lasting.close)
        hurry(both[0])
        yield both


@pytest.fixture
def stack(running: tuple[Stack, Hub]) -> Stack:
    """The parts of the tests' hub."""
    return running[0]


@pytest.fixture
def hub(running: tuple[Stack, Hub]) -> Hub:
    """Where the tests' hub is, and what opens it."""
    return running[1]
