"""How people come in: invitations, sign-ins half done, sessions, and what slows guessing down (R46, R47).

All times here are real time: a scenario's clock must neither end a session nor keep a code alive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, sealed_json


class Invitation(SQLModel, table=True):
    """A link by which a person sets their password, once. Only its digest is kept."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    digest: str = Field(unique=True, max_length=64)
    issued_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class SignIn(SQLModel, table=True):
    """A sign-in after the right password: the browser that began it, and its newest one-time code, as a digest."""

    __tablename__ = "sign_in"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    browser_digest: str = Field(unique=True, max_length=64)
    started_at: datetime = moment()
    code_salt: str | None = Field(default=None, max_length=64)
    code_digest: str | None = Field(default=None, max_length=64)
    code_sent_at: datetime | None = moment(nullable=True)
    codes_sent: int = 0
    tries: int = 0
    ended_at: datetime | None = moment(nullable=True)


class ProviderVisit(SQLModel, table=True):
    """A browser that was sent to the council's sign-in service, and may come back from there once.

    `back` is the page of ours that it was on its way to.
    """

    __tablename__ = "provider_visit"

    state_digest: str = Field(primary_key=True, max_length=64)
    browser_digest: str = Field(max_length=64)
    back: str = Field(max_length=64)
    started_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class PortalSession(SQLModel, table=True):
    """A person's stay in the portal. Only the digest of its token is kept."""

    __tablename__ = "portal_session"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    digest: str = Field(unique=True, max_length=64)
    started_at: datetime = moment()
    seen_at: datetime = moment()
    #: When the second factor was last given in this stay (S-16).
    proven_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class Throttle(SQLModel, table=True):
    """How often something was tried since a moment; the bucket is a keyed digest of what is counted."""

    bucket: str = Field(primary_key=True, max_length=64)
    since: datetime = moment()
    tries: int


class Opening(SQLModel, table=True):
    """That an account opened a referral, and when within these ten minutes it did so first (S-20)."""

    __table_args__ = (Index("opening_by_time", "account_id", "opened_at"),)

    account_id: str = Field(primary_key=True, foreign_key="account.id", max_length=60)
    reference: str = Field(primary_key=True, max_length=9)
    opened_at: datetime = moment()


class Draft(SQLModel, table=True):
    """What somebody has typed and not sent yet; theirs alone, and emptied once it is sent."""

    account_id: str = Field(primary_key=True, foreign_key="account.id", max_length=60)
    purpose: str = code(primary_key=True)
    about: str = Field(primary_key=True, max_length=9)
    content: dict[str, Any] = sealed_json()
    saved_at: datetime = moment()
