"""The second factor once more, before what cannot be taken back: a decision, a change of an account (S-16).

A person proves it along with the credential that they use: the session of their browser, or their API token. All times
are real time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from casework import sessions, signin
from casework.signin import Answer, SecondStep
from models.account import Account, ApiToken
from models.keyed import digest_of
from models.settings import settings
from models.signin import PortalSession
from rules.errors import NotPermitted
from rules.permissions import Actor


class SecondFactorNeeded(NotPermitted):
    """The second factor was given too long ago, or never, with this credential."""

    def __init__(self) -> None:
        super().__init__("confirm that it is you: this needs your second factor anew")


def good_until(session: Session, credential: str) -> datetime | None:
    """Until when the second factor given with a credential counts; None when none was given with it."""
    proven_at = _held(session, credential).proven_at
    return proven_at + timedelta(minutes=settings().second_factor_minutes) if proven_at else None


def check_fresh(session: Session, credential: str) -> None:
    """Raises SecondFactorNeeded when the second factor must be given anew."""
    until = good_until(session, credential)
    if until is None or until <= sessions.real_now(session):
        raise SecondFactorNeeded


def begin(session: Session, credential: str, *, by: Actor, at: datetime) -> None:
    """Ask for the second factor; a code is sent, unless a good one is on its way or the person has an authenticator."""
    under_way = signin.second_step(session, _browser(credential), at=at)
    account = session.get(Account, by.id)
    if account is not None and account.is_person and not (under_way and under_way.is_sent):
        signin.open_attempt(session, account, _browser(credential), at=at)


def asked(session: Session, credential: str, *, at: datetime) -> SecondStep | None:
    """What is asked for along with a credential; None when nothing is."""
    return signin.second_step(session, _browser(credential), at=at)


def send_again(session: Session, credential: str, *, by: Actor, at: datetime) -> Answer:
    """Another code, which kills the one before; the first one when none was asked for."""
    if asked(session, credential, at=at) is None:
        begin(session, credential, by=by, at=at)
        return Answer.GO_ON
    return signin.send_again(session, _browser(credential), at=at)


def finish(session: Session, credential: str, code: str, *, at: datetime) -> Answer:
    """Take the code: with GO_ON, the credential is as good as at its sign-in. Wrong ones count as they do there."""
    answer, _ = signin.check_code(session, _browser(credential), code, at=at)
    if answer is Answer.GO_ON:
        held = _held(session, credential)
        held.proven_at = at
        session.add(held)
    return answer


def _browser(credential: str) -> str:
    """A sign-in's own token is random; this one is known to the holder of the credential alone."""
    return f"step-up/{credential}"


def _held(session: Session, credential: str) -> PortalSession | ApiToken:
    digest = digest_of(credential)
    stay = session.exec(select(PortalSession).where(col(PortalSession.digest) == digest)).first()
    return stay or session.exec(select(ApiToken).where(col(ApiToken.digest) == digest)).one()
