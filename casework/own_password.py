"""Somebody signed in chooses another password: they show the one they have, and everybody else is signed out (R46)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from casework import passwords, sessions, signin, throttle
from casework.accounts import find, note, withdraw_invitations
from casework.notices import say_privately
from casework.signin import Answer
from casework.throttle import Limit
from notifications.account_letters import AccountLetter
from rules.errors import FieldError, NotAcceptable
from rules.permissions import Actor

_TRIES = Limit("own-password", 10, timedelta(minutes=15))
_LETTER_LIFE = timedelta(days=3)


def change(session: Session, old: str, new: str, *, stay: str, by: Actor, at: datetime) -> Answer:
    """Set a new password, end every session but the one whose token is `stay`, and write to the person's address.

    Open invitations and half-done sign-ins end too: whoever began them knew the password of before. Nothing is raised
    for a wrong old password: the count of tries must outlive it. Raises NotAcceptable for a new one that is no good.
    """
    account = find(session, by.id)
    passwords.check_acceptable(new, account.email or "", account.display_name or "")
    if new == old:
        raise NotAcceptable(FieldError("/password", "choose another one than you have now"))
    real_now = sessions.real_now(session)
    if not throttle.allowed(session, _TRIES, by.id, at=real_now):
        return Answer.TOO_MANY
    if not passwords.is_right(account.password_hash, old):
        return Answer.WRONG
    throttle.forget(session, _TRIES, by.id)
    account.password_hash = passwords.hash_password(new)
    session.add(account)
    sessions.end_all(session, by.id, at=real_now, but=stay)
    withdraw_invitations(session, by.id, real_now)
    signin.end_attempts(session, by.id, at=real_now)
    say_privately(
        session, AccountLetter.PASSWORD_CHANGED, by.id, "/you", at=real_now, expires_at=real_now + _LETTER_LIFE
    )
    note(session, by.id, "PASSWORD_CHANGED", by=by, at=at)
    return Answer.GO_ON
