"""One real stack for the session: PostgreSQL, mail sink, Prefect server and warm worker, on free ports."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import httpx
import pytest

from engine.ports import ANY_FREE
from engine.stack import Stack
from tests.ends import at_the_end_of
from tests.hurry import hurry

T = TypeVar("T")
HERE = Path(__file__).parent


def wait_for(fact: Callable[[], T], seconds: float = 60) -> T:
    """The fact, once it is true; a test that waits for one in vain fails."""
    end = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home folder where PostgreSQL's account may go (pytest's own folders are closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix="mash-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def engine_stack() -> Iterator[Stack]:
    """The parts of the engine, with the stand-in flows deployed."""
    folder = Path(tempfile.mkdtemp(prefix="mash-engine-"))
    folder.chmod(0o711)
    (folder / "diary").mkdir()
    stand_ins = {"MASH_DEPLOYMENTS": str(HERE / "prefect.yaml"), "MASH_DIARY": str(folder / "diary")}
    # For this stack alone: other hubs of the same run of tests deploy the house's own flow.
    with patch.dict(os.environ, stand_ins):
        made = Stack(folder, ANY_FREE, without=["portal", "timekeeper"])
    with ExitStack() as lasting:
        stack = lasting.enter_context(made)
        at_the_end_of("engine", lasting.close)
        hurry(stack)
        wait_for(lambda: _is_deployed(stack), 300)
        yield stack
    shutil.rmtree(folder)


def _is_deployed(stack: Stack) -> bool:
    own = stack.environment()
    user, password = own["PREFECT_API_AUTH_STRING"].split(":")
    return httpx.get(
        f"{own['PREFECT_API_URL']}/deployments/name/patient/mash", auth=(user, password), timeout=60
    ).is_success
