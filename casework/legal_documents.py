"""What people send about consent, informing and the lawful basis (R54, R56; requirements §4.7, §4.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from casework.document_parts import Code, Document, Line, Text


class BasisDocument(Document):
    """On what agencies are asked about a person, confirmed by somebody by name.

    The parts that are left out are those that the area's profile proposes for the reason given.
    """

    request_reason: Code = Field(description="Code set request_reason")
    confirmed_by: Line = Field(description="Who in the duty team or the MASH team confirms this basis")
    article_6: Code | None = Field(default=None, description="UK GDPR; code set article_6")
    article_9: Code | None = Field(default=None, description="UK GDPR; code set article_9")
    dpa_condition: Code | None = Field(default=None, description="Data Protection Act 2018; code set dpa_condition")
    gateway: Code | None = Field(default=None, description="The statute that opens the way; code set gateway")


class LegalDocument(Document):
    """Informing, consent and basis of one person: three facts, none of which stands for another."""

    informed: Code = Field(description="Code set informed")
    informed_how: Code | None = Field(default=None, description="Code set informed_how")
    informed_on: date | None = None
    consent: Code = Field(description="Code set consent")
    consent_given_by: Line | None = Field(default=None, description="Who gave it, such as the mother")
    consent_on: date | None = None
    consent_reason_code: Code | None = Field(
        default=None, description="Code set consent_not_sought_reason_child or …_adult: why not sought, or overridden"
    )
    consent_reason: Text | None = None
    basis: BasisDocument | None = None


class SubjectLegalDocument(LegalDocument):
    """The same for one subject of a referral that is there; it takes the place of what was on record."""

    subject: Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]


class CompletionDocument(Document):
    """What was missing before agencies may be asked, or has changed since (R54, R56)."""

    version_seen: int = Field(description="The referral's version on the screen of whoever completes it")
    subjects: list[SubjectLegalDocument] = Field(min_length=1, max_length=20)


class OverrideDocument(Document):
    """An agency is asked although no sharing agreement with it is in force (R55)."""

    agency: Code
    reason: Text = Field(description="At least 20 characters, without names: information governance reads it")


#: Which fields of a LegalDocument hold codes, and of which set.
LEGAL_CODES: Mapping[str, str] = {
    "informed": "informed",
    "informed_how": "informed_how",
    "consent": "consent",
    "basis/request_reason": "request_reason",
    "basis/article_6": "article_6",
    "basis/article_9": "article_9",
    "basis/dpa_condition": "dpa_condition",
    "basis/gateway": "gateway",
}
