"""What stood on record about people before it was corrected, read from the formal record (R28, R41)."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from casework.ledger import Act
from models.ledger import LedgerContent, LedgerEntry


class Correction(NamedTuple):
    """One entry of a correction, and what was said in it: how it was, how it is now, and why."""

    entry: LedgerEntry
    said: dict[str, Any]


def corrections(session: Session, reference: str) -> dict[str, list[Correction]]:
    """The corrections of a referral by subject, S1, S2 …, the oldest first; what was erased is not there."""
    query = (
        select(LedgerEntry, LedgerContent)
        .join(
            LedgerContent,
            (col(LedgerContent.reference) == col(LedgerEntry.reference))
            & (col(LedgerContent.number) == col(LedgerEntry.number)),
        )
        .where(col(LedgerEntry.reference) == reference, col(LedgerEntry.act) == Act.DETAILS_CORRECTED)
        .order_by(col(LedgerEntry.number))
    )
    found: dict[str, list[Correction]] = defaultdict(list)
    for entry, content in session.exec(query):
        found[entry.detail["subject"]].append(Correction(entry, json.loads(content.content)))
    return found


def addresses(session: Session, reference: str) -> list[tuple[str, str]]:
    """The addresses before a correction, with whose they were: whoever lived there may live there still."""
    return [
        (subject, address)
        for subject, corrected in corrections(session, reference).items()
        for one in corrected
        if (address := one.said["was"]["address"])
    ]
