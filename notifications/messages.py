"""Everything that the hub says outside the portal: an organisation, a reference and a link, nothing else.

Mail is read in shared mailboxes and on telephones in trains; what happened is told in the portal alone (R42, R51).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"


class MessageName(StrEnum):
    """One for each template."""

    BASIS_WANTED = "basis_wanted"
    BASIS_CHASED = "basis_chased"
    AGREEMENT_MISSING = "agreement_missing"
    AGREEMENT_OVERRIDDEN = "agreement_overridden"
    CHECK_REQUESTED = "check_requested"
    CHECK_DUE_SOON = "check_due_soon"
    CHECK_OVERDUE = "check_overdue"
    CHECK_CHASED = "check_chased"
    CHECK_TIME_CHANGED = "check_time_changed"
    CHECK_STOPPED = "check_stopped"
    CHECK_DECLINED = "check_declined"
    DETAILS_CORRECTED = "details_corrected"
    HELD_ALREADY = "held_already"
    CLARIFICATION_ASKED = "clarification_asked"
    CLARIFICATION_ANSWERED = "clarification_answered"
    FOLLOW_UP_ASKED = "follow_up_asked"
    FOLLOW_UP_ANSWERED = "follow_up_answered"
    URGENT_CALLED = "urgent_called"
    URGENT_ACKNOWLEDGED = "urgent_acknowledged"
    DECISION_WANTED = "decision_wanted"
    MANAGER_WANTED = "manager_wanted"
    MANAGER_SENT_BACK = "manager_sent_back"
    RECONSIDER_WANTED = "reconsider_wanted"
    DISSENT = "dissent"
    OUTCOME_READY = "outcome_ready"
    OUTCOME_SHARED = "outcome_shared"
    OUTCOME_STOPPED = "outcome_stopped"
    OUTCOME_NOT_ACKNOWLEDGED = "outcome_not_acknowledged"
    FEEDBACK_GIVEN = "feedback_given"
    MANY_OPENED = "many_opened"
    CALENDAR_ENDS = "calendar_ends"
    NOTICE_UNDELIVERED = "notice_undelivered"
    RUN_NEEDS_HELP = "run_needs_help"
    RUN_STOPPED = "run_stopped"
    RESTRICTED_NAMED = "restricted_named"
    NOBODY_TO_TELL = "nobody_to_tell"
    INTEREST_DECLARED = "interest_declared"


@dataclass(frozen=True)
class Fields:
    """All that a message can say."""

    hub: str
    organisation: str
    reference: str
    link: str


@dataclass(frozen=True)
class Text:
    """A message in words: one line of subject, and a body of plain text."""

    subject: str
    body: str


@cache
def _environment() -> jinja2.Environment:
    # Plain text, so nothing is escaped here; the channel says so and escapes for HTML mail. Missing fields are errors.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
    )


def write(name: MessageName, fields: Fields) -> Text:
    """Put a message into words. Raises jinja2's UndefinedError for a field that messages do not have."""
    words = _environment().get_template(f"{name}.txt").render(asdict(fields))
    subject, _, body = words.partition("\n\n")
    return Text(subject.strip(), body.strip() + "\n")
