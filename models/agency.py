"""The agencies that the hub has ever asked, and the profile versions it has worked under."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import moment


class AreaProfile(SQLModel, table=True):
    """A version of the area profile, kept whole: a referral lives and dies under the one it began with (R32, R70)."""

    __tablename__ = "area_profile"

    version: str = Field(primary_key=True, max_length=40)
    digest: str = Field(max_length=64)
    content: dict[str, Any] = Field(sa_type=JSONB)
    first_used_at: datetime = moment()


class Agency(SQLModel, table=True):
    """An agency by its stable code (R16); its names, by date, are in the profile."""

    code: str = Field(primary_key=True, max_length=40)
    kind: str = Field(max_length=20)
    first_used_at: datetime = moment()
