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


def person_digest(nhs_number: str | None) -> bytes | None:
    """By what a person is known again in a later referral (R60): a keyed digest of the NHS number; None without one."""
    return bytes.fromhex(keyed_digest("person", nhs_number.replace(" ", ""))) if nhs_number else None
