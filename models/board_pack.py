"""A board's pack of one quarter: made once, so that no two editions of it can be compared (R59, R60)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import moment, new_id, sealed_json
from rules.people import Side


class BoardPack(SQLModel, table=True):
    """What a board is given of a quarter: figures that were protected before they were put here, and no case."""

    __tablename__ = "board_pack"
    __table_args__ = (UniqueConstraint("side", "first_on", name="board_pack_once_a_quarter"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    side: Side = Field(
        sa_type=Enum(
            Side, native_enum=False, create_constraint=True, length=10, values_callable=lambda e: [m.value for m in e]
        )
    )
    first_on: date
    last_on: date
    content: dict[str, Any] = sealed_json()
    made_at: datetime = moment()
    #: Who asked for it; null when the hub made it by its schedule.
    made_by: str | None = Field(default=None, foreign_key="account.id", max_length=60)
