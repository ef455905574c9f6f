"""Documents of the second look: which cases are drawn, and what somebody else would have decided (R63)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from casework.document_parts import Code, Document, Text


class SampleDocument(Document):
    """A dip sample to be drawn from what was decided in a period."""

    first_on: date = Field(description="The first day of the period")
    last_on: date = Field(description="The last day of the period")
    size: int = Field(ge=1, le=500, description="How many people's cases are to be looked at again")
    seed: int = Field(ge=0, le=999_999_999, description="The same seed draws the same sample from the same cases")


class SubjectLook(Document):
    """What somebody would have decided about one subject. Nothing has a default."""

    subject: Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]
    threshold_met: bool
    level_of_need: Code
    outcome: Code
    reason: Text = Field(description="What weighed, for whoever compares the two")


class LookDocument(Document):
    """A second look: one answer for each subject that was drawn."""

    looks: list[SubjectLook] = Field(min_length=1, max_length=20)
