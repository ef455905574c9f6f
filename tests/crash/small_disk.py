"""A hub whose record is on a small disk of its own, which can be filled and emptied (F25)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from psycopg.rows import dict_row

from engine import databases, trial
from engine.credentials import load_or_create
from engine.ports import ANY_FREE
from engine.postgres import SUPERUSER
from engine.stack import PARTS, Stack
from engine.trial import open_accounts
from tests.crash.chain import first_fault
from tests.crash.faults import DUTY, a_clear_concern, eventually
from tests.hub import surroundings

SIZE = "256m"
#: What there is no room for: other rows, or more of the write-ahead log.
FULL = ("data", "write-ahead log")
#: So many are refused, out of so many at most: PostgreSQL has a little room of its own.
REFUSED, SENT = 3, 400
RECOVERY = 120.0
#: Enough to take referrals: they wait in the record for the rest.
RUNNING = ("postgres", "portal")


class CannotMount(Exception):
    """This machine gives no small disk; the message says why."""


@dataclass(frozen=True)
class SmallHub:
    """PostgreSQL and the portal, with data, log and write-ahead log on one small disk."""

    stack: Stack
    disk: Path
    token: str

    def refer(self, sender_id: str) -> httpx.Response:
        """A duty team's referral, sent once."""
        url = f"http://127.0.0.1:{self.stack.ports.portal}/api/v1/referrals"
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.post(url, json=a_clear_concern(sender_id), headers=headers, timeout=60, trust_env=False)

    def is_well(self) -> bool:
        """Whether the portal reaches the record."""
        url = f"http://127.0.0.1:{self.stack.ports.portal}/health"
        return httpx.get(url, timeout=10, trust_env=False).status_code == 200

    def ask(self, query: str) -> list[dict[str, object]]:
        """What the record holds, as its superuser sees it."""
        secret = load_or_create(self.stack.home).postgres
        url = databases.url(SUPERUSER, secret, self.stack.ports.postgres, databases.RECORD, "psycopg")
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, row_factory=dict_row, autocommit=True, connect_timeout=10) as record:
            return record.execute(query.encode()).fetchall()

    def broken_chains(self) -> list[str]:
        """The fault of each chain of the ledger that has one."""
        chains: dict[object, list[dict[str, object]]] = {}
        for row in self.ask("SELECT * FROM ledger ORDER BY reference, number"):
            chains.setdefault(row["reference"], []).append(row)
        return [fault for chain in chains.values() if (fault := first_fault(chain))]

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not one byte is left on the disk for as long as the block lasts."""
        ballast = self.disk / "ballast"
        with ballast.open("wb", buffering=0) as out:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        out.write(b"\0" * size)
        try:
            yield
        finally:
            ballast.unlink()

    def wants_another_log_segment(self) -> None:
        """PostgreSQL is made to go on in a new file of its write-ahead log."""
        with suppress(psycopg.Error):
            self.ask("SELECT pg_switch_wal()")


@contextmanager
def small_hub(folder: Path) -> Iterator[SmallHub]:
    """A hub on a disk in memory. Raises CannotMount where this machine lets nobody mount one."""
    disk = folder / "small"
    disk.mkdir()
    _mount(disk)
    try:
        with Stack(disk / "mash", ANY_FREE, without=[part for part in PARTS if part not in RUNNING]) as stack:
            with surroundings(stack.environment()):
                tokens = open_accounts(stack.home)
            yield SmallHub(stack, disk, tokens[trial.duty_account(DUTY)])
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _mount(disk: Path) -> None:
    if os.geteuid() != 0:
        raise CannotMount("only root may mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=711", "mash-small", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMount(f"no small disk can be mounted here: {done.stderr.strip()}")


def refusals_while_full(hub: SmallHub, full: str, mark: str) -> list[str]:
    """Fill the disk, send referrals until some are refused, make room, and send those again; every violation found.

    Raises AssertionError when none was refused, or the hub does not become well by itself.
    """
    acked, refused, found = {}, [], []
    with hub.full():
        if full == FULL[1]:
            hub.wants_another_log_segment()
        for number in range(SENT):
            sender_id = f"{full} {mark} {number}"
            answer = hub.refer(sender_id)
            if answer.status_code in (200, 201):
                acked[sender_id] = answer.json()["reference"]
            else:
                refused.append(sender_id)
                if answer.status_code != 503 or not answer.headers.get("Retry-After"):
                    found.append(f"{sender_id}: {answer.status_code} instead of 503 with Retry-After")
            if len(refused) == REFUSED:
                break
    assert len(refused) == REFUSED, "the disk was never full"
    eventually(hub.is_well, "the portal reaches the record again", RECOVERY)
    kept = {row["sender_id"]: row["reference"] for row in hub.ask("SELECT sender_id, reference FROM referral")}
    found += [f"{each} was acknowledged and is not kept" for each in acked if kept.get(each) != acked[each]]
    found += [f"{each} is refused still" for each in refused if hub.refer(each).status_code not in (200, 201)]
    twice = hub.ask("SELECT sender_id FROM referral GROUP BY 1 HAVING count(*) > 1")
    without = hub.ask("SELECT reference FROM referral EXCEPT SELECT reference FROM ledger WHERE act = 'RECEIVED'")
    return [*found, *map(str, twice), *map(str, without), *hub.broken_chains()]
