"""The ledger verified from its format alone: a second verifier, written without the first (docs/ledger-format.md).

An entry's digest is SHA-256, in hexadecimal, over nine parts, each after its length in eight bytes: "mash-ledger-2",
reference, number, at, actor, act, detail, commitment, previous. `at` is in ISO 8601 with microseconds in UTC; `detail`
is JSON with keys sorted, no spaces, ASCII; `previous` is the digest of the entry before it in the same referral's
chain, or 64 zeros; numbers go 1, 2, 3 …
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC

from tests.crash.evidence import Evidence, Row, Violation

FIRST = "0" * 64


def digest(entry: Row) -> str:
    """What an entry's digest has to be."""
    moment = entry["at"].astimezone(UTC)
    at = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}+00:00"
    listed = [
        "mash-ledger-2", entry["reference"], str(entry["number"]), at, entry["actor"], entry["act"],
        json.dumps(entry["detail"], sort_keys=True, separators=(",", ":")), entry["commitment"], entry["previous"],
    ]  # fmt: skip
    hashed = hashlib.sha256()
    for part in listed:
        octets = part.encode()
        hashed.update(len(octets).to_bytes(8, "big"))
        hashed.update(octets)
    return hashed.hexdigest()


def broken_chains(evidence: Evidence) -> Iterator[Violation]:
    """INV11: dense, in one line, and true; the first bad entry of each chain is named."""
    for reference, chain in evidence.of("ledger").items():
        if fault := first_fault(chain):
            yield Violation("INV11", "chain", reference, fault)
    for reference in {row["reference"] for row in evidence.rows["referral"]} - evidence.of("ledger").keys():
        yield Violation("INV11", "chain", reference, "has no chain at all")


def first_fault(chain: list[Row]) -> str | None:
    """The first entry that does not follow from the one before it, in words; None for a whole chain."""
    previous = FIRST
    for number, entry in enumerate(chain, start=1):
        if entry["number"] != number:
            return f"entry {number} is missing, or there twice: {entry['number']} stands in its place"
        if entry["previous"] != previous:
            return f"entry {number} does not follow the one before it"
        if entry["digest"] != digest(entry):
            return f"entry {number} is not what was written"
        previous = entry["digest"]
    return None
