"""What every table shares: aware times, sealed text, and codes."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from models.settings import settings

_SEAL_VERSION = b"\x01"
_NONCE = 12


@cache
def _cipher() -> AESGCM:
    return AESGCM(base64.b64decode(settings().key.get_secret_value()))


def seal(text: str) -> bytes:
    """Encrypt free text for the record (R51): version byte, nonce, AES-256-GCM ciphertext."""
    nonce = os.urandom(_NONCE)
    return _SEAL_VERSION + nonce + _cipher().encrypt(nonce, text.encode(), _SEAL_VERSION)


def unseal(sealed: bytes) -> str:
    """The text that `seal` was given. Raises cryptography's InvalidTag when the bytes or the key are not the same."""
    version, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    return _cipher().decrypt(nonce, body, version).decode()


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
    "sealed_json",
    "sealed_text",
    "unseal",
]
