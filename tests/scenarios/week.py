"""One timeline for all scenarios of a pack: the hub's clock is held still, and moved on when everybody waits.

Each scenario runs in a thread of its own and says `until(moment)`. Once all of them wait, the clock goes on to the
nearest of their moments, stopping at every deadline, warning and chase on the way until the hub has dealt with it.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import psycopg


class Week:
    """The hub's clock, shared by the scenarios that play on it. Needs the record as its owner."""

    def __init__(self, owner_url: str, players: int, starts: datetime, patience: float = 240.0) -> None:
        self._patience = patience
        self._url = owner_url.replace("postgresql+psycopg://", "postgresql://")
        self._record: psycopg.Connection[tuple[Any, ...]] | None = None
        self._turn = threading.Condition()
        self._waiting: dict[int, datetime] = {}
        self._players = players
        self._broken: Exception | None = None
        self.now = starts
        self._hold(starts)

    def until(self, moment: datetime) -> None:
        """Wait until the hub's time is `moment`. Raises RuntimeError when the hub does not keep up."""
        me = threading.get_ident()
        with self._turn:
            self._waiting[me] = moment
            self._advance_if_all_wait()
            while me in self._waiting and not self._broken:
                self._turn.wait(1.0)
            if self._broken:
                raise RuntimeError(f"the clock stopped: {self._broken}")

    def leave(self) -> None:
        """This scenario has no more to do: the others need not wait for it."""
        with self._turn:
            self._players -= 1
            self._advance_if_all_wait()

    def close(self) -> None:
        """Let real time in again."""
        self._ask("DELETE FROM scenario_clock")
        if self._record:
            self._record.close()

    def _advance_if_all_wait(self) -> None:
        if self._players and len(self._waiting) == self._players and not self._broken:
            try:
                self._advance(min(self._waiting.values()))
            except Exception as trouble:
                self._broken = trouble
            for player, moment in list(self._waiting.items()):
                if moment <= self.now:
                    del self._waiting[player]
            self._turn.notify_all()

    def _advance(self, target: datetime) -> None:
        self._let_the_hub_finish()
        while self.now < target:
            self.now = min(target, self._next_wake() or target)
            self._hold(self.now)
            self._let_the_hub_finish()

    def _hold(self, moment: datetime) -> None:
        self._ask(
            "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = excluded.now",
            moment,
        )

    def _next_wake(self) -> datetime | None:
        moment: datetime | None = self._ask("SELECT min(due_at) FROM wake WHERE due_at > mash_now()")
        return moment

    def _let_the_hub_finish(self) -> None:
        given_up = time.monotonic() + self._patience
        due = "SELECT count(*) FROM wake WHERE due_at <= mash_now()"
        while count := self._ask(due):
            if time.monotonic() > given_up:
                raise TimeoutError(f"{count} wakes are still due at {self.now}")
            time.sleep(0.1)

    def _ask(self, statement: str, *values: Any) -> Any:
        """The first value of the first row, if any. A record that is away for a while is waited for."""
        given_up = time.monotonic() + self._patience
        while True:
            try:
                if self._record is None or self._record.closed:
                    self._record = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
                asked = self._record.execute(statement.encode(), values)
                row = asked.fetchone() if asked.description else None
                return row[0] if row else None
            except psycopg.OperationalError:
                if time.monotonic() > given_up:
                    raise
                time.sleep(0.2)
