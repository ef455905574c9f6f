"""A file that is encrypted piece by piece, so that a record of any size passes through little memory.

It begins with a title line, the id of the sealing key and a salt; each file has a key of its own, derived from both.
Then come pieces of AES-256-GCM, each under the next number, the last one marked as the last: none can be changed, left
out, put elsewhere or cut off unnoticed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.keyring import ID_LENGTH, key_id
from rules.errors import Refused

TITLE = b"mash-backup-1\n"
PIECE = 1 << 20
_SALT, _TAG = 32, 16


class Damaged(Refused):
    """The file is not one that `mash backup` wrote, or not whole any more."""


def write(file: Path, content: Iterable[bytes], key: bytes) -> None:
    """Write a new file that only its owner may read. Raises FileExistsError; leaves nothing behind when it fails."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            salt = secrets.token_bytes(_SALT)
            out.write(TITLE + key_id(key) + salt)
            cipher, number, held = _cipher(key, salt), 0, b""
            for piece in _pieces(content):
                if held:
                    out.write(cipher.encrypt(_nonce(number, last=False), held, None))
                    number += 1
                held = piece
            out.write(cipher.encrypt(_nonce(number, last=True), held, None))
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        file.unlink()
        raise


def key_of(file: Path) -> bytes:
    """The id of the sealing key that a file needs. Raises Damaged, or Refused when there is no such file."""
    with _opened(file) as source:
        return _head(file, source)[0]


def read(file: Path, key: bytes) -> Iterator[bytes]:
    """What was written, piece by piece. Raises Damaged as soon as something is not as it was written."""
    with _opened(file) as source:
        _, salt = _head(file, source)
        cipher, number = _cipher(key, salt), 0
        piece = source.read(PIECE + _TAG)
        while piece:
            following = source.read(PIECE + _TAG)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), piece, None)
            except InvalidTag:
                raise Damaged(f"{file} is damaged or cut off, from byte {number * PIECE} of what it holds") from None
            piece, number = following, number + 1
        if not number:
            raise Damaged(f"{file} is cut off")


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None


def _head(file: Path, source: BinaryIO) -> tuple[bytes, bytes]:
    head = source.read(len(TITLE) + ID_LENGTH + _SALT)
    if not head.startswith(TITLE) or len(head) < len(TITLE) + ID_LENGTH + _SALT:
        raise Damaged(f"{file} is no file of `mash backup`")
    return head[len(TITLE) : -_SALT], head[-_SALT:]


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, TITLE).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size, the last one perhaps smaller."""
    held = bytearray()
    for part in content:
        held += part
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)
