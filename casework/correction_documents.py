"""What people send to correct a person's details (R41; UK GDPR Article 16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from casework.document_parts import BornOn, Document, Line, NhsNumber, Text

#: What may prove not to be known at all.
NotKnown = Literal["date_of_birth", "nhs_number", "address"]


class CorrectionDocument(Document):
    """The details of one person as they are right; what is left out stays as it is."""

    version_seen: int = Field(description="The referral's version on the screen of whoever corrects it")
    subject: Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]
    reason: Text = Field(description="What was wrong, and how that is known")
    given_name: Line | None = None
    family_name: Line | None = None
    date_of_birth: BornOn | None = None
    nhs_number: NhsNumber | None = None
    address: Text | None = None
    protected_address: bool | None = None
    household_role: Line | None = None
    not_known: list[NotKnown] = Field(
        default_factory=list, max_length=3, description="What stands on record and proved not to be known"
    )
