"""S-23d: how long it takes to verify a million entries of the ledger, and in how much memory."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from psycopg.types.json import Jsonb

from bench import figures
from bench.ground import Connection, Ground
from engine.postgres import SUPERUSER
from rules.chain import GENESIS, Entry, commitment_of, digest_of
from rules.reference import new_reference

CHAINS, LENGTH, TIMES = 10_000, 100, 2
COPY = "COPY ledger (reference, number, at, actor, act, detail, commitment, previous, digest) FROM STDIN"
DETAIL = {"agency": "POLICE", "version": 1, "result": "KNOWN_OPEN", "status": "RETURNED", "late_ms": 0, "items": 2}


def measure(ground: Ground) -> figures.Figure:
    """`mash ledger verify` as an operator calls it, in a process of its own, on chains made for this."""
    figure = figures.Figure("ledger", "How long does it take to verify a million entries of the ledger?")
    with ground.record(SUPERUSER) as record:
        _fill(record)
    runs = [_verify() for _ in range(TIMES)]
    size = CHAINS * LENGTH
    figure.many("mash ledger verify", "s", [took for took, _ in runs], size=size, at_most=60)
    figure.many("its greatest memory", "MB", [memory for _, memory in runs], size=size, at_most=500, of="maximum")
    figure.notes.append(f"{CHAINS:,} chains of {LENGTH} entries; the seconds hold the start of the command.")
    return figure


def _verify() -> tuple[float, float]:
    began = time.monotonic()
    command = [sys.executable, "-m", "engine.cli", "ledger", "verify", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 -- our own command
    took = time.monotonic() - began
    if json.loads(done.stdout)["entries"] != CHAINS * LENGTH:
        raise RuntimeError("not every entry was looked at")
    # The greatest of all children so far, in kilobytes: this figure's are the only ones of their size.
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def _fill(record: Connection) -> None:
    chance = random.Random(1)  # noqa: S311 -- made-up chains
    references = sorted({new_reference(chance.choice) for _ in range(CHAINS + 50)})[:CHAINS]
    with record.transaction():
        record.execute("SET LOCAL session_replication_role = replica")
        record.execute("DELETE FROM ledger")
        with record.cursor().copy(COPY) as out:
            for reference in references:
                for entry in _chain(chance, reference):
                    out.write_row(_row(entry))
    record.execute("ANALYZE ledger")


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.reference, entry.number, entry.at, entry.actor, entry.act, Jsonb(entry.detail), entry.commitment,
        entry.previous, entry.digest,
    )  # fmt: skip


def _chain(chance: random.Random, reference: str) -> Iterator[Entry]:
    at, previous = datetime(2026, 3, 16, 10, tzinfo=UTC), GENESIS
    for number in range(1, LENGTH + 1):
        at += timedelta(microseconds=chance.randrange(1, 10**9))
        commitment = commitment_of(chance.randbytes(32), b"{}") if number % 3 == 0 else ""
        moment = at.isoformat(timespec="microseconds")
        entry = Entry(reference, number, moment, "rep-POLICE", "CHECK_RETURNED", DETAIL, commitment, previous, "")
        previous = digest_of(entry)
        yield replace(entry, digest=previous)
