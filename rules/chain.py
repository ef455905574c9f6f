"""The format of the formal record: how entries are hashed, chained and checked (docs/ledger-format.md; R28, R51).

Pure: it knows neither the database nor the words of an act. `casework/pack/verify.py` says the same again, written from
the format's text alone, so that neither has to be trusted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

FORMAT = "mash-ledger-2"
CONTENT = "mash-content-1"
GENESIS = "0" * 64
#: Bytes of salt in a commitment: nobody can guess a name and see whether it was right.
SALT = 32

_LARGEST = 2**53 - 1
_DEEPEST = 16
_REFERENCE = re.compile(r"[2-9B-Z]{4}-[2-9B-Z]{4}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ENCODER = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Malformed(ValueError):
    """This is no entry of the ledger at all. The message names what is wrong, and repeats no value."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is hashed and as a file holds it. `at` is ISO 8601 in UTC with microseconds."""

    reference: str
    number: int
    at: str
    actor: str
    act: str
    detail: dict[str, Any]
    commitment: str
    previous: str
    digest: str

    def line(self) -> str:
        """The entry as one line of a ledger file, without its line feed."""
        return canonical(asdict(self))


@dataclass(frozen=True)
class Fault:
    """Where a chain is broken first: its referral, the number of the entry that should stand there, and why."""

    reference: str
    number: int
    why: str

    def __str__(self) -> str:
        return f"{self.reference or 'the file'}, entry {self.number}: {self.why}"


@dataclass(frozen=True)
class Head:
    """The newest entry of a chain."""

    reference: str
    number: int
    digest: str


def framed(*parts: bytes) -> bytes:
    """The parts in one, each after its length in eight bytes: no two lists of parts give the same bytes."""
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)])


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys in order, no spaces, ASCII."""
    return _ENCODER.encode(value)


def commitment_of(salt: bytes, content: bytes) -> str:
    """What an entry holds in place of content: whoever has salt and content can show that they belong to it."""
    return hashlib.sha256(framed(CONTENT.encode(), salt, content)).hexdigest()


def digest_of(entry: Entry) -> str:
    """What an entry's digest has to be: SHA-256, in hexadecimal, over the framed parts of everything else in it."""
    texts = (
        FORMAT, entry.reference, str(entry.number), entry.at, entry.actor, entry.act, canonical(entry.detail),
        entry.commitment, entry.previous,
    )  # fmt: skip
    return hashlib.sha256(framed(*[text.encode() for text in texts])).hexdigest()


def parse(line: bytes) -> Entry:
    """One line of a ledger file, without its line feed. Raises Malformed for whatever is not exactly in the form."""
    try:
        found = json.loads(line.decode("ascii"))
        if not isinstance(found, dict) or canonical(found).encode() != line:
            raise Malformed("the line is not in canonical form")
        return well_formed(Entry(**found))
    except Malformed:
        raise
    except (ValueError, TypeError, RecursionError):
        raise Malformed("the line is not an entry") from None


def well_formed(entry: Entry) -> Entry:
    """The entry itself. Raises Malformed when a field is not of the kind that the format gives it."""
    for name, right in (
        ("reference", _matches(_REFERENCE, entry.reference)),
        ("number", type(entry.number) is int and 0 < entry.number <= _LARGEST),
        ("at", _matches(_MOMENT, entry.at) and _is_moment(entry.at)),
        ("actor", _is_name(entry.actor)),
        ("act", _is_name(entry.act)),
        ("detail", type(entry.detail) is dict and _is_plain(entry.detail, _DEEPEST)),
        ("commitment", entry.commitment == "" or _matches(_DIGEST, entry.commitment)),
        ("previous", _matches(_DIGEST, entry.previous)),
        ("digest", _matches(_DIGEST, entry.digest)),
    ):
        if not right:
            raise Malformed(f"its {name} is not of the right kind")
    return entry


class Checker:
    """Checks entries one after the other: whole chains, in ascending order of their references. Keeps no entry."""

    def __init__(self) -> None:
        self.entries = 0
        self.chains = 0
        self.head: Head | None = None

    def take(self, entry: Entry) -> Fault | None:
        """The fault that this entry shows; None when it follows."""
        head = self.head
        if head is None or entry.reference != head.reference:
            if head is not None and entry.reference < head.reference:
                return Fault(head.reference, head.number + 1, "an entry of another referral stands in its place")
            self.chains += 1
            head = Head(entry.reference, 0, GENESIS)
        why = _broken(entry, head)
        self.head = Head(entry.reference, entry.number, entry.digest)
        self.entries += 1
        return Fault(head.reference, head.number + 1, why) if why else None

    def malformed(self, why: Malformed) -> Fault:
        """The fault of what is not an entry, in the place where the next should be."""
        return Fault(self.head.reference, self.head.number + 1, str(why)) if self.head else Fault("", 1, str(why))


def first_fault(entries: Iterable[Entry]) -> Fault | None:
    """The first fault of some chains, each entry of which is well formed or not; None when they are whole."""
    checker = Checker()
    for entry in entries:
        try:
            fault = checker.take(well_formed(entry))
        except Malformed as why:
            fault = checker.malformed(why)
        if fault:
            return fault
    return None


def check_file(lines: Iterator[bytes]) -> tuple[Checker, Fault | None]:
    """Check a ledger file, given line by line, each with its line feed."""
    checker = Checker()
    for line in lines:
        try:
            if not line.endswith(b"\n"):
                raise Malformed("the line is cut short")
            fault = checker.take(parse(line[:-1]))
        except Malformed as why:
            fault = checker.malformed(why)
        if fault:
            return checker, fault
    return checker, None


def _broken(entry: Entry, head: Head) -> str | None:
    if entry.number != head.number + 1:
        return f"missing, or out of its order: entry {entry.number} stands in its place"
    if entry.previous != head.digest:
        return "does not follow from the entry before it"
    return None if digest_of(entry) == entry.digest else "is not what was written"


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 60 and _is_text(value)


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if isinstance(value, str):
        return _is_text(value)
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    if kind is dict:
        return depth > 0 and all(_is_text(key) and _is_plain(each, depth - 1) for key, each in value.items())
    if kind is list:
        return depth > 0 and all(_is_plain(each, depth - 1) for each in value)
    return value is None or kind is bool
