"""Accounts and their tokens. An account is added for somebody; nobody adds their own (R47)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlmodel import Session, col, select

from models.account import Account, ApiToken
from rules.errors import NotFound
from rules.permissions import Actor, Role

_PREFIX = "mash_"


def add_account(session: Session, account: Account) -> Account:
    """Add an account, or leave the one of that id as it is."""
    if existing := session.get(Account, account.id):
        return existing
    session.add(account)
    session.flush()
    return account


def issue_token(session: Session, account_id: str, *, at: datetime) -> str:
    """A new token for an account: shown once, kept only as a digest. Raises NotFound."""
    if session.get(Account, account_id) is None:
        raise NotFound("there is no such account")
    token = _PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(account_id=account_id, digest=_digest(token), issued_at=at))
    return token


def actor_of(session: Session, token: str) -> Actor | None:
    """Whom a token stands for, or None when it stands for nobody (any more)."""
    query = (
        select(Account)
        .join(ApiToken, col(ApiToken.account_id) == col(Account.id))
        .where(
            ApiToken.digest == _digest(token), col(ApiToken.revoked_at).is_(None), col(Account.disabled_at).is_(None)
        )
    )
    found = session.exec(query).first()
    return found.as_actor() if found and found.role is not Role.HUB else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
