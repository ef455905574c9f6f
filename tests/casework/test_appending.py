"""Many writers on one chain, killed while they write: no fork, no gap, nothing told of that is not there (S-23b)."""

from __future__ import annotations

import os

from casework.ledger import entries, first_broken
from rules.stages import Stage
from tests.casework.appending import append
from tests.casework.factory import AFTERNOON, act, walk
from tests.record import Record

FULL = int(os.environ.get("MASH_APPENDS", "0"))
WRITERS, APPENDS, KILLS = (8, FULL, 40) if FULL else (3, 8, 2)


def test_writers_that_are_killed_leave_one_dense_chain_with_all_that_was_told(record: Record):
    """S-23b, INV12: MASH_APPENDS=1000 for eight writers and forty kills"""
    reference = walk(Stage.CHECKING)
    before = len(act(entries, reference))
    told = set(append(reference, WRITERS, APPENDS, KILLS, seed=20261126, at=AFTERNOON))
    chain = act(entries, reference)
    assert [entry.number for entry in chain] == list(range(1, len(chain) + 1))
    assert first_broken(chain) is None
    written = [(int(entry.detail["agency"][1:]), entry.detail["step"]) for entry in chain[before:]]
    assert told == {(writer, step) for writer in range(WRITERS) for step in range(1, APPENDS + 1)}
    assert told <= set(written)
    # What was committed and not told of, because its writer was killed between, was written again.
    assert len(written) - len(told) <= KILLS
    assert record.ask("SELECT count(*) FROM ledger_content WHERE reference = %s", reference)[0][0] >= len(told)
