"""How pages say times, clocks, stages, and what is wrong with a field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from rules.errors import FieldError
from rules.permissions import Role
from rules.stages import CheckStatus, Stage

STAGES: Mapping[Stage, str] = {
    Stage.RECEIVED: "Received",
    Stage.QUEUED_OUT_OF_HOURS: "Waits for the office to open",
    Stage.AWAITING_BASIS: "Waits for the lawful basis",
    Stage.CHECKING: "Agencies are being asked",
    Stage.AWAITING_DECISION: "Waits for a decision",
    Stage.HANDING_BACK: "Being handed back",
    Stage.AWAITING_ACK: "Waits for acknowledgement",
    Stage.CLOSED: "Closed",
}
CHECKS: Mapping[CheckStatus, str] = {
    CheckStatus.REQUESTED: "Not seen yet",
    CheckStatus.ACKNOWLEDGED: "Seen",
    CheckStatus.CLARIFY: "Question asked",
    CheckStatus.RETURNED: "Returned on time",
    CheckStatus.RETURNED_LATE: "Returned late",
    CheckStatus.DECLINED: "Declined to share",
    CheckStatus.CANCELLED: "No longer needed",
    CheckStatus.NOT_AWAITED: "No longer awaited",
}
ROLES: Mapping[Role, str] = {
    Role.DUTY_TEAM: "Duty team member",
    Role.AGENCY: "Agency representative",
    Role.MASH_SUPPORT: "MASH support",
    Role.DECISION_MAKER: "Decision maker",
    Role.ANALYST: "Analyst",
    Role.BOARD: "Board member",
    Role.IG_LEAD: "Information-governance lead",
    Role.ACCOUNT_ADMIN: "Account administrator",
    Role.OPERATOR: "Operator",
}
KINDS = {"FACT": "Fact", "OPINION": "Opinion", "THIRD_PARTY": "Told by a third party"}

#: What a reader of an agency's answer had open, by the act in the ledger.
READINGS = {
    "ASSESSMENT_READ": "The MASH assessment: the collated template",
    "OUTCOME_READ": "The outcome, with items that you let the duty team have",
    "CHECK_READ": "Your check: its state and your questions",
}

#: What one row of a list is called in an error.
_ROWS: Mapping[str, str] = {
    "items": "Item", "systems_searched": "System", "consultations": "Colleague", "subjects": "Person",
    "actions": "Action", "looks": "Person",
}  # fmt: skip
#: What a field is called in an error, by the last part of its place, or by the last two.
_LABELS: Mapping[str, str] = {
    "upstream_reference": "Your case reference", "sending_officer-name": "Your name", "reply_to": "E-mail address",
    "by": "Who decided to refer", "at": "When it was decided", "why_existing_information_is_not_enough":
    "Why what you know is not enough", "clarification_question": "The question to the agencies",
    "safeguarding_concern": "Is there a safeguarding concern", "extent_unclear": "Is its extent unclear",
    "narrative": "What worries you", "source": "Source", "level_of_need": "Level of need", "urgency": "Urgency",
    "side": "Child or adult", "given_name": "First name", "family_name": "Last name", "date_of_birth": "Date of birth",
    "nhs_number": "NHS number", "address": "Address", "protected_address": "Is the address protected",
    "household": "Household", "household_role": "Role in the household", "voice": "Their own view",
    "voice_missing_because": "Why their own view is missing", "informed": "Were they told", "consent": "Consent",
    "informed_how": "How they were told", "informed_on": "When they were told",
    "consent_given_by": "Who gave the consent", "consent_on": "When it was given",
    "consent_reason_code": "Reason of the list", "basis": "Lawful basis",
    "request_reason": "Reason for the request", "article_6": "Article 6 basis", "article_9": "Article 9 basis",
    "dpa_condition": "DPA 2018 condition", "gateway": "Statutory gateway", "confirmed_by": "Who confirms the basis",
    "consent_reason": "Reason for this consent", "open_to_worker": "Open to a team", "result": "What you found",
    "summary": "Summary", "event_date": "Date of the event", "kind": "Fact or opinion", "text": "Text",
    "system": "System", "systems_searched": "Systems searched", "searched_with": "Searched with",
    "searched_at": "When you searched", "not_searched_because": "Why nothing was searched", "who": "Name",
    "role": "Role", "organisation": "Organisation", "consulted_at": "When you asked", "what_was_asked":
    "What you asked", "what_they_said": "What they said", "reason": "Reason", "mode": "How you met",
    "held_at": "When you met", "note": "Note", "present": "Who was present", "agency": "Agency", "name": "Name",
    "view": "View", "threshold_met": "Is the threshold met", "outcome": "Outcome", "rationale": "Rationale",
    "words_for_duty_team": "Words for the duty team", "what": "Action", "owner": "Who does it", "due_on": "By when",
    "without_discussion_because": "Why without a discussion", "email": "E-mail address", "display_name": "Name",
    "duty_team": "Duty team", "password": "Password", "provider": "Council account", "code": "Code",
    "old_password": "The password that you have now",
    "inducted_at": "Date of the induction",
    "version": "Version", "subjects": "People", "about": "About whom", "relevant": "Is it relevant",
    "necessary": "Is it necessary",
    "proportionate": "Is it proportionate", "recipients": "Who may have it", "withheld_because": "Why you withhold it",
    "until": "Due time", "blocking": "Is it waited for", "question": "Question",
    "due_seen": "The due time that you saw", "should_change": "What should change", "answer": "Your answer",
    "items-source": "Where it is written", "items-text": "What happened", "concern-source": "Who told you",
    "items-event_date": "When it happened", "for_everybody": "May everybody read it",
    "rating": "How urgent it is", "rating_seen": "The rating that you saw",
    "resolution": "How it was resolved", "below_quorum_because": "Why without them",
    "false_alarm_because": "A false alarm", "because": "Your reason",
    "first": "First day", "last": "Last day", "state": "State",
    "first_on": "First day", "last_on": "Last day", "size": "How many", "seed": "Seed", "looks": "People",
    "subject": "Whose details are wrong", "not_known": "What is not known after all",
}  # fmt: skip


def error_sentence(error: FieldError) -> str:
    """What is wrong with a field, in a sentence that names it, and its row where there can be several."""
    label = _label(error.pointer)
    detail = error.detail.removesuffix(".")
    detail = re.sub(r"^not a code of the set \w+: use one of .*$", "choose one of the list", detail)
    detail = re.sub(r"such as 2016-05-04|with its zone, such as 2026-03-16T09:40:00Z", "such as 27 3 2026", detail)
    detail = re.sub(r"^does not go with \w+: use one of .*$", "choose another, or leave it to what is proposed", detail)
    detail = re.sub(r"^does not stand for ([^:]+): use one of .*$", r"choose another: not one for \1", detail)
    if detail in {"is missing", "must not be empty"}:
        return f"{label}: please answer this"
    return f"{label}: {detail}"


def _label(pointer: str) -> str:
    """Item 2, what happened: for /items/1/text."""
    steps = pointer.strip("/").split("/")
    names = [step for step in steps if not step.isdigit()]
    label = _LABELS.get("-".join(names[-2:])) or _LABELS.get(names[-1] if names else "", "This")
    if "choices" in names:
        label = "What the duty team may read"
    rows = [
        f"{_ROWS[name]} {int(number) + 1}" for name, number in pairwise(steps) if name in _ROWS and number.isdigit()
    ]
    return ", ".join([*rows, label[0].lower() + label[1:]]) if rows else label


def options(codes: Mapping[str, str]) -> list[dict[str, str]]:
    """A code set as the choices of a field."""
    return [{"value": code, "text": label} for code, label in codes.items()]


def local(moment: datetime, zone: ZoneInfo) -> str:
    """A moment in the area's local time: Fri 13 Mar 2026, 16:30."""
    return moment.astimezone(zone).strftime("%a %-d %b %Y, %H:%M")


