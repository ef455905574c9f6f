"""The formal record: append-only, one hash chain for each referral (R28, architecture §5, docs/ledger-format.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import moment, reference_column, sealed_text
from rules import chain
from rules.chain import GENESIS

__all__ = ["GENESIS", "LedgerContent", "LedgerEntry"]


class LedgerEntry(SQLModel, table=True):
    """One act: who, when, what, in codes; of its content a salted commitment alone."""

    __tablename__ = "ledger"
    __table_args__ = (UniqueConstraint("reference", "number", name="ledger_number_once"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    reference: str = reference_column()
    number: int
    at: datetime = moment()
    actor: str = Field(max_length=60)
    act: str = Field(max_length=60, index=True)
    detail: dict[str, Any] = Field(sa_type=JSONB)
    #: Of the content of this act; empty when it had none.
    commitment: str = Field(default="", max_length=64)
    previous: str = Field(max_length=64)
    digest: str = Field(max_length=64)

    def compute_digest(self) -> str:
        """The digest that the format gives this entry (docs/ledger-format.md)."""
        return chain.digest_of(self.as_entry())

    def as_entry(self) -> chain.Entry:
        """The entry as a ledger file holds it."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return chain.Entry(
            self.reference, self.number, at, self.actor, self.act, self.detail, self.commitment, self.previous,
            self.digest,
        )  # fmt: skip


class LedgerContent(SQLModel, table=True):
    """What an entry is committed to, and the salt. Erased under the retention rule, while the chain stays whole."""

    __tablename__ = "ledger_content"
    __table_args__ = (
        ForeignKeyConstraint(
            ["reference", "number"], ["ledger.reference", "ledger.number"], name="ledger_content_has_its_entry"
        ),
    )

    reference: str = Field(primary_key=True, max_length=9)
    number: int = Field(primary_key=True)
    #: In hexadecimal, and sealed: whoever holds a salt can try names against the commitment.
    salt: str = sealed_text()
    content: str = sealed_text()
