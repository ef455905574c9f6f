"""From returns to the one document: every agency has its section, asked or not (R27, R30). Pure and deterministic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

TEMPLATE_VERSION = "1"


class Section(StrEnum):
    """What an agency's section says, in one word and in full."""

    RETURNED = "RETURNED"
    RETURNED_LATE = "RETURNED_LATE"
    AWAITED = "AWAITED"
    NOT_RETURNED = "NOT_RETURNED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    NOT_AWAITED = "NOT_AWAITED"
    NOT_ASKED = "NOT_ASKED"


SECTION_WORDS: Mapping[Section, str] = {
    Section.RETURNED: "Returned on time",
    Section.RETURNED_LATE: "Returned late",
    Section.AWAITED: "Awaited",
    Section.NOT_RETURNED: "Not returned by the deadline",
    Section.DECLINED: "Declined to share",
    Section.CANCELLED: "Cancelled: no longer needed",
    Section.NOT_AWAITED: "Not awaited: the team decided to go on without it",
    Section.NOT_ASKED: "Not asked",
}


@dataclass(frozen=True)
class AgencyAnswer:
    """One agency as the collation sees it. `newest` is its newest return as a JSON document, or None.

    `because` says why it was asked, or was not; `basis` on what, by subject; `overridden` who had it asked without an
    agreement, and why.
    `follow_ups` is what it was asked about its return, with its answers (R33).
    """

    agency: str
    name: str
    section: Section
    due: str | None = None
    decline_reason: str | None = None
    because: str | None = None
    basis: Mapping[str, Any] | None = None
    overridden: Mapping[str, Any] | None = None
    newest: Mapping[str, Any] | None = None
    result_label: str | None = None
    follow_ups: Sequence[Mapping[str, Any]] = ()


def collate(
    *,
    referral: Mapping[str, Any],
    subjects: Sequence[Mapping[str, Any]],
    answers: Sequence[AgencyAnswer],
    views: Sequence[Mapping[str, Any]],
    discussions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The collated template as one JSON document.

    The same record gives the same document, key for key: nothing here asks the time. Items interleave in the
    chronology by the date of the event, not of its entry.
    """
    return {
        "template_version": TEMPLATE_VERSION,
        "referral": dict(referral),
        "household": households(subjects),
        "agencies": [_section(answer) for answer in answers],
        "chronology": chronology(answers),
        "views": [dict(view) for view in views],
        "discussions": [dict(discussion) for discussion in discussions],
    }


def households(subjects: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The subjects by household, each in the order of their numbers."""
    numbers = sorted({subject["household"] for subject in subjects})
    return [
        {"household": number, "subjects": [dict(s) for s in subjects if s["household"] == number]} for number in numbers
    ]


def chronology(answers: Sequence[AgencyAnswer]) -> list[dict[str, Any]]:
    """Every item of every return, by date of the event; on one day in the order of the agencies (R30)."""
    items = [
        {**item, "agency": answer.agency, "agency_name": answer.name}
        for answer in answers
        for item in (answer.newest or {}).get("items", [])
    ]
    return sorted(items, key=lambda item: item["event_date"])


def _section(answer: AgencyAnswer) -> dict[str, Any]:
    return {
        "agency": answer.agency,
        "name": answer.name,
        "section": answer.section,
        "words": SECTION_WORDS[answer.section],
        "due": answer.due,
        "decline_reason": answer.decline_reason,
        "because": answer.because,
        "basis": dict(answer.basis) if answer.basis else None,
        "overridden": dict(answer.overridden) if answer.overridden else None,
        "result_label": answer.result_label,
        "return": dict(answer.newest) if answer.newest else None,
        "follow_ups": [dict(asked) for asked in answer.follow_ups],
    }
