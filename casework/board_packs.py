"""Packs of boards are kept as they were made: one for each board and quarter, so that no two can be compared (R59)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from casework.follow import Seen
from models.base import new_id
from models.board_pack import BoardPack
from rules.errors import NotFound
from rules.people import Side
from rules.permissions import Actor, check_may_pack, check_may_read_packs


class PackSeen(Seen):
    """One pack in the list."""

    id: UUID
    side: Side
    first_on: date
    last_on: date
    made_at: datetime


class PackRead(PackSeen):
    """One pack as it was made."""

    content: dict[str, Any]


def keep(
    session: Session, side: Side, period: tuple[date, date], content: dict[str, Any], *, by: Actor, at: datetime
) -> UUID:
    """Keep a pack; its id. One that was made of the same board and quarter before stays, and is given instead.

    Raises NotPermitted for anybody but an analyst or the hub itself.
    """
    check_may_pack(by)
    if found := made(session, side, period[0]):
        return found
    pack = BoardPack(
        id=new_id(), side=side, first_on=period[0], last_on=period[1], content=content, made_at=at,
        made_by=by.id if by.is_person else None,
    )  # fmt: skip
    session.add(pack)
    session.flush()
    return pack.id


def made(session: Session, side: Side, first_on: date) -> UUID | None:
    """The pack of a board and quarter; None when there is none yet."""
    return session.exec(select(BoardPack.id).where(BoardPack.side == side, BoardPack.first_on == first_on)).first()


def listed(session: Session, *, by: Actor) -> list[PackSeen]:
    """Every pack, the newest quarter first. Raises NotPermitted."""
    check_may_read_packs(by)
    query = select(BoardPack).order_by(col(BoardPack.first_on).desc(), col(BoardPack.side))
    return [PackSeen.of(pack) for pack in session.exec(query)]


def one(session: Session, pack_id: UUID, *, by: Actor) -> PackRead:
    """One pack. Raises NotPermitted, NotFound."""
    check_may_read_packs(by)
    if found := session.get(BoardPack, pack_id):
        return PackRead.of(found)
    raise NotFound("there is no such pack")
