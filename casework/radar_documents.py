"""What people send about an earlier referral that was found (R14)."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from casework.document_parts import Document
from models.radar import ContactAnswer


class ContactDocument(Document):
    """A person's word on one earlier referral: whether it is about the same people. Nothing has a default."""

    contact: UUID = Field(description="Which of those found, by its id")
    answer: ContactAnswer
