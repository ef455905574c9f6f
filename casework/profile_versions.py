"""Which versions of the area profile were in use since when, and what changed from each to the next (R70)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlmodel import Session, select

from models.agency import AreaProfile
from rules.administration import check_may_read_register
from rules.permissions import Actor

#: More changes than these are counted, not shown: then it is another profile altogether.
MOST_SHOWN = 200


class Change(BaseModel):
    """One value that is not what it was; None where there was, or is, nothing."""

    place: str
    was: str | None
    now: str | None


class VersionSeen(BaseModel):
    """A version of the profile, and what it changed of the one before it."""

    version: str
    first_used_at: datetime
    changes: list[Change]
    more: int


def versions(session: Session, *, by: Actor, at: datetime) -> list[VersionSeen]:
    """Every version that the hub has worked under, the newest first. Raises NotPermitted."""
    check_may_read_register(by)
    query = select(AreaProfile).order_by(AreaProfile.first_used_at, AreaProfile.version)  # type: ignore[arg-type]
    kept = list(session.exec(query))
    seen = [_seen(row, before) for before, row in zip([None, *kept], kept, strict=False)]
    return seen[::-1]


def changes(was: Any, now: Any) -> list[Change]:
    """What is not the same in two profiles, place by place; a list's row is found by its code, where it has one."""
    old, new = dict(_places(was)), dict(_places(now))
    places = list(dict.fromkeys([*old, *new]))
    return [Change(place=p, was=old.get(p), now=new.get(p)) for p in places if old.get(p) != new.get(p)]


def _seen(row: AreaProfile, before: AreaProfile | None) -> VersionSeen:
    found = changes(before.content, row.content) if before else []
    shown = found[:MOST_SHOWN]
    return VersionSeen(
        version=row.version, first_used_at=row.first_used_at, changes=shown, more=len(found) - len(shown)
    )


def _places(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = inner.get("code", number + 1) if isinstance(inner, dict) else number + 1
            yield from _places(inner, f"{place}[{name}]")
    elif value is not None:
        yield place, str(value)
