"""A hub with its people, for tests of what may be done in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rules.stages import Stage
from tests.casework.factory import open_hub, walk
from tests.notifications.post import Postman, working_postman
from tests.record import Record, forget_settings


@pytest.fixture(autouse=True)
def people(record: Record) -> Record:
    """An empty record in which the profile is registered and everybody has an account."""
    open_hub()
    return record


@pytest.fixture
def postman(record: Record, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postman]:
    """The mail server of this hub."""
    with working_postman() as postman:
        monkeypatch.setenv("MASH_MAIL_URL", postman.url)
        forget_settings()
        yield postman


@pytest.fixture
def checking() -> str:
    """A referral about one child, whose agencies have been asked on Monday at 10:00."""
    return walk(Stage.CHECKING)
