"""What is still to be said: notices, written in the transaction of the act that they tell of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum, Index
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, sealed_text


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    WAITING = "WAITING"
    SENDING = "SENDING"
    SENT = "SENT"
    UNDELIVERED = "UNDELIVERED"
    DROPPED = "DROPPED"


class Notice(SQLModel, table=True):
    """One message to one recipient. `key` makes it unique, so that no step can say the same thing twice (INV7).

    `attempts` and the times of sending are real time: they are about the mail server, not about the hub's clock.
    """

    __tablename__ = "notice"
    __table_args__ = (Index("notice_by_turn", "status", "next_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(unique=True, max_length=160)
    reference: str | None = Field(default=None, foreign_key="referral.reference", index=True, max_length=9)
    message: str = code()
    recipient: str = Field(max_length=80)
    written_at: datetime = moment()
    status: NoticeStatus = Field(
        default=NoticeStatus.WAITING,
        sa_type=Enum(NoticeStatus, native_enum=False, create_constraint=True, length=40),
    )
    channel: str = Field(default="primary", max_length=20)
    attempts: int = 0
    next_at: datetime | None = moment(nullable=True)
    lease_until: datetime | None = moment(nullable=True)
    sent_at: datetime | None = moment(nullable=True)
    #: A sender died, or was cut off, with the message perhaps delivered: it was sent again under the same Message-ID.
    perhaps_twice: bool = False
    #: A one-time code or link, kept only until it is sent; and the time after which sending it would be no use.
    secret: str | None = sealed_text(nullable=True)
    expires_at: datetime | None = moment(nullable=True)

    @property
    def message_id(self) -> str:
        """The stable Message-ID: the same for each attempt, so that a receiver can tell a repeat."""
        return f"<{self.id}@mash.invalid>"


class Post(SQLModel, table=True):
    """Where the outbox stood when its letters were last let out; one row. Anywhere else they are held (F29).

    A dump that is put back makes the tables anew, so that the record's function `mash_place()` says something else.
    """

    __table_args__ = (CheckConstraint("id = 1", name="post_is_one"),)

    id: int = Field(default=1, primary_key=True)
    place: str = Field(max_length=80)
    #: Real time: when it was first seen that the letters are to be held.
    held_since: datetime | None = moment(nullable=True)
