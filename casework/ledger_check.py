"""Whether the formal record is whole: each chain from its first entry, and against what was signed outside (R28)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from casework.checkpoints import Anchors, Lost, heads
from rules.chain import Checker, Entry, Fault, Head, Malformed, well_formed

#: As text, moments and details too: whatever somebody has put there can be looked at.
_ENTRIES = """
SELECT reference, number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), actor, act,
    detail::text, commitment, previous, digest
FROM ledger WHERE CAST(:only AS text) IS NULL OR reference = :only ORDER BY reference COLLATE "C", number, id
"""
_WITHOUT = """
SELECT min(r.reference COLLATE "C") FROM referral r
WHERE (CAST(:only AS text) IS NULL OR r.reference = :only)
AND NOT EXISTS (SELECT FROM ledger l WHERE l.reference = r.reference)
"""
#: Entries fetched at once: a million are never held together.
_BATCH = 5000


@dataclass(frozen=True)
class Verdict:
    """What was looked at, and the first fault; `checkpoints` counts the signed files it was compared with.

    `lost` names the entries that were signed and lie beyond the end of their chain: all that a backup which was put
    back does not hold, as far as the newest checkpoint knew.
    """

    entries: int
    chains: int
    checkpoints: int
    fault: Fault | None
    lost: tuple[Lost, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def verify(session: Session, reference: str | None = None, anchors: Anchors | None = None) -> Verdict:
    """Check one referral's chain, or all, and that each still holds what the checkpoints have signed.

    The first fault is the first in the order of references. Reads the ledger once, as it stands at one moment.
    """
    checker, anchors = Checker(), anchors or Anchors()
    signed = anchors.references(reference)
    fault = _walk(checker, session, reference, anchors, signed) or _without_chain(session, reference)
    lost = _lost(session, reference, anchors) if fault else ()
    return Verdict(checker.entries, checker.chains, anchors.files, fault, lost)


def _lost(session: Session, only: str | None, anchors: Anchors) -> tuple[Lost, ...]:
    return tuple(anchors.beyond({head.reference: head.number for head in heads(session)}, only))


def _walk(checker: Checker, session: Session, only: str | None, anchors: Anchors, signed: list[str]) -> Fault | None:
    """One pass over the entries and over what is signed, both in the order of references."""
    awaited = deque(signed)
    with closing(_entries(session, only)) as entries:
        for entry in entries:
            if fault := _ended_before(entry.reference, checker.head, awaited, anchors):
                return fault
            if fault := _step(checker, entry) or anchors.contradiction(entry):
                return fault
    return _ended_before(None, checker.head, awaited, anchors)


def _ended_before(following: str | None, head: Head | None, awaited: deque[str], anchors: Anchors) -> Fault | None:
    """Whether a chain that should be over by now lacks its end, or is not there at all."""
    while awaited and (following is None or awaited[0] < following):
        reference = awaited.popleft()
        reached = head.number if head and head.reference == reference else 0
        if anchors.furthest(reference) > reached:
            return Fault(reference, reached + 1, "missing: a checkpoint has signed this chain as longer")
    return None


def _step(checker: Checker, entry: Entry) -> Fault | None:
    try:
        return checker.take(well_formed(entry))
    except Malformed as why:
        head = checker.head
        number = head.number + 1 if head and head.reference == entry.reference else 1
        return Fault(entry.reference, number, str(why))


def _entries(session: Session, only: str | None) -> Generator[Entry]:
    streamed = {"stream_results": True, "max_row_buffer": _BATCH}
    found = session.execute(sa.text(_ENTRIES), {"only": only}, execution_options=streamed)
    with closing(found):
        for reference, number, at, actor, act, detail, commitment, previous, digest in found:
            yield Entry(reference, number, at or "", actor, act, _parsed(detail), commitment, previous, digest)


def _parsed(detail: str) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads(detail)
    except (ValueError, RecursionError):
        # Not of the right kind, whatever it is: the check of the entry says so.
        return {"": 0.5}
    return found


def _without_chain(session: Session, only: str | None) -> Fault | None:
    lost = session.execute(sa.text(_WITHOUT), {"only": only}).scalar()
    return Fault(lost, 1, "missing: the referral has no chain at all") if lost else None
