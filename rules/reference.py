"""The one name of a referral that may leave the record: random, opaque, easy to read out on the telephone."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from stdnum.iso7064 import mod_37_36

#: No vowels (no words arise), no 0, 1, I, L, O (they look alike). Its 28 characters make N + 1 a prime, 29, on which
#: the strength of ISO 7064's hybrid check rests.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 7


def new_reference(choose: Callable[[str], str] = secrets.choice) -> str:
    """A fresh reference such as `7KQ2-XW9S`: seven random characters and a check character.

    `choose` picks one character out of a text. There are 28**7 (13 thousand million) references, so whoever stores
    one must still meet the rare double.
    """
    body = "".join(choose(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return _written(body + mod_37_36.calc_check_digit(body, alphabet=ALPHABET))


def is_reference(text: str) -> bool:
    """Whether `text` is a reference exactly as the hub writes it, `XXXX-XXXX`, with the right check character."""
    try:
        return normalise(text) == text
    except ValueError:
        return False


def normalise(text: str) -> str:
    """A reference as people type it (lower case, spaces, no dash) in the way the hub writes it.

    Raises ValueError when it cannot be one. Any single wrong character is noticed, and 99.7 % of the swaps of two
    different neighbours (754 of 756); the message does not repeat what was typed.
    """
    characters = "".join(text.split()).replace("-", "").upper()
    if len(characters) != RANDOM_CHARACTERS + 1 or not mod_37_36.is_valid(characters, alphabet=ALPHABET):
        raise ValueError("not a reference: eight characters such as 7KQ2-XW9S, of which the last is a check")
    return _written(characters)


def _written(characters: str) -> str:
    return f"{characters[:4]}-{characters[4:]}"
