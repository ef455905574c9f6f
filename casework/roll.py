"""The accounts as an administrator sees them: who has one, and who has not been here for long (R47)."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field
from sqlmodel import Session, col, select

from casework.follow import Seen
from models.account import Account
from rules.administration import check_may_administer
from rules.errors import NotFound
from rules.permissions import Actor, Role

#: After so long without signing in, the agency is asked whether the person still works there.
STALE = timedelta(days=183)


class AccountSeen(Seen):
    """One person's account. No case content is anywhere near it."""

    id: str
    display_name: str | None
    email: str | None
    role: Role
    agency: str | None
    duty_team: str | None
    mash_profile: bool
    inducted_at: datetime | None
    last_signed_in_at: datetime | None
    disabled_at: datetime | None
    manages_colleagues: bool
    manager_authority: bool
    confirmed_at: datetime | None
    stale: bool = Field(description="Nobody has signed in here for half a year")


def roll(session: Session, *, by: Actor, at: datetime) -> list[AccountSeen]:
    """Every person's account, those in use first."""
    check_may_administer(by)
    query = select(Account).where(col(Account.is_person)).order_by(col(Account.disabled_at).nulls_first(), Account.id)
    return [_seen(account, at) for account in session.exec(query)]


def one(session: Session, account_id: str, *, by: Actor, at: datetime) -> AccountSeen:
    """One account. Raises NotFound."""
    check_may_administer(by)
    account = session.get(Account, account_id)
    if account is None or not account.is_person:
        raise NotFound("there is no such account")
    return _seen(account, at)


def _seen(account: Account, at: datetime) -> AccountSeen:
    last = account.last_signed_in_at or account.added_at
    return AccountSeen.of(account, stale=account.disabled_at is None and last < at - STALE)
