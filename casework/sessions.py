"""A person's stay in the portal: begun at sign-in, ended at sign-out, after a while, or with the account (R46, R47)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models.account import Account
from models.keyed import digest_of
from models.signin import PortalSession
from rules.permissions import Actor, Role

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
#: How old `seen_at` may be before a page writes it anew; less would be a write for each page.
_COARSE = timedelta(seconds=60)
#: Those who hold the keys to other people's accounts need the stronger second factor.
NEEDS_AUTHENTICATOR = frozenset({Role.ACCOUNT_ADMIN})


@dataclass(frozen=True)
class Visitor:
    """Who is signed in. `name` is what they are called on their own pages."""

    actor: Actor
    name: str
    must_set_up_authenticator: bool
    #: Until when this person stays signed in if they open no other page, in real time.
    until: datetime
    seen_at: datetime


def real_now(session: Session) -> datetime:
    """The real time, aware UTC, by the database's clock: sessions and codes do not live by a scenario's."""
    moment: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def open_session(session: Session, account: Account, *, at: datetime, proven: bool = True) -> str:
    """A new session's token, for the person's browser alone, once both factors are given. `at` is real time.

    `proven` is false when the hub did not see the second factor itself: it asks for it before a decision (S-16).
    """
    token = secrets.token_urlsafe(32)
    proven_at = at if proven else None
    session.add(
        PortalSession(account_id=account.id, digest=digest_of(token), started_at=at, seen_at=at, proven_at=proven_at)
    )
    account.last_signed_in_at = at
    session.add(account)
    return token


def visitor_of(session: Session, token: str, *, looked_at: bool = True) -> Visitor | None:
    """Whose session a token is, or None when it is nobody's (any more).

    With `looked_at` false the call is a page's own refreshing, which must not keep a session alive.
    """
    at = real_now(session)
    query = (
        select(PortalSession, Account)
        .join(Account, col(Account.id) == col(PortalSession.account_id))
        .where(
            PortalSession.digest == digest_of(token),
            col(PortalSession.ended_at).is_(None),
            col(PortalSession.seen_at) > at - IDLE,
            col(PortalSession.started_at) > at - LONGEST,
            col(Account.disabled_at).is_(None),
            col(Account.is_person),
        )
    )
    found = session.exec(query).first()
    if found is None:
        return None
    stay, account = found
    if looked_at and stay.seen_at < at - _COARSE:
        stay.seen_at = at
        session.add(stay)
    must = account.role in NEEDS_AUTHENTICATOR and account.totp_secret is None
    until = min(stay.seen_at + IDLE, stay.started_at + LONGEST)
    return Visitor(account.as_actor(), account.display_name or account.id, must, until, stay.seen_at)


def lately_of(session: Session, token: str) -> Actor | None:
    """Who was signed in with a token that is good no more, while their account is in use; None when nobody was."""
    query = (
        select(Account)
        .join(PortalSession, col(Account.id) == col(PortalSession.account_id))
        .where(PortalSession.digest == digest_of(token), col(Account.disabled_at).is_(None), col(Account.is_person))
    )
    found = session.exec(query).first()
    return found.as_actor() if found else None


def end(session: Session, token: str, *, at: datetime) -> None:
    """Sign out: this session is over, whoever still holds its token."""
    session.execute(
        sa.update(PortalSession)
        .where(col(PortalSession.digest) == digest_of(token), col(PortalSession.ended_at).is_(None))
        .values(ended_at=at)
    )


def end_all(session: Session, account_id: str, *, at: datetime, but: str = "") -> None:
    """Every session of an account is over, all `but` the one of this token."""
    session.execute(
        sa.update(PortalSession)
        .where(
            col(PortalSession.account_id) == account_id,
            col(PortalSession.ended_at).is_(None),
            col(PortalSession.digest) != digest_of(but),
        )
        .values(ended_at=at)
    )
