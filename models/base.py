"""What every table shares: aware times, sealed text, and codes."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from models.keyring import ID_LENGTH, Keyring, keyring

_BEFORE_KEY_IDS, _SEAL_VERSION = b"\x01", b"\x02"
_NONCE = 12


def seal(text: str) -> bytes:
    """Encrypt free text for the record (R51): version byte, key id, nonce, AES-256-GCM ciphertext."""
    keys, nonce = keyring(), os.urandom(_NONCE)
    head = seal_of(keys.newest)
    return head + nonce + keys.named(keys.newest).encrypt(nonce, text.encode(), head)


def unseal(sealed: bytes, keys: Keyring | None = None) -> str:
    """The text that `seal` was given. Raises cryptography's InvalidTag when the bytes or the key are not the same.

    Whoever opens thousands at once hands in the keys: to ask whether their file changed takes longer than to open one.
    """
    keys = keys or keyring()
    if sealed[:1] == _BEFORE_KEY_IDS:
        return _unseal_by_any(keys, sealed)
    head, rest = sealed[: 1 + ID_LENGTH], sealed[1 + ID_LENGTH :]
    return keys.named(head[1:]).decrypt(rest[:_NONCE], rest[_NONCE:], head).decode()


def seal_of(key: bytes) -> bytes:
    """What every value begins with that was sealed with the key of this id."""
    return _SEAL_VERSION + key


def _unseal_by_any(keys: Keyring, sealed: bytes) -> str:
    """Values from before keys had ids say nothing of theirs; the oldest key is the likeliest."""
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    for cipher in reversed(keys.ciphers.values()):
        with suppress(InvalidTag):
            return cipher.decrypt(nonce, body, _BEFORE_KEY_IDS).decode()
    raise InvalidTag


class SealedText(TypeDecorator[str]):
    """Free text about people: readable only with the hub's key, whatever copy of the database one holds.

    No bytes at all are what erasure leaves in place of text (migration 0018).
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unseal(bytes(value)) if value else ""


class SealedJson(TypeDecorator[Any]):
    """A sealed JSON document. Replace it whole: a change inside is not seen. Erased, it is an empty list."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(unseal(bytes(value))) if value else []


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


def moment(*, nullable: bool = False, index: bool = False) -> Any:
    """A column for an aware time."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=DateTime(timezone=True), nullable=nullable, index=index)


def sealed_text(*, nullable: bool = False) -> Any:
    """A column for free text about people."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=SealedText, nullable=nullable)


def sealed_json(*, nullable: bool = False) -> Any:
    """A column for a sealed JSON document."""
    default: Any = None if nullable else ...
    return Field(default=default, sa_type=SealedJson, nullable=nullable)


def code(*, max_length: int = 40, nullable: bool = False, **more: Any) -> Any:
    """A column for a code of the profile or of a code set."""
    if nullable:
        more.setdefault("default", None)
    return Field(max_length=max_length, nullable=nullable, **more)


def reference_column() -> Any:
    """A column that names the referral a row belongs to."""
    return Field(foreign_key="referral.reference", index=True, max_length=9)


__all__ = [
    "SealedJson",
    "SealedText",
    "code",
    "datetime",
    "moment",
    "new_id",
    "reference_column",
    "seal",
    "seal_of",
    "sealed_json",
    "sealed_text",
    "unseal",
]
