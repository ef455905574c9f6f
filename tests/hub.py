"""Starting a whole hub for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from casework import db, register
from engine.ports import ANY_FREE
from engine.stack import Stack
from engine.trial import open_accounts
from models import settings
from tests.scenarios.play import Hub

#: A few accounts do the work of a whole hub, and open every test's referrals.
BUSY = {"MASH_OPENED_BY_PERSON": "1000000", "MASH_OPENED_BY_SYSTEM": "1000000"}
#: A lost run is looked for every few seconds: tests need not wait for a site's 20.
IMPATIENT = {"MASH_SWEEP_SECONDS": "5", **BUSY}


@contextmanager
def surroundings(environment: dict[str, str]) -> Iterator[None]:
    """This process's own casework works on another record for a while."""
    before = dict(os.environ)
    os.environ.update(environment)
    _forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget()


def _forget() -> None:
    if db.database.cache_info().currsize:
        # One set of surroundings may stand within another: the outer one's connections are closed, and opened anew.
        db.database().dispose()
    for remembered in (settings.settings, db.database, register.current_profile):
        remembered.cache_clear()


@contextmanager
def running_hub(home: Path) -> Iterator[tuple[Stack, Hub]]:
    """A whole hub in a folder, for as long as the block lasts."""
    # The database's account has to reach its data through every folder above it.
    for folder in (home, *home.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    with patch.dict(os.environ, IMPATIENT):
        made = Stack(home / "mash", ANY_FREE)
    with made as stack:
        with surroundings(stack.environment()):
            tokens = open_accounts(stack.home)
            profile = register.current_profile()
        yield (
            stack,
            Hub(
                url=f"http://127.0.0.1:{stack.ports.portal}",
                tokens=tokens,
                mail=stack.home / "mail",
                owner_url=stack.environment()["MASH_OWNER_DATABASE_URL"],
                profile=profile,
            ),
        )
