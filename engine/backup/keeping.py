"""Putting the whole record into one file, and an empty record out of it again (F29, issue 7 item 4)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from pathlib import Path

import psycopg
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlmodel import Session

import migrations
from casework import checkpoints, upkeep
from casework.db import real_time, unit_of_work
from engine.backup import programs, vault
from engine.backup.vault import Damaged
from engine.credentials import FILE
from engine.databases import plain
from models.keyring import raw_keys
from rules.errors import Misconfigured, Refused, Unavailable

#: Longer than any first line that a hub writes: a hundred thousand chains in its checkpoint.
_LONGEST_LINE = 64 << 20
_CHECKPOINT = "checkpoint-00000001.txt"


class Manifest(BaseModel):
    """What a backup says of itself, before its dump. `checkpoint` was signed just before (docs/ledger-format.md)."""

    model_config = ConfigDict(frozen=True)

    made_at: datetime
    release: str
    server: str
    chains: int
    checkpoint: str
    public_key: str


def sealing_keys(home: Path) -> dict[bytes, bytes]:
    """The keys that seal the record's text, by their ids: from MASH_KEY_FILE, MASH_KEY or the home folder.

    Raises Misconfigured when there are none.
    """
    if "MASH_KEY_FILE" not in os.environ and "MASH_KEY" in os.environ:
        return raw_keys("\n".join(os.environ["MASH_KEY"].split(",")))
    file = Path(os.environ.get("MASH_KEY_FILE", home / FILE))
    try:
        return raw_keys(file.read_text())
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}: put the keys back first, they are not in a backup") from None


def keep(file: Path, owner_url: str, keys: dict[bytes, bytes]) -> Manifest:
    """Write the whole record to a new file, and read it again to its end before it gets its name.

    The newest key encrypts it. Raises Refused when the file is there already, Unavailable when the record is not.
    """
    if file.exists():
        raise Refused(f"{file} is there already: nothing is overwritten")
    if not file.parent.is_dir():
        raise Refused(f"{file.parent} is no folder")
    key, manifest = next(iter(keys.values())), _manifest()
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        vault.write(draft, chain([manifest.model_dump_json().encode() + b"\n"], programs.dump(owner_url)), key)
        programs.check(_opened(draft, key)[1])
        file.hardlink_to(draft)
    except FileExistsError:
        raise Refused(f"{file} is there already: nothing is overwritten") from None
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def look(file: Path, keys: dict[bytes, bytes]) -> Manifest:
    """What a backup says of itself. Raises Damaged, Refused, and Misconfigured when its key is not here."""
    return _opened(file, _key(file, keys))[0]


def put_back(file: Path, owner_url: str, keys: dict[bytes, bytes]) -> list[str]:
    """Fill the empty record at `owner_url` from a backup, all or nothing, and bring its tables up to this release.

    Gives the referrals whose ledger is not as the backup's own checkpoint signed it: none, unless somebody changed it.
    Raises Refused when the record is not empty, or the backup is of a newer release or damaged.
    """
    manifest, dump = _opened(file, _key(file, keys))
    newest = migrations.head()
    if newest is not None and manifest.release > newest:
        raise Refused(f"{file} is of a newer release ({manifest.release}; this is {newest}): restore it with that one")
    _require_empty(owner_url)
    programs.restore(owner_url, dump)
    migrations.upgrade(owner_url)
    return _not_as_signed(owner_url, manifest)


def _manifest() -> Manifest:
    key = checkpoints.signing_key()
    with unit_of_work() as session, tempfile.TemporaryDirectory() as folder:
        heads, at = checkpoints.heads(session), real_time(session)
        return Manifest(
            made_at=at, release=upkeep.release_of_tables(session) or "", server=upkeep.version_of_server(session),
            chains=len(heads), checkpoint=checkpoints.write(Path(folder), heads, key, at=at).read_text(),
            public_key=checkpoints.public_hex(key),
        )  # fmt: skip


def _key(file: Path, keys: dict[bytes, bytes]) -> bytes:
    wanted = vault.key_of(file)
    try:
        return keys[wanted]
    except KeyError:
        raise Misconfigured(
            f"{file} was encrypted with key {wanted.hex()}, which is not here: put the keys of that hub back first"
        ) from None


def _opened(file: Path, key: bytes) -> tuple[Manifest, Iterator[bytes]]:
    """The manifest, and the dump behind it."""
    pieces, line = vault.read(file, key), bytearray()
    for piece in pieces:
        line += piece
        if b"\n" in line or len(line) > _LONGEST_LINE:
            break
    first, _, rest = bytes(line).partition(b"\n")
    with suppress(ValidationError):
        return Manifest.model_validate_json(first), chain([rest], pieces)
    raise Damaged(f"{file} does not say what it is a backup of")


def _require_empty(owner_url: str) -> None:
    there = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))"
    address = plain(owner_url)
    try:
        with psycopg.connect(address, connect_timeout=5) as owner:
            found = owner.execute(there).fetchone()
    except psycopg.OperationalError:
        raise Unavailable("the record's database does not answer") from None
    if found and found[0]:
        raise Refused("the record is not empty: a backup is put into a new home folder, or a new database")


def _not_as_signed(owner_url: str, manifest: Manifest) -> list[str]:
    owner = sa.create_engine(owner_url, hide_parameters=True, poolclass=sa.NullPool)
    with tempfile.TemporaryDirectory() as folder, Session(owner) as session:
        (Path(folder) / _CHECKPOINT).write_text(manifest.checkpoint)
        signed = checkpoints.newest(Path(folder), bytes.fromhex(manifest.public_key))
        return checkpoints.not_as_signed(session, signed[1] if signed else [])
