"""Which alarms stand, so that copies of the timekeeper tell operations staff of each once."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.base import moment


class RaisedAlarm(SQLModel, table=True):
    """An alarm that stood when a timekeeper last looked. Its times are real: they are about the hub, not a case."""

    __tablename__ = "raised_alarm"

    code: str = Field(primary_key=True, max_length=40)
    since: datetime = moment()
    seen_at: datetime = moment()
    told_at: datetime | None = moment(nullable=True)
