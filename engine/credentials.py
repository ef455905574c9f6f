"""The passwords and the key that one installation made for itself, kept in `secrets.json`."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from rules.errors import Misconfigured

FILE = "secrets.json"
_KEYS = ("key", "signing_key")


@dataclass(frozen=True)
class Credentials:
    """What the parts of one installation show each other. Never printed: `repr` says nothing.

    `key` seals free text; after it, by commas, stand older ones that still open what they sealed.
    """

    postgres: str
    mash_owner: str
    mash_app: str
    prefect: str
    operator: str
    key: str
    signing_key: str = ""
    #: Set once `key` is not what digests were made with: after `mash keys rotate`.
    digest_key: str = ""
    #: Of the role that reads the figures alone.
    mash_analyst: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


def load_or_create(home: Path) -> Credentials:
    """The credentials of this home folder; random ones are made the first time.

    Raises Misconfigured when the file is there but cannot be used, or is gone while the data it opens is still there.
    """
    file = home / FILE
    if file.exists():
        return _load(file)
    if (home / "postgres").exists():
        raise Misconfigured(
            f"{file} is missing but {home / 'postgres'} has data sealed with it: put {FILE} back from a backup."
        )
    made = Credentials(
        **{name: secrets.token_urlsafe(32) for name in _passwords()}, **{name: _random_key() for name in _KEYS}
    )
    write_private(file, json.dumps(asdict(made), indent=2))
    return made


def _load(file: Path) -> Credentials:
    try:
        found = Credentials(**json.loads(file.read_text()))
    except (ValueError, TypeError):
        raise Misconfigured(f"{file} is damaged: put it back from a backup.") from None
    # Made by a version that signed nothing, or had no figures.
    if not (found.signing_key and found.mash_analyst):
        found = replace(
            found,
            signing_key=found.signing_key or _random_key(),
            mash_analyst=found.mash_analyst or secrets.token_urlsafe(32),
        )
        write_private(file, json.dumps(asdict(found), indent=2))
    return found


def _passwords() -> list[str]:
    return [field.name for field in fields(Credentials) if field.name not in {*_KEYS, "digest_key"}]


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, so that it is there either whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
