"""How far one item of a return may go: what its agency agreed to, and never further (R29, R45)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

#: The recipients of an item that its agency withholds.
NOBODY = "NOBODY"


class Reader(StrEnum):
    """Whom an item may reach."""

    MASH = "MASH"
    DUTY_TEAM = "DUTY_TEAM"
    AGENCIES = "AGENCIES"
    REFERRER = "REFERRER"


#: Whom each code of the set `recipients` lets in. A code that is not here lets in the MASH alone.
REACHES: Mapping[str, frozenset[Reader]] = {
    NOBODY: frozenset(),
    "MASH": frozenset({Reader.MASH}),
    "DUTY_TEAM": frozenset({Reader.MASH, Reader.DUTY_TEAM}),
    "AGENCIES": frozenset({Reader.MASH, Reader.DUTY_TEAM, Reader.AGENCIES}),
    "REFERRER": frozenset({Reader.MASH, Reader.DUTY_TEAM, Reader.REFERRER}),
}
THIRD_PARTY = "THIRD_PARTY"


def is_withheld(item: Mapping[str, Any]) -> bool:
    """Whether an item, as the record holds it, is kept by its agency: nobody else sees more than the reason."""
    return item.get("recipients") == NOBODY


def may_reach(item: Mapping[str, Any], reader: Reader) -> bool:
    """Whether an item, as the record holds it, may go to a reader; an item that does not say goes to the MASH alone.

    What a third party told never goes on to whoever told the duty team, whatever its agency ticked (R45).
    """
    if reader is Reader.REFERRER and item.get("kind") == THIRD_PARTY:
        return False
    return reader in REACHES.get(item.get("recipients", Reader.MASH), REACHES["MASH"])
