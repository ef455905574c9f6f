"""Signing in through a council's own sign-in service: who may come in by its word, and who may come back from it (R46).

It never opens an account. All times are real time; what it said was verified before it comes here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import accounts, sessions, signin, throttle
from casework.signin import Answer, Step
from models.account import Account
from models.keyed import digest_of, keyed_digest
from models.settings import settings
from models.signin import ProviderVisit

#: How long somebody may take at the council's service.
LIFE = timedelta(minutes=10)
_LONGEST_WAY_BACK = 64


@dataclass(frozen=True)
class Trip:
    """One browser's way to the service and back: what it carries, and `back`, the page that it was on its way to.

    The nonce and the PKCE verifier can be computed by the hub alone, from what the browser keeps; none is stored.
    """

    state: str
    nonce: str
    verifier: str
    back: str


@dataclass(frozen=True)
class Vouched:
    """Whom the service vouches for.

    `subject` is who they are there, and nobody else ever; `address` their verified mail address, or the empty text;
    `second_factor` whether they gave one there that counts here.
    """

    subject: str
    address: str
    second_factor: bool


def begin(session: Session, browser: str, back: str, *, place: str, at: datetime) -> Trip | None:
    """Send a browser off: `browser` is a random token that it keeps. None when too many come from this place."""
    if not throttle.allowed(session, signin.FROM_ONE_PLACE, place, at=at):
        return None
    trip = _trip(browser, secrets.token_urlsafe(32), back if len(back) <= _LONGEST_WAY_BACK else "")
    visit = ProviderVisit(
        state_digest=digest_of(trip.state), browser_digest=digest_of(browser), back=trip.back, started_at=at
    )
    session.add(visit)
    return trip


def come_back(session: Session, browser: str, state: str, *, at: datetime) -> Trip | None:
    """A browser is back: once, within ten minutes, and only the one that was sent off. None for any other."""
    ended = (
        sa.update(ProviderVisit)
        .where(
            col(ProviderVisit.state_digest) == digest_of(state),
            col(ProviderVisit.browser_digest) == digest_of(browser),
            col(ProviderVisit.ended_at).is_(None),
            col(ProviderVisit.started_at) > at - LIFE,
        )
        .values(ended_at=at)
        .returning(col(ProviderVisit.back))
    )
    back: str | None = session.execute(ended).scalar_one_or_none()
    return None if back is None else _trip(browser, state, back)


def let_in(session: Session, vouched: Vouched, *, at: datetime) -> Step:
    """In, or on to the hub's own second factor: the step's `account_id` tells which.

    The same answer, WRONG, for an account that does not exist, is disabled, or is somebody else's there. Whoever holds
    the keys to other people's accounts gives the hub's own second factor, whatever the service says.
    """
    account = _account_of(session, vouched, at)
    if account is None or not signin.may_sign_in(account):
        return Step(Answer.WRONG)
    if vouched.second_factor and account.role not in sessions.NEEDS_AUTHENTICATOR:
        return Step(Answer.GO_ON, sessions.open_session(session, account, at=at, proven=False), account.id)
    browser = secrets.token_urlsafe(32)
    signin.open_attempt(session, account, browser, at=at)
    return Step(Answer.GO_ON, browser)


def _trip(browser: str, state: str, back: str) -> Trip:
    nonce, verifier = (keyed_digest(f"provider-{part}", f"{browser}/{state}") for part in ("nonce", "verifier"))
    return Trip(state, nonce, verifier, back)


def _account_of(session: Session, vouched: Vouched, at: datetime) -> Account | None:
    """Who was bound to this subject; or, at the first time, who has its address and was bound to no other."""
    subject = keyed_digest("provider-subject", vouched.subject)
    bound = session.exec(select(Account).where(col(Account.provider_subject) == subject).with_for_update()).first()
    if bound is not None or not _speaks_for(vouched.address):
        return bound
    query = select(Account).where(Account.email_digest == signin.email_digest(vouched.address)).with_for_update()
    account = session.exec(query).first()
    if account is None or account.provider_subject is not None or not signin.may_sign_in(account):
        return None
    account.provider_subject = subject
    session.add(account)
    accounts.note(session, account.id, "PROVIDER_BOUND", by=account.as_actor(), at=at)
    return account


def _speaks_for(address: str) -> bool:
    """Whether the council answers for this address: its service cannot bring in the people of another body."""
    domains = {each.strip().lower() for each in settings().oidc_domains.split(",") if each.strip()}
    # Letters of other alphabets can become ours in lower case, and an address somebody else's.
    return address.isascii() and address.strip().lower().rpartition("@")[2] in domains
