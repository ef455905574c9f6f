"""A hub's record whose figures are worked out when a test asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from engine.databases import RECORD_ANALYST
from reports import refresh
from tests.casework.factory import act, open_hub
from tests.record import Record

#: A query on the views, and its rows by column.
Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def figures(record: Record) -> Ask:
    """Rows of a query on the views, after all that changed was worked out; as the analyst's role reads them."""
    open_hub()

    def ask(query: str) -> list[dict[str, Any]]:
        while act(refresh.refresh):
            pass
        with record.server.connect(RECORD_ANALYST) as connection:
            found = connection.execute(query.encode())
            names = [column.name for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return ask


@contextmanager
def held(record: Record, at: datetime) -> Iterator[None]:
    """The hub's clock stands at a moment."""
    with record.as_owner() as owner:
        owner.execute("INSERT INTO scenario_clock (id, now) VALUES (1, %s)", [at])
        yield
        owner.execute("DELETE FROM scenario_clock")
