"""What a request that only reads asks about a referral is asked once, however many parts of its page want it.

A verb asks once too, while it reads what it is about to act on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import unwrap
from typing import Any, TypeVar

from sqlmodel import Session

TOLD = "mash.told"

_T = TypeVar("_T")


def only_reads(session: Session) -> None:
    """From now on this transaction changes nothing that `once` is told."""
    session.info[TOLD] = {}


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Until the block ends nothing changes of what `once` is told: the caller holds the referral, and only reads."""
    if TOLD in session.info:
        yield
        return
    only_reads(session)
    try:
        yield
    finally:
        del session.info[TOLD]


def known(session: Session, ask: Callable[[Session, str], object], found: Mapping[str, object]) -> None:
    """Where this transaction only reads: what `ask`, which is asked once, would find, by reference."""
    if TOLD in session.info:
        session.info[TOLD] |= {(unwrap(ask), reference): each for reference, each in found.items()}


def once(ask: Callable[[Session, str], _T]) -> Callable[[Session, str], _T]:
    """What is asked about a referral by its reference; where the transaction only reads, asked once and kept."""

    @wraps(ask)
    def told(session: Session, reference: str) -> _T:
        kept: dict[tuple[Any, str], Any] | None = session.info.get(TOLD)
        if kept is None:
            return ask(session, reference)
        key = ask, reference
        if key not in kept:
            kept[key] = ask(session, reference)
        found: _T = kept[key]
        return found

    return told
