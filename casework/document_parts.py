"""What documents are made of: lines, texts and codes with their limits, and the manners that all of them keep."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from rules.people import normalise_nhs_number
from rules.reference import normalise


def _printable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds characters that cannot be stored")
    return text


def _nhs_number(text: str) -> str:
    try:
        return normalise_nhs_number(text)
    except ValueError:
        raise ValueError("is not an NHS number: ten digits, of which the last is a check digit") from None


def _reference(text: str) -> str:
    try:
        return normalise(text)
    except ValueError:
        raise ValueError("is not a reference: two groups of four, such as 7KQ2-XW9S") from None


def _born(born_on: date) -> date:
    if not date(1890, 1, 1) <= born_on:
        raise ValueError("is too long ago")
    return born_on


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_printable)
]
#: An id in the sender's own system. A length of its own: one laid over `Line` by a Field would not hold.
OwnId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_printable)
]
Reference = Annotated[str, AfterValidator(_reference)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(_printable)]
NhsNumber = Annotated[str, AfterValidator(_nhs_number)]
BornOn = Annotated[date, AfterValidator(_born)]


class Document(BaseModel):
    """The manners of every document: nothing unknown, nothing echoed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
