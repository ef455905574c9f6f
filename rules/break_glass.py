"""Opening a restricted referral in an emergency: who may, why, and for how long (S-7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.calendar import OfficeCalendar
from rules.errors import FieldError, NotAcceptable, NotPermitted
from rules.permissions import Actor, Role, check_may_decide

OPEN_FOR = timedelta(minutes=60)
REASON_AT_LEAST = 20
_WORKING_DAYS = 2


def check_may_break(actor: Actor, *, has_authenticator: bool) -> None:
    """A decision maker whose second factor is an authenticator app, not their mailbox. Raises NotPermitted."""
    check_may_decide(actor)
    if not has_authenticator:
        raise NotPermitted("set up an authenticator app first: a code by e-mail does not open a restricted referral")


def check_may_review(actor: Actor) -> None:
    """Information governance looks at each use. Raises NotPermitted."""
    if actor.role is not Role.IG_LEAD or not actor.is_person:
        raise NotPermitted("only the information-governance lead sees this")


def check_reason(reason: str) -> None:
    """A reason that says something: white space alone makes none longer. Raises NotAcceptable."""
    if len(" ".join(reason.split())) < REASON_AT_LEAST:
        raise NotAcceptable(FieldError("/reason", f"say why in at least {REASON_AT_LEAST} characters"))


def review_due(at: datetime, calendar: OfficeCalendar) -> datetime:
    """When a use must have been looked at: the same local time two working days later."""
    local = calendar.local(at)
    day = local.date()
    for _ in range(_WORKING_DAYS):
        day = calendar.next_working_day(day)
    return calendar.at_local(day, local.time())