def on_day(day: date) -> str:
    """A local date as people write it: 9 March 2026."""
    return day.strftime("%-d %B %Y")


def day_words(text: str) -> str:
    """A date of a document, 2026-03-09, as people write it: 9 March 2026."""
    return date.fromisoformat(text).strftime("%-d %B %Y")


def span(length: timedelta) -> str:
    """A length of time, roughly, as people say it."""
    minutes = round(abs(length.total_seconds()) / 60)
    if minutes < 60:
        return _count(minutes, "minute")
    if minutes < 48 * 60:
        return _count(round(minutes / 60), "hour")
    return _count(round(minutes / 1440), "day")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def clock_of(check: HasClock, at: datetime) -> Clock | Paused:
    """How a check's clock stands at a moment."""
    return Paused() if check.paused_at else Clock(check.due_at, at)


class HasClock(Protocol):
    """Whatever shows when a check is due, and whether its clock stands still."""

    due_at: datetime
    paused_at: datetime | None


class Paused:
    """How a clock stands that a person has stopped."""

    words, tag, css = "Time stands still", "Paused", "govuk-tag--grey"


class Clock:
    """How a due time stands at a moment, in words and in the class of a coloured tag; never by colour alone."""

    def __init__(self, due_at: datetime, at: datetime, *, soon: timedelta = timedelta(hours=4)) -> None:
        left = due_at - at
        if left < timedelta():
            self.words, self.tag, self.css = f"Overdue by {span(left)}", "Overdue", "govuk-tag--red"
        elif left <= soon:
            self.words, self.tag, self.css = f"{span(left)} left", "Due soon", "govuk-tag--orange"
        else:
            self.words, self.tag, self.css = f"{span(left)} left", "In time", "govuk-tag--green"
