"""Digests that only this hub can make: they find a row, or prove a token, and tell a thief of the database nothing."""

from __future__ import annotations

import hashlib
import hmac

from models.keyring import keyring


def keyed_digest(purpose: str, text: str) -> str:
    """HMAC-SHA256 of `text` under the hub's key for digests, in hexadecimal; each purpose has digests of its own."""
    return hmac.new(keyring().digests, f"{purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()


def digest_of(token: str) -> str:
    """SHA-256, in hexadecimal, of a token that is random enough to need no key."""
    return hashlib.sha256(token.encode()).hexdigest()
