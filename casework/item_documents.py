"""One thing that an agency knows, and how far it may go: given with its three answers, or withheld with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from casework.document_parts import Code, Document, Line, Text
from rules.release import NOBODY

_GIVEN, _WITHHELD = "<given>", "<withheld>"


def _yes(answer: bool) -> bool:
    if not answer:
        raise ValueError("what is not relevant, necessary and proportionate must not be given: withhold it")
    return answer


def _not_withheld(_: str) -> str:
    raise ValueError("goes only with an item that nobody may have")


Yes = Annotated[bool, AfterValidator(_yes)]
Kind = Annotated[Code, StringConstraints(pattern="^(FACT|OPINION|THIRD_PARTY)$")]
About = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]],
    Field(max_length=20, description="Subjects of the referral: S1, S2 …"),
]


class GivenItem(Document):
    """One thing that an agency knows and gives: when, where it is written, what kind, and who may have it (R29)."""

    event_date: date
    source: Line
    kind: Kind = Field(description="FACT, OPINION or THIRD_PARTY")
    text: Text
    about: About = Field(default_factory=list)
    relevant: Yes = Field(description="It helps to answer the question; nothing else may be given")
    necessary: Yes = Field(description="The question cannot be answered without it")
    proportionate: Yes = Field(description="It is no more than the concern calls for")
    recipients: Code = Field(description=f"Code set recipients, but {NOBODY}")
    withheld_because: Annotated[Code, AfterValidator(_not_withheld)] | None = None


class WithheldItem(Document):
    """One thing that an agency holds and keeps to itself, with a coded reason: a full answer (R29).

    Whatever else is written in it is for the agency's own record. Nobody else is shown anything but the reason.
    """

    recipients: Code = Field(pattern=f"^{NOBODY}$", description=f"Always {NOBODY}")
    withheld_because: Code = Field(description="Code set decline_reason")
    event_date: date | None = None
    source: Line | None = None
    kind: Kind | None = None
    text: Text | None = None
    about: About = Field(default_factory=list)
    relevant: bool | None = None
    necessary: bool | None = None
    proportionate: bool | None = None


def _which(item: Any) -> str:
    found = item.get("recipients") if isinstance(item, Mapping) else getattr(item, "recipients", None)
    return _WITHHELD if found == NOBODY else _GIVEN


Item = Annotated[Annotated[GivenItem, Tag(_GIVEN)] | Annotated[WithheldItem, Tag(_WITHHELD)], Discriminator(_which)]
