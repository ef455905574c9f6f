"""The formal record: append-only, one hash chain for each referral (R28, architecture §5)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import moment, reference_column

GENESIS = "0" * 64


class LedgerEntry(SQLModel, table=True):
    """One act: who, when, what, in codes; content only as the digest of what was written."""

    __tablename__ = "ledger"
    __table_args__ = (UniqueConstraint("reference", "number", name="ledger_number_once"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    reference: str = reference_column()
    number: int
    at: datetime = moment()
    actor: str = Field(max_length=60)
    act: str = Field(max_length=60, index=True)
    detail: dict[str, Any] = Field(sa_type=JSONB)
    previous: str = Field(max_length=64)
    digest: str = Field(max_length=64)

    def compute_digest(self) -> str:
        """SHA-256, in hexadecimal, over the canonical JSON of everything in the entry but its own digest."""
        body = [
            "mash-ledger-1",
            self.reference,
            self.number,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor,
            self.act,
            self.detail,
            self.previous,
        ]
        canonical = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
