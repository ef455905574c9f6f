"""What somebody is given who asks for their own data, what is left out and why, and by when (UK GDPR 15, S-28)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from rules import release
from rules.calendar import OfficeCalendar
from rules.errors import NotPermitted
from rules.permissions import Actor, Role


class LeftOut(StrEnum):
    """Why something is not given: the codes of the redaction log."""

    THIRD_PARTY = "THIRD_PARTY"
    ABOUT_OTHERS = "ABOUT_OTHERS"
    NAMES_OTHERS = "NAMES_OTHERS"
    WITHHELD_BY_AGENCY = "WITHHELD_BY_AGENCY"
    LEGAL_CLAIM = "LEGAL_CLAIM"


#: What each of them rests on, for whoever reviews the log.
IN_WORDS: Mapping[LeftOut, str] = {
    LeftOut.THIRD_PARTY: "Told by a third party, who could be recognised (DPA 2018 Sch. 2 para. 16)",
    LeftOut.ABOUT_OTHERS: "About somebody else in the referral (DPA 2018 Sch. 2 para. 16)",
    LeftOut.NAMES_OTHERS: "Names somebody else in the referral (DPA 2018 Sch. 2 para. 16)",
    LeftOut.WITHHELD_BY_AGENCY: "Its agency shares it with nobody: ask the agency",
    LeftOut.LEGAL_CLAIM: "Why a legal hold was set or lifted (DPA 2018 Sch. 2 para. 5)",
}


def check_may_answer_access(actor: Actor) -> None:
    """Only the information-governance lead, signed in as a person, answers such a request. Raises NotPermitted."""
    if actor.role is not Role.IG_LEAD or not actor.is_person:
        raise NotPermitted("only the information-governance lead answers a subject access request")


def answer_due(received: date, office: OfficeCalendar) -> date:
    """By when it is to be answered: the same day of the next month, or the last of that month (UK GDPR 12(3)).

    As the Information Commissioner counts: when that day is a weekend or a holiday, the next working day.
    """
    year, month = divmod(received.year * 12 + received.month, 12)
    due = date(year, month + 1, min(received.day, calendar.monthrange(year, month + 1)[1]))
    return due if office.is_working_day(due) else office.next_working_day(due)


def item_left_out(item: Mapping[str, Any], subject: str) -> LeftOut | None:
    """Why a return's item is not given to a subject, such as S1; None when nothing speaks against it."""
    if release.is_withheld(item):
        return LeftOut.WITHHELD_BY_AGENCY
    if item.get("kind") == release.THIRD_PARTY:
        return LeftOut.THIRD_PARTY
    if item.get("about") and subject not in item["about"]:
        return LeftOut.ABOUT_OTHERS
    return None


def names_any(text: str, marks: Collection[str]) -> bool:
    """Whether a text holds one of the marks of other people (a name, a number, an address), in whatever spacing."""
    plain = _plain(text)
    return any(re.search(rf"(?<!\w){re.escape(_plain(mark))}(?!\w)", plain) for mark in marks if mark)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
