"""A postman for tests of what leaves the hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notifications.post import Postman, working_postman


@pytest.fixture
def postman() -> Iterator[Postman]:
    """A real SMTP server, well-behaved until told otherwise."""
    with working_postman() as postman:
        yield postman
