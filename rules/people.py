"""People as the rules see them: which side they belong to, how old they are, and their NHS number."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from stdnum.gb import nhs

ADULT_AT = 18


class Side(StrEnum):
    """Which side of safeguarding a subject belongs to."""

    CHILD = "child"
    ADULT = "adult"


def normalise_nhs_number(text: str) -> str:
    """An NHS number, typed with or without spaces or dashes, as its ten digits.

    Raises ValueError when it is not ten digits with the right check digit, or one digit ten times over, which passes
    the check but is what people type when they do not know the number. The message does not repeat what was typed.
    """
    digits = nhs.compact(text) if text.isascii() else ""
    if not nhs.is_valid(digits) or len(set(digits)) == 1:
        raise ValueError("not an NHS number: ten digits, of which the last is a check digit")
    return digits


def is_nhs_number(text: str) -> bool:
    """Whether `text` is an NHS number, however it is spaced."""
    try:
        normalise_nhs_number(text)
    except ValueError:
        return False
    return True


def age_on(date_of_birth: date, on: date) -> int:
    """Age in whole years on a date. Who was born on 29 February turns a year older on 1 March of other years.

    Raises ValueError for a date before the birth.
    """
    if on < date_of_birth:
        raise ValueError("not born yet on that date")
    had_birthday = (on.month, on.day) >= (date_of_birth.month, date_of_birth.day)
    return on.year - date_of_birth.year - (0 if had_birthday else 1)


def is_child(date_of_birth: date, on: date) -> bool:
    """Whether somebody is under eighteen on a date; an unborn child, known by the date it is expected, is one."""
    return on < date_of_birth or age_on(date_of_birth, on) < ADULT_AT
