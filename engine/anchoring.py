"""When checkpoints of the ledger are written, and the ledger compared with them."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from casework import checkpoints
from casework.checkpoints import Anchors
from casework.db import real_time, unit_of_work
from casework.ledger_check import Verdict, verify
from models.settings import settings
from rules.errors import Misconfigured

log = logging.getLogger("mash.timekeeper")


def folder() -> Path:
    """Where checkpoints go. Raises Misconfigured when nobody has said."""
    if (named := settings().checkpoints) is None:
        raise Misconfigured("no place for checkpoints: set MASH_CHECKPOINTS to a folder outside the database")
    return named


def write_now() -> Path:
    """Write a checkpoint of all chains as they stand; its file. Raises Misconfigured or Unavailable."""
    with unit_of_work() as session:
        return checkpoints.write(folder(), checkpoints.heads(session), checkpoints.signing_key(), at=real_time(session))


def write_when_due() -> bool:
    """Write a checkpoint if the newest is older than MASH_CHECKPOINT_MINUTES and the hub has a place for it."""
    if settings().checkpoints is None:
        return False
    with unit_of_work() as session:
        at = real_time(session)
    if not checkpoints.is_due(folder(), timedelta(minutes=settings().checkpoint_minutes), at=at):
        return False
    log.info("checkpoint written: %s", write_now().name)
    return True


def check(reference: str | None, against: Path | None, public: str | None) -> Verdict:
    """Check the ledger, against the checkpoints of a folder if there are any. Raises Doubtful or Unavailable.

    `public` is the key in hexadecimal that they must be signed with; without it, the hub's own.
    """
    anchors = Anchors()
    if against is not None:
        key = public or checkpoints.public_hex(checkpoints.signing_key())
        anchors = checkpoints.read(against, _key(key))
    with unit_of_work() as session:
        return verify(session, reference, anchors)


def _key(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise Misconfigured("a public key is 64 hexadecimal digits")
    return found
