"""Checkpoints: the heads of all chains at one moment, signed, in files outside the database (docs/ledger-format.md).

What a database's owner can do to a chain and leave it whole (cut it off, write it anew, put back an old backup) is seen
by comparing it with these. The key is never in the database.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlmodel import Session

from models.settings import settings
from rules.chain import GENESIS, Entry, Fault, Head, framed
from rules.errors import Misconfigured

FORMAT = "mash-checkpoint-1"
_NAME = re.compile(r"checkpoint-(\d{8})\.txt")
_HEAD = re.compile(r"([2-9B-Z]{4}-[2-9B-Z]{4}) ([1-9]\d{0,15}) ([0-9a-f]{64})", re.ASCII)
_TITLE = re.compile(FORMAT + r" (\d{1,8}) (\S{32}) ([0-9a-f]{64}) (\d{1,12})", re.ASCII)
_HEADS = """
SELECT r.reference, newest.number, newest.digest FROM referral r
CROSS JOIN LATERAL (SELECT number, digest FROM ledger l WHERE l.reference = r.reference ORDER BY number DESC LIMIT 1)
AS newest ORDER BY r.reference COLLATE "C"
"""
_NOT_AS_SIGNED = """
SELECT s.reference FROM unnest(CAST(:references AS text[]), CAST(:numbers AS bigint[]), CAST(:digests AS text[]))
AS s(reference, number, digest)
LEFT JOIN ledger l ON l.reference = s.reference AND l.number = s.number
WHERE l.digest IS DISTINCT FROM s.digest ORDER BY s.reference COLLATE "C"
"""


class Doubtful(ValueError):
    """A checkpoint that is not what the hub wrote. The message names the file, and what is wrong with it."""


@dataclass(frozen=True)
class Lost:
    """Entries of one chain that were signed and are not there: those of `first` to `last`."""

    reference: str
    first: int
    last: int


@dataclass
class Anchors:
    """What checkpoints have signed: for each referral the digests at some numbers, and in how many files."""

    heads: dict[str, dict[int, str]] = field(default_factory=dict)
    files: int = 0

    def references(self, only: str | None = None) -> list[str]:
        """The referrals that are signed, in their order; or the one that is asked for, if it is."""
        return sorted(self.heads) if only is None else [only] if only in self.heads else []

    def furthest(self, reference: str) -> int:
        """The highest number that is signed."""
        return max(self.heads[reference])

    def beyond(self, reached: Mapping[str, int], only: str | None = None) -> list[Lost]:
        """What is signed beyond the number that each chain has reached, in the order of references."""
        ends = ((reference, reached.get(reference, 0), self.furthest(reference)) for reference in self.references(only))
        return [Lost(reference, end + 1, signed) for reference, end, signed in ends if signed > end]

    def contradiction(self, entry: Entry) -> Fault | None:
        """The fault of an entry that is not the one that was signed under its number."""
        signed = self.heads.get(entry.reference, {})
        if signed.get(entry.number, entry.digest) == entry.digest:
            return None
        since = max((number for number in signed if number < entry.number), default=0)
        return Fault(entry.reference, entry.number, f"not what a checkpoint signed: written anew after entry {since}")


def signing_key() -> Ed25519PrivateKey:
    """The hub's signing key, from MASH_SIGNING_KEY or the file named in MASH_SIGNING_KEY_FILE. Raises Misconfigured."""
    given = settings()
    if given.signing_key is not None:
        text = given.signing_key.get_secret_value()
    elif given.signing_key_file is not None:
        text = given.signing_key_file.read_text(encoding="ascii").strip()
    else:
        raise Misconfigured("nothing to sign with: set MASH_SIGNING_KEY or MASH_SIGNING_KEY_FILE")
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text))
    except ValueError:
        raise Misconfigured("the signing key is not 32 bytes in base64") from None


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half, as those who check are given it."""
    return key.public_key().public_bytes_raw().hex()


def heads(session: Session) -> list[Head]:
    """The newest entry of every chain, at one moment, in the order of references."""
    return [Head(*row) for row in session.execute(sa.text(_HEADS))]


def write(folder: Path, found: list[Head], key: Ed25519PrivateKey, *, at: datetime) -> Path:
    """Write the next checkpoint of a folder. Raises Misconfigured when the folder cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _files(folder)
        number = _number(earlier[-1]) + 1 if earlier else 1
        previous = hashlib.sha256(earlier[-1].read_bytes()).hexdigest() if earlier else GENESIS
        title = f"{FORMAT} {number} {at.astimezone(UTC).isoformat(timespec='microseconds')} {previous} {len(found)}"
        body = "".join(f"{line}\n" for line in [title, *[f"{h.reference} {h.number} {h.digest}" for h in found]])
        signature = key.sign(framed(FORMAT.encode(), body.encode())).hex()
        return _put(folder / f"checkpoint-{number:08}.txt", f"{body}signature {signature}\n")
    except OSError as error:
        raise Misconfigured(f"{folder}: {error.strerror}") from None


