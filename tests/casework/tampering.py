"""Chains made up for trials, and ways of tampering with them: each gives the rows, and where the first fault is."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from casework.ledger import Act
from rules.chain import GENESIS, Entry, commitment_of, digest_of
from rules.reference import new_reference

#: The rows after tampering, and the reference and number of the first fault.
Tampered = tuple[list[Entry], tuple[str, int]]
#: What a forger makes of one entry's fields.
Change = Callable[[random.Random, Entry], dict[str, Any]]
WORDS = ("Zoë", "Noël", "7", "POLICE", "a,b", "", "Ångström", '"', "\u2028")


def chains(chance: random.Random, count: int = 2, length: int = 12) -> list[Entry]:
    """Some whole chains, in the order of a ledger file."""
    references = sorted({new_reference(chance.choice) for _ in range(count)})
    return [entry for reference in references for entry in _chain(chance, reference, length)]


def _chain(chance: random.Random, reference: str, length: int) -> list[Entry]:
    made: list[Entry] = []
    at = datetime.fromisoformat("2026-03-16T10:00:00.000000+00:00")
    for number in range(1, length + 1):
        at += timedelta(microseconds=chance.randrange(1, 10**10))
        detail = {"agency": "POLICE", "version": chance.randrange(9), "word": "Zoë", "list": [chance.choice(WORDS), 1]}
        commitment = commitment_of(chance.randbytes(32), b"{}") if chance.random() < 0.5 else ""
        entry = Entry(
            reference, number, at.isoformat(timespec="microseconds"), chance.choice(["HUB", "rep-a", "Zoë"]),
            chance.choice(list(Act)), detail, commitment, made[-1].digest if made else GENESIS, "",
        )  # fmt: skip
        made.append(replace(entry, digest=digest_of(entry)))
    return made


def anew(entries: list[Entry], start: int) -> list[Entry]:
    """The rows from place `start` on with digests that follow: what somebody who knows the format would write."""
    out = list(entries)
    for place in range(start, len(out)):
        before = out[place - 1] if place and out[place - 1].reference == out[place].reference else None
        previous, number = (before.digest, before.number + 1) if before else (GENESIS, 1)
        linked = replace(out[place], previous=previous, number=number)
        out[place] = replace(linked, digest=digest_of(linked))
    return out


def _where(entry: Entry) -> tuple[str, int]:
    return entry.reference, entry.number


def _edited(
    change: Callable[[random.Random, Entry], dict[str, Any]],
) -> Callable[[random.Random, list[Entry]], Tampered]:
    def tamper(chance: random.Random, rows: list[Entry]) -> Tampered:
        place = chance.randrange(len(rows))
        forged = replace(rows[place], **change(chance, rows[place]))
        return [*rows[:place], forged, *rows[place + 1 :]], _where(rows[place])

    return tamper


def _at(chance: random.Random, entry: Entry) -> dict[str, Any]:
    moved = datetime.fromisoformat(entry.at) - timedelta(microseconds=chance.choice([1, 10**6, 864 * 10**8]))
    return {"at": moved.isoformat(timespec="microseconds")}


def _type(chance: random.Random, rows: list[Entry]) -> Tampered:
    """What is no entry at all has no reference: it stands where the one after its predecessor should."""
    place = chance.randrange(len(rows))
    was = rows[place].detail["version"]
    version = chance.choice([str(was), float(was), [was], None])
    forged = replace(rows[place], detail={**rows[place].detail, "version": version})
    where = _where(rows[place])
    if isinstance(version, float) and rows[place].number == 1:
        where = (rows[place - 1].reference, rows[place - 1].number + 1) if place else ("", 1)
    return [*rows[:place], forged, *rows[place + 1 :]], where


def _boundary(chance: random.Random, entry: Entry) -> dict[str, Any]:
    return chance.choice([
        {"actor": entry.actor + entry.act[0], "act": entry.act[1:]},
        {"actor": entry.actor + str(entry.number), "act": entry.act},
        {"act": entry.act + "{", "detail": entry.detail},
    ])  # fmt: skip


def _composed(chance: random.Random, entry: Entry) -> dict[str, Any]:
    return {"detail": {**entry.detail, "word": unicodedata.normalize("NFD", entry.detail["word"])}}


def _digit(chance: random.Random, entry: Entry) -> dict[str, Any]:
    name = chance.choice(["previous", "digest"])
    digits, place = getattr(entry, name), chance.randrange(64)
    other = chance.choice([c for c in "0123456789abcdef" if c != digits[place]])
    return {name: digits[:place] + other + digits[place + 1 :]}


def _rehashed(chance: random.Random, rows: list[Entry]) -> Tampered:
    """The one row has the right digest for what it says now, so the next no longer follows from it."""
    place = chance.choice([n for n, row in enumerate(rows[:-1]) if rows[n + 1].reference == row.reference])
    forged = replace(rows[place], actor="somebody")
    forged = replace(forged, digest=digest_of(forged))
    return [*rows[:place], forged, *rows[place + 1 :]], _where(rows[place + 1])


def _deleted(chance: random.Random, rows: list[Entry]) -> Tampered:
    place = chance.choice([n for n, row in enumerate(rows[:-1]) if rows[n + 1].reference == row.reference])
    return [*rows[:place], *rows[place + 1 :]], _where(rows[place])


def _inserted(chance: random.Random, rows: list[Entry]) -> Tampered:
    place = chance.choice([n for n, row in enumerate(rows) if row.number > 1])
    before = rows[place - 1]
    new = replace(rows[place], previous=before.digest, act="DECIDED", actor="somebody")
    return [*rows[:place], replace(new, digest=digest_of(new)), *rows[place:]], (before.reference, before.number + 2)


def _doubled(chance: random.Random, rows: list[Entry]) -> Tampered:
    place = chance.randrange(len(rows))
    return [*rows[: place + 1], *rows[place:]], (rows[place].reference, rows[place].number + 1)


def _reordered(chance: random.Random, rows: list[Entry]) -> Tampered:
    place = chance.choice([n for n, row in enumerate(rows[:-1]) if rows[n + 1].reference == row.reference])
    return [*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]], _where(rows[place])


def _between_cases(chance: random.Random, rows: list[Entry]) -> Tampered:
    """Two referrals' entries of the same number change places, each under the other's reference."""
    number = chance.randrange(1, 13)
    one, other = [n for n, row in enumerate(rows) if row.number == number]
    out = list(rows)
    out[one] = replace(rows[other], reference=rows[one].reference)
    out[other] = replace(rows[one], reference=rows[other].reference)
    return out, _where(rows[one])


#: Every kind of S-22.
KINDS: dict[str, Callable[[random.Random, list[Entry]], Tampered]] = {
    "edited": _edited(lambda chance, entry: {"detail": {**entry.detail, "agency": "CAMHS"}}),
    "actor swapped": _edited(lambda chance, entry: {"actor": "rep-b"}),
    "act changed": _edited(lambda chance, entry: {"act": "DECIDED" if entry.act != "DECIDED" else "CLOSED"}),
    "back-dated": _edited(_at),
    "composed otherwise": _edited(_composed),
    "a boundary shifted": _edited(_boundary),
    "a type changed": _type,
    "a commitment changed": _edited(lambda chance, entry: {"commitment": "f" * 64}),
    "a digit changed": _edited(_digit),
    "rehashed alone": _rehashed,
    "deleted": _deleted,
    "inserted": _inserted,
    "doubled": _doubled,
    "reordered": _reordered,
    "swapped between cases": _between_cases,
}
