"""Hearing from PostgreSQL that there is something to do."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import closing

import psycopg

from engine.databases import plain
from models.settings import settings


class Listener:
    """Hears of new wakes, new notices and moves of the clock; a lost connection is opened again.

    It waits by the machine's monotonic clock: a wall clock that jumps neither shortens nor lengthens a wait. Of what
    is said it hears what one of `tables` has got.
    """

    def __init__(self, tables: Collection[str]) -> None:
        self._tables = frozenset(tables)
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float) -> None:
        """Return when something was said, or after so many seconds."""
        try:
            with closing(self._open().notifies(timeout=seconds)) as said:
                for each in said:
                    if each.payload in self._tables:
                        return
        except psycopg.Error:
            self.close()
            threading.Event().wait(min(seconds, 1.0))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            url = plain(settings().database_url.get_secret_value())
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
            self._connection.execute("LISTEN mash")
        return self._connection
