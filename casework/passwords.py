"""Passwords: long enough, not one that everybody uses, and kept as Argon2 hashes alone (R46)."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from zxcvbn import zxcvbn

from rules.errors import FieldError, NotAcceptable

SHORTEST = 12
LONGEST = 128
#: What zxcvbn reads of a password: its time grows with the square of the length.
_SCREENED = 64
#: zxcvbn's scale is 0 to 4; 3 withstands ten thousand million guesses.
_STRONG = 3


def check_acceptable(password: str, *own_words: str) -> None:
    """Refuse a password that is short, common, or made of the person's own words. Raises NotAcceptable."""
    if len(password) < SHORTEST:
        problem = f"use at least {SHORTEST} characters; three or four words that do not belong together do well"
    elif len(password) > LONGEST:
        problem = f"use at most {LONGEST} characters"
    elif "\x00" in password or zxcvbn(password[:_SCREENED], list(own_words))["score"] < _STRONG:
        problem = "this one is too easy to guess: choose words that do not belong together"
    else:
        return
    raise NotAcceptable(FieldError("/password", problem))


def hash_password(password: str) -> str:
    """The Argon2id hash of a password, with its salt and parameters."""
    return _hasher().hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is the kept one. Takes as long when there is none, so that its absence cannot be heard."""
    try:
        return _hasher().verify(kept or _nobodys(), password[: LONGEST + 1]) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("the password of nobody")
