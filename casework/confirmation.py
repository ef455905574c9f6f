"""Every half year somebody says who still works there; an account that nobody speaks for is closed (R47).

All times are real time, for an account opens by the real clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import accounts
from casework.documents import ConfirmationDocument
from casework.follow import Seen
from casework.notices import say_privately
from models.account import Account, AccountEvent
from models.profile import Profile
from notifications.account_letters import AccountLetter
from rules.administration import check_may_administer
from rules.confirmation import Care, Standing, answers_for, check_answers_for, check_manages
from rules.errors import FieldError, NotAcceptable
from rules.permissions import HUB, Actor, Role

ASKED_EVERY = timedelta(days=14)
_ASKED = "ASKED_TO_CONFIRM"
STAYS, LEFT = "STAYS", "LEFT"


class ColleagueSeen(Seen):
    """One person as whoever answers for them sees them."""

    id: str
    display_name: str | None
    email: str | None
    role: Role
    agency: str | None
    duty_team: str | None
    last_signed_in_at: datetime | None
    confirmed_at: datetime | None
    standing: Standing
    due_at: datetime
    ends_at: datetime
    mine: bool


def care_of(profile: Profile) -> Care:
    """The periods that the area's profile gives."""
    rules = profile.accounts
    return Care(timedelta(days=rules.confirm_every_days), timedelta(days=rules.disable_after_days))


def colleagues(session: Session, profile: Profile, *, by: Actor, at: datetime) -> list[ColleagueSeen]:
    """The people of a named manager's own agency whom they answer for, the most urgent first. Raises NotPermitted."""
    check_manages(by)
    return [seen for seen in _everybody(session, profile, by=by, at=at) if seen.mine]


def waiting(session: Session, profile: Profile, *, by: Actor, at: datetime) -> list[ColleagueSeen]:
    """Every account that is to be confirmed soon, or should have been, for an administrator. Raises NotPermitted."""
    check_may_administer(by)
    everybody = _everybody(session, profile, by=by, at=at)
    return [seen for seen in everybody if seen.standing is not Standing.CONFIRMED]


def confirm(session: Session, document: ConfirmationDocument, *, by: Actor, at: datetime) -> None:
    """Say of some people that they still work here, and of others that they left, which closes their accounts.

    `at` is real time. Raises NotFound for somebody whom this actor does not answer for, NotAcceptable for no answer.
    """
    managers = _managers(session)
    if not document.people:
        raise NotAcceptable(FieldError("/people", "say of at least one person whether they still work there"))
    for account_id, answer in sorted(document.people.items()):
        account = accounts.find(session, account_id)
        check_answers_for(by, account.as_actor(), managers)
        if account.disabled_at is None and answer == LEFT:
            accounts.close(session, account, LEFT, by=by, at=at)
        elif account.disabled_at is None:
            account.confirmed_at = at
            session.add(account)
            accounts.note(session, account_id, "CONFIRMED", by=by, at=at)


def name_manager(session: Session, account_id: str, manages: bool, *, by: Actor, at: datetime) -> None:
    """Let somebody confirm the people of their agency, or no longer. Raises NotPermitted, NotFound, Conflict."""
    check_may_administer(by, account_id)
    account = accounts.find_representative(session, account_id)
    account.manages_colleagues = manages
    session.add(account)
    accounts.note(session, account_id, "NAMED_MANAGER" if manages else "NO_MANAGER", by=by, at=at)


def keep_round(session: Session, profile: Profile, *, at: datetime) -> list[str]:
    """Close accounts that nobody spoke for in time, ask whoever is to speak soon; the ids of those closed.

    The last administrator is never closed by the clock. `at` is real time.
    """
    uncounted = sa.update(Account).where(col(Account.is_person), col(Account.confirmed_at).is_(None))
    session.execute(uncounted.values(confirmed_at=at))
    people, care = _people(session), care_of(profile)
    over = [each for each in people if care.standing(each.confirmed_at or at, at) is Standing.OVER]
    closed = []
    for account in over:
        if account.role is Role.ACCOUNT_ADMIN and _is_last(session):
            continue
        accounts.close(session, account, "NOT_CONFIRMED", by=HUB, at=at)
        session.flush()
        closed.append(account.id)
    _ask(session, [each for each in people if each.disabled_at is None], care, at)
    return closed


def _ask(session: Session, people: list[Account], care: Care, at: datetime) -> None:
    waits = [each for each in people if care.standing(each.confirmed_at or at, at) is not Standing.CONFIRMED]
    managers = _managers(session)
    for person in people:
        actor = person.as_actor()
        is_asked = person.email and any(answers_for(actor, each.as_actor(), managers) for each in waits)
        if is_asked and not _asked_lately(session, person.id, at):
            path = "/accounts-stale" if person.role is Role.ACCOUNT_ADMIN else "/colleagues"
            expires_at = at + ASKED_EVERY
            say_privately(session, AccountLetter.CONFIRM_COLLEAGUES, person.id, path, at=at, expires_at=expires_at)
            accounts.note(session, person.id, _ASKED, by=HUB, at=at)


def _asked_lately(session: Session, account_id: str, at: datetime) -> bool:
    query = select(AccountEvent.id).where(
        AccountEvent.account_id == account_id, AccountEvent.act == _ASKED, col(AccountEvent.at) > at - ASKED_EVERY
    )
    return session.exec(query).first() is not None


def _everybody(session: Session, profile: Profile, *, by: Actor, at: datetime) -> list[ColleagueSeen]:
    care, managers = care_of(profile), _managers(session)
    found = [
        ColleagueSeen.of(
            account, standing=care.standing(confirmed_at, at), due_at=care.due_at(confirmed_at),
            ends_at=care.ends_at(confirmed_at), mine=answers_for(by, account.as_actor(), managers),
        )
        for account in _people(session)
        for confirmed_at in [account.confirmed_at or at]
    ]  # fmt: skip
    return sorted(found, key=lambda seen: (seen.due_at, seen.id))


def _people(session: Session) -> list[Account]:
    query = select(Account).where(col(Account.is_person), col(Account.disabled_at).is_(None)).order_by(Account.id)
    return list(session.exec(query))


def _managers(session: Session) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for account in _who_manage(_people(session)):
        found[account.agency or ""].add(account.id)
    return found


def _who_manage(people: Iterable[Account]) -> Iterable[Account]:
    return (account for account in people if account.manages_colleagues)


def _is_last(session: Session) -> bool:
    return sum(account.role is Role.ACCOUNT_ADMIN for account in _people(session)) == 1
