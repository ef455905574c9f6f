"""The keys that seal free text: which one seals now, and which ones still open what is there (decision 7).

They come from a file or from the environment, never from the database. A file is read again once it changes, so that
every process of a running hub seals with a new key from its next value on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.settings import settings
from rules.errors import Misconfigured

_DIGESTS = "digests:"
ID_LENGTH = 4


@dataclass(frozen=True)
class Keyring:
    """Keys by their ids, the one that seals first; and the one that digests are made with, which is never changed."""

    ciphers: dict[bytes, AESGCM]
    digests: bytes = field(repr=False)

    @property
    def newest(self) -> bytes:
        """The id of the key that seals."""
        return next(iter(self.ciphers))

    def named(self, key_id: bytes) -> AESGCM:
        """The key of this id. Raises InvalidTag when it is not here."""
        try:
            return self.ciphers[key_id]
        except KeyError:
            raise InvalidTag from None


def keyring() -> Keyring:
    """The keys as they stand now. Raises Misconfigured for a key file that cannot be used."""
    file = settings().key_file
    if file is None:
        key, digests = settings().key, settings().digest_key
        return _made(
            tuple((key.get_secret_value() if key else "").split(",")), digests.get_secret_value() if digests else ""
        )
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise Misconfigured(f"the file of sealing keys: {error.strerror}") from None


def key_id(key: bytes) -> bytes:
    """What a sealed value says of its key: it tells keys apart, and tells nothing of them."""
    return hashlib.sha256(b"mash-key-id\x00" + key).digest()[:ID_LENGTH]


def raw_keys(text: str) -> dict[bytes, bytes]:
    """The keys of a key file by their ids, the newest first. Raises Misconfigured for one that is not base64."""
    return {key_id(raw): raw for raw in map(_decoded, keys_in(text)[0])}


def keys_in(text: str) -> tuple[tuple[str, ...], str]:
    """Of a key file the keys, newest first, and the key for digests, when it has one of its own.

    One key a line; or the `secrets.json` of an installation that made its keys itself.
    """
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        return tuple(found["key"].split(",")), found.get("digest_key", "")
    rows = [line.strip() for line in text.splitlines() if line.strip()]
    keys = tuple(line for line in rows if not line.startswith(_DIGESTS))
    return keys, next((line.removeprefix(_DIGESTS).strip() for line in rows if line.startswith(_DIGESTS)), "")


def with_keys(text: str, keys: tuple[str, ...], digests: str) -> str:
    """The same file with these keys."""
    if text.lstrip().startswith("{"):
        return json.dumps(json.loads(text) | {"key": ",".join(keys), "digest_key": digests}, indent=2)
    return "\n".join([*keys, f"{_DIGESTS} {digests}", ""])


@cache
def _read(file: Path, _changed: int) -> Keyring:
    return _made(*keys_in(file.read_text()))


@cache
def _made(keys: tuple[str, ...], digests: str) -> Keyring:
    raw = [_decoded(key) for key in keys]
    # Digests made before there was a key of their own are of the first key that there was.
    return Keyring({key_id(key): AESGCM(key) for key in raw}, _decoded(digests) if digests else raw[-1])


def _decoded(key: str) -> bytes:
    try:
        return base64.b64decode(key.strip(), validate=True)
    except binascii.Error:
        raise Misconfigured("a sealing key is not base64") from None
