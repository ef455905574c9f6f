"""What people send about urgency (R10)."""

from __future__ import annotations

from pydantic import Field

from casework.document_parts import Code, Document, Text


class RatingDocument(Document):
    """The MASH team rates a referral anew, and why."""

    rating: Code = Field(description="Code set urgency_rating")
    rating_seen: Code = Field(description="The rating on the screen of whoever changes it")
    rationale: Text


class UrgentCallDocument(Document):
    """A representative asks for the discussion now, and why."""

    reason: Text