def read(folder: Path, public: bytes) -> Anchors:
    """All that the checkpoints of a folder have signed. Raises Doubtful for the first that is not in order."""
    anchors, previous = Anchors(), GENESIS
    for number, file in enumerate(_files(folder), start=1):
        text = file.read_bytes()
        if _number(file) != number:
            raise Doubtful(f"checkpoint-{number:08}.txt is missing")
        _take(anchors, _verified(file.name, text, public), file.name, number, previous)
        previous = hashlib.sha256(text).hexdigest()
        anchors.files += 1
    return anchors


def newest(folder: Path, public: bytes) -> tuple[datetime, list[Head]] | None:
    """When the newest checkpoint of a folder was signed, and what it signed; None when there is none. Raises Doubtful.

    The checkpoints before it are left to `read`: this is the quick look.
    """
    if not (files := _files(folder)):
        return None
    lines = _verified(files[-1].name, files[-1].read_bytes(), public)
    if (title := _TITLE.fullmatch(lines[0])) is None:
        raise Doubtful(f"{files[-1].name}: is no checkpoint")
    return datetime.fromisoformat(title[2]), list(_heads(lines[1:], files[-1].name))


def not_as_signed(session: Session, signed: list[Head]) -> list[str]:
    """The referrals whose ledger does not hold the entry that was signed, in their order."""
    given = {
        "references": [head.reference for head in signed],
        "numbers": [head.number for head in signed],
        "digests": [head.digest for head in signed],
    }
    return list(session.execute(sa.text(_NOT_AS_SIGNED), given).scalars())


def signed_last(folder: Path) -> datetime | None:
    """When the newest checkpoint of a folder says that it was signed; None when there is none, or it does not say."""
    if not (earlier := _files(folder)):
        return None
    with earlier[-1].open(encoding="ascii") as opened:
        title = _TITLE.fullmatch(opened.readline().rstrip("\n"))
    return datetime.fromisoformat(title[2]) if title else None


def is_due(folder: Path, every: timedelta, *, at: datetime) -> bool:
    """Whether the newest checkpoint is older than that, by the time it was signed; or there is none."""
    signed = signed_last(folder)
    return signed is None or signed + every <= at


def _verified(name: str, text: bytes, public: bytes) -> list[str]:
    """The lines that are signed. Raises Doubtful."""
    body, _, last = text.removesuffix(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        signature = bytes.fromhex(last.decode("ascii").removeprefix("signature "))
        Ed25519PublicKey.from_public_bytes(public).verify(signature, framed(FORMAT.encode(), body))
        return body.decode("ascii").splitlines()
    except (InvalidSignature, ValueError):
        raise Doubtful(f"{name}: the signature is not this hub's") from None


def _take(anchors: Anchors, lines: list[str], name: str, number: int, previous: str) -> None:
    title = _TITLE.fullmatch(lines[0])
    if title is None or (int(title[1]), title[3], int(title[4])) != (number, previous, len(lines) - 1):
        raise Doubtful(f"{name}: does not follow from the checkpoint before it")
    for head in _heads(lines[1:], name):
        signed = anchors.heads.setdefault(head.reference, {})
        if signed.setdefault(head.number, head.digest) != head.digest or max(signed) > head.number:
            raise Doubtful(f"{name}: {head.reference} is not as an earlier checkpoint signed it")


def _heads(lines: list[str], name: str) -> Iterator[Head]:
    for line in lines:
        found = _HEAD.fullmatch(line)
        if found is None:
            raise Doubtful(f"{name}: a line is no head of a chain")
        yield Head(found[1], int(found[2]), found[3])


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("checkpoint-*.txt") if _NAME.fullmatch(file.name))


def _number(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _put(file: Path, text: str) -> Path:
    """Whole or not at all, and never in the place of another."""
    draft = file.with_suffix(f".{os.getpid()}")
    with draft.open("x", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    try:
        file.hardlink_to(draft)
    finally:
        draft.unlink()
    return file
