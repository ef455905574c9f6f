"""What to do once the last test of a group is over: its servers would idle, at a fifth of a processor, to the end."""

from __future__ import annotations

from collections.abc import Callable

_ends: dict[str, Callable[[], None]] = {}


def at_the_end_of(together: str, end: Callable[[], None]) -> None:
    """In a process of several, `end` is called after the last test of "hub" or "engine"."""
    _ends[together] = end


def end_of(together: str) -> None:
    """The last test of a group is over."""
    _ends.pop(together, lambda: None)()
