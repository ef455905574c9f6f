"""The moves that the database allows: the copy of rules.stages that its triggers read."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class StageMove(SQLModel, table=True):
    """One allowed move of a referral or an agency check."""

    __tablename__ = "stage_move"

    of_table: str = Field(primary_key=True, max_length=40)
    from_status: str = Field(primary_key=True, max_length=40)
    to_status: str = Field(primary_key=True, max_length=40)
