"""Digests that only this hub can make: they find a row, or prove a token, and tell a thief of the database nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac

from models.settings import settings


def keyed_digest(purpose: str, text: str) -> str:
    """HMAC-SHA256 of `text` under the hub's key, in hexadecimal; each purpose has digests of its own."""
    key = base64.b64decode(settings().key.get_secret_value())
    return hmac.new(key, f"{purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()


def digest_of(token: str) -> str:
    """SHA-256, in hexadecimal, of a token that is random enough to need no key."""
    return hashlib.sha256(token.encode()).hexdigest()
