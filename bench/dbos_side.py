"""Running the DBOS peer: a process of its own, on a record of its own in the hub's PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import migrations
from bench import costs
from bench.ground import Ground
from engine import databases
from models.settings import HOUSE
from tests.casework import factory
from tests.record import forget_settings

DATABASE = "mash_dbos"


@contextmanager
def peer(ground: Ground) -> Iterator[Peer]:
    """The peer's process, for as long as the block lasts."""
    ground.new_database(DATABASE)
    # The owner's role: DBOS makes tables of its own.
    url = ground.url(databases.RECORD_OWNER, DATABASE)
    migrations.upgrade(url)
    _open_accounts(url)
    with (ground.stack.home / "logs" / "dbos.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.peers.dbos_referral"],
            cwd=HOUSE, env={**os.environ, "MASH_DATABASE_URL": url}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield Peer(ground, process)
    finally:
        process.kill()
        process.wait()


class Peer:
    """The peer, ready for orders."""

    def __init__(self, ground: Ground, process: subprocess.Popen[str]) -> None:
        self._ground = ground
        self._process = process
        self.pid = process.pid
        self._answer()

    def round(self, batch: int) -> tuple[float, dict[str, float]]:
        """Carry a batch through; referrals a minute, and CPU seconds by part."""
        leaders = {**costs.running_parts(self._ground.stack), "dbos": self.pid}
        before = {name: costs.cpu(pid) for name, pid in leaders.items()}
        seconds = float(self.ask({"referrals": batch})["seconds"])
        return batch * 60 / seconds, costs.since(before, {name: costs.cpu(pid) for name, pid in leaders.items()})

    def ask(self, what: dict[str, int]) -> dict[str, Any]:
        """Tell the peer what to do, and wait until it is done."""
        if self._process.stdin:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the DBOS peer ended: see dbos.log")
        found: dict[str, Any] = json.loads(line)
        return found


def _open_accounts(url: str) -> None:
    before = os.environ["MASH_DATABASE_URL"]
    os.environ["MASH_DATABASE_URL"] = url
    forget_settings()
    try:
        factory.open_hub()
    finally:
        os.environ["MASH_DATABASE_URL"] = before
        forget_settings()
