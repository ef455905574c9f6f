"""Writers that append to one chain at once, each in a process of its own, and are killed while they do (S-23b).

`python -m pytest tests/casework/test_appending.py` plays a short form; MASH_APPENDS=1000 the whole: eight writers.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from datetime import datetime

from casework import ledger, referrals
from casework.db import database, unit_of_work
from casework.ledger import Act
from rules.permissions import HUB


class Writer:
    """One process that appends entries, and tells of each once it is committed; killed, another goes on from there."""

    def __init__(self, number: int, reference: str, appends: int, at: datetime) -> None:
        self.number, self.told = number, 0
        self._reference, self._appends, self._at = reference, appends, at
        self._begin()

    def _begin(self) -> None:
        reads, writes = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            self._append(writes)
        os.close(writes)
        self._lines = os.fdopen(reads, "rb")

    def _append(self, writes: int) -> None:
        code = 1
        try:
            # The pool's connections are the parent's.
            database().dispose(close=False)
            for step in range(self.told + 1, self._appends + 1):
                with unit_of_work() as session:
                    referrals.lock(session, self._reference)
                    ledger.write(
                        session, self._reference, Act.CHECK_READ, by=HUB, at=self._at, agency=f"W{self.number}",
                        step=step, content={"step": step},
                    )  # fmt: skip
                os.write(writes, b"%d\n" % step)
            code = 0
        finally:
            os._exit(code)

    def hear(self) -> bool:
        """Wait for its next word; false when there will be none."""
        line = self._lines.readline()
        if line.endswith(b"\n"):
            self.told = int(line)
        return bool(line)

    def kill(self) -> None:
        """SIGKILL, wherever it is; then another goes on after the last entry that was told of."""
        os.kill(self._pid, signal.SIGKILL)
        self.end()
        self._begin()

    def end(self) -> int:
        """Hear the rest, and wait; its exit status."""
        while self.hear():
            pass
        self._lines.close()
        return os.waitpid(self._pid, 0)[1]


def append(
    reference: str, writers: int, appends: int, kills: int, *, seed: int, at: datetime
) -> Iterator[tuple[int, int]]:
    """Let writers append, and kill some of them; each entry that was told of, as (writer, step)."""
    chance = random.Random(seed)
    working = [Writer(number, reference, appends, at) for number in range(writers)]
    for _ in range(kills):
        victim = chance.choice(working)
        for _ in range(chance.randrange(1, max(2, appends // (kills + 1)))):
            victim.hear()
        victim.kill()
    for writer in working:
        assert writer.end() == 0
        yield from ((writer.number, step) for step in range(1, writer.told + 1))
