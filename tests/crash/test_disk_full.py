"""No disk space is left for the record: nothing is acknowledged that is not kept, and all is well once there is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.small_disk import FULL, CannotMount, SmallHub, refusals_while_full, small_hub


@pytest.fixture(scope="module")
def hub() -> Iterator[SmallHub]:
    """A hub on a small disk; skipped, with the reason, where none can be mounted."""
    # Not in pytest's folder: each run of pytest on the machine shuts that one to PostgreSQL's account.
    with tempfile.TemporaryDirectory(prefix="mash-small-") as folder:
        Path(folder).chmod(0o711)
        with ExitStack() as lasting:
            try:
                made = lasting.enter_context(small_hub(Path(folder)))
            except CannotMount as reason:
                pytest.skip(str(reason))
            yield made


@pytest.mark.parametrize("full", FULL)
def test_a_full_disk_acknowledges_nothing_that_it_did_not_keep_and_is_well_again_by_itself(
    hub: SmallHub, full: str
) -> None:
    """F25, INV1, INV2, INV11: 503 meanwhile; the same documents are taken, once, when there is space again"""
    assert refusals_while_full(hub, full, "short form") == []
