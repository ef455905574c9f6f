"""Break-glass: a restricted referral opened in an emergency, alerted at once and looked at afterwards (S-7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field
from sqlmodel import Session, col, select

from casework import ledger, referrals, sessions, step_up
from casework.accounts import within_reach
from casework.document_parts import Code, Document, Line, Text
from casework.follow import Seen
from casework.interests import stepped_back
from casework.ledger import Act
from casework.notices import say_privately
from casework.register import check_code, current_profile
from casework.restriction import in_force
from models.account import Account
from models.break_glass import GlassBreak
from models.restriction import NamedPerson
from notifications.account_letters import AccountLetter
from rules.break_glass import OPEN_FOR, check_may_break, check_may_review, check_reason, review_due
from rules.errors import FieldError, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.reference import new_reference, normalise

#: An alert that did not leave in so long would tell nothing that the queue does not.
_ALERTED_WITHIN = timedelta(days=90)
#: How many uses the queue shows: all that wait are among the newest.
_SHOWN = 200


class BreakDocument(Document):
    """Which referral must be seen now, and why."""

    reference: Line
    reason: Text


class VerdictDocument(Document):
    """What information governance makes of one use."""

    verdict: Code = Field(description="Code set glass_verdict")
    note: Text | None = None


class GlassBroken(Seen):
    """What breaking the glass opened."""

    reference: str | None = Field(
        description="Open to you for an hour; null when nothing was opened: no such restricted referral, or one that "
        "is open to you already"
    )


class UseSeen(Seen):
    """One use of break-glass, for whoever looks at it."""

    alert: str
    account_id: str
    reference: str
    reason: str
    opened: bool
    at: datetime
    until: datetime | None
    review_due_at: datetime
    overdue: bool = Field(description="Nobody looked at it within two working days")
    reviewed_at: datetime | None
    verdict: str | None
    note: str | None


def break_glass(session: Session, document: BreakDocument, credential: str, *, by: Actor, at: datetime) -> str | None:
    """Let somebody into a restricted referral for an hour; its reference, or None when nothing was opened.

    Each use is alerted and looked at, also one that opened nothing: trying references is a use. Whoever has a conflict
    of interest stays out. Raises NotPermitted, SecondFactorNeeded, NotAcceptable; and nothing was opened then.
    """
    account = session.get(Account, by.id)
    check_may_break(by, has_authenticator=account is not None and account.totp_secret is not None)
    step_up.check_fresh(session, credential)
    check_reason(document.reason)
    reference, leads = _reference(document.reference), _leads(session)
    alert = new_reference()
    opened = _let_in(session, reference, alert, by, at)
    session.add(
        GlassBreak(
            alert=alert, reference=reference, account_id=by.id, reason=document.reason, opened=opened, at=at,
            until=at + OPEN_FOR if opened else None, review_due_at=review_due(at, current_profile().calendar()),
        )
    )  # fmt: skip
    real_now = sessions.real_now(session)
    for lead in leads:
        say_privately(
            session, AccountLetter.GLASS_BROKEN, lead.id, alert, at=real_now, expires_at=real_now + _ALERTED_WITHIN
        )
    return reference if opened else None


def uses(session: Session, *, by: Actor, at: datetime) -> list[UseSeen]:
    """Each use, those first that nobody has looked at. Raises NotPermitted."""
    check_may_review(by)
    query = select(GlassBreak).order_by(col(GlassBreak.reviewed_at).desc().nulls_first(), col(GlassBreak.at))
    return [
        UseSeen.of(each, overdue=each.reviewed_at is None and each.review_due_at < at)
        for each in session.exec(query.limit(_SHOWN))
    ]


def review(session: Session, alert: str, document: VerdictDocument, *, by: Actor, at: datetime) -> None:
    """Information governance has looked at one use. Raises NotPermitted, NotFound, WrongStage, NotAcceptable."""
    check_may_review(by)
    found = session.exec(select(GlassBreak).where(GlassBreak.alert == alert).with_for_update()).first()
    if found is None:
        raise NotFound("there is no such alert")
    if found.reviewed_at is not None:
        raise WrongStage(f"alert {alert} was looked at already")
    check_code(document.verdict, "glass_verdict", "/verdict")
    found.reviewed_at, found.reviewed_by = at, by.id
    found.verdict, found.note = document.verdict, document.note
    session.add(found)


def _let_in(session: Session, reference: str, alert: str, by: Actor, at: datetime) -> bool:
    restriction = in_force(session, reference)
    if restriction is None or stepped_back(session, reference, by.id):
        return False
    session.add(
        NamedPerson(restriction_id=restriction.id, account_id=by.id, named_by=by.id, named_at=at, until=at + OPEN_FOR)
    )
    session.flush()
    referrals.lock(session, reference)
    ledger.write(session, reference, Act.GLASS_BROKEN, by=by, at=at, alert=alert, until=(at + OPEN_FOR).isoformat())
    return True


def _reference(text: str) -> str:
    try:
        return normalise(text)
    except ValueError:
        raise NotAcceptable(FieldError("/reference", "is not a reference, such as 7KQ2-XW9S")) from None


def _leads(session: Session) -> list[Account]:
    """Who is alerted. Raises NotPermitted when nobody could be: the glass does not break unseen."""
    leads = within_reach(session, Role.IG_LEAD)
    if not leads:
        raise NotPermitted("nobody of information governance could be alerted: ask an administrator")
    return leads
