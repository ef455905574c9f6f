"""What people send about who may know of a referral."""

from __future__ import annotations

from pydantic import Field

from casework.document_parts import Code, Document, Line, Text


class RestrictionDocument(Document):
    """A referral is hidden from everybody but whoever restricts it and the people named here, and why."""

    ground: Code = Field(description="Code set restriction_ground")
    reason: Text
    named: list[Line] = Field(
        default_factory=list, max_length=50, description="Each person's e-mail address, or the code of their account"
    )


class NamedDocument(Document):
    """One more person may know of a restricted referral."""

    who: Line = Field(description="Their e-mail address, or the code of their account")


class RemovedDocument(Document):
    """A person may know of a restricted referral no longer."""

    person: Code = Field(description="The code of their account")


class WhyDocument(Document):
    """Why a restriction is kept, or lifted."""

    reason: Text


class InterestDocument(Document):
    """Somebody is too near to a referral: from then on there is none for them."""

    ground: Code = Field(description="Code set interest_ground")
