"""Accounts and their tokens. An account is added for somebody; nobody adds their own (R47)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import addresses, passwords, sessions, signin
from casework.documents import AccountDocument, AddressDocument, InductionDocument
from casework.notices import say_privately
from models.account import Account, AccountEvent, ApiToken
from models.keyed import digest_of
from models.profile import Profile
from models.signin import Invitation
from notifications.account_letters import AccountLetter
from rules.administration import GIVEN, STAFF, check_may_administer
from rules.errors import Conflict, FieldError, NotAcceptable, NotFound, Refused
from rules.permissions import Actor, Role
from rules.reference import ALPHABET

_PREFIX = "mash_"
INVITED_FOR = timedelta(days=3)


def add_account(session: Session, account: Account) -> Account:
    """Add an account, or leave the one of that id as it is."""
    if existing := session.get(Account, account.id):
        return existing
    session.add(account)
    session.flush()
    return account


def give_address(session: Session, account: Account, email: str, display_name: str) -> None:
    """Give a person's account its address and name, when it has none yet."""
    if account.email is None:
        account.email, account.email_digest = email, signin.email_digest(email)
        account.display_name = display_name
        session.add(account)


def name_of(session: Session, account_id: str) -> str:
    """What the owner of an account is called; its code, where nobody has said."""
    account = session.get(Account, account_id)
    return (account.display_name if account else None) or account_id


def within_reach(session: Session, *roles: Role) -> list[Account]:
    """The people of some roles who have an account in use and an address to write to."""
    query = select(Account).where(
        col(Account.role).in_(roles), col(Account.is_person), col(Account.disabled_at).is_(None),
        col(Account.email_digest).is_not(None),
    )  # fmt: skip
    return list(session.exec(query.order_by(Account.id)))


def issue_token(session: Session, account_id: str, *, at: datetime) -> str:
    """A new token for an account: shown once, kept only as a digest. Raises NotFound."""
    if session.get(Account, account_id) is None:
        raise NotFound("there is no such account")
    token = _PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(account_id=account_id, digest=digest_of(token), issued_at=at))
    return token


def actor_of(session: Session, token: str) -> Actor | None:
    """Whom a token stands for, or None when it stands for nobody (any more)."""
    query = (
        select(Account)
        .join(ApiToken, col(ApiToken.account_id) == col(Account.id))
        .where(
            ApiToken.digest == digest_of(token), col(ApiToken.revoked_at).is_(None), col(Account.disabled_at).is_(None)
        )
    )
    found = session.exec(query).first()
    return found.as_actor() if found and found.role is not Role.HUB else None


def add_person(session: Session, document: AccountDocument, profile: Profile, *, by: Actor, at: datetime) -> Account:
    """Open an account for a person, and invite them by mail (R47).

    Raises NotPermitted, and NotAcceptable with every bad field.
    """
    check_may_administer(by)
    role = _role(document, profile)
    email = _address(session, document.email, profile, role, document, by=by, at=at)
    account = Account(
        id=_fresh_id(session, role), role=role, is_person=True, agency=document.agency, duty_team=document.duty_team,
        added_at=at, confirmed_at=sessions.real_now(session),
    )  # fmt: skip
    give_address(session, account, email, document.display_name)
    session.add(account)
    session.flush()
    note(session, account.id, "ADDED", by=by, at=at, role=role, agency=document.agency, duty_team=document.duty_team)
    invite(session, account.id, by=by, at=at)
    return account


def _address(
    session: Session, text: str, profile: Profile, role: Role, of: AccountDocument | Account, *, by: Actor, at: datetime
) -> str:
    """An address of a person's own body, and theirs from now on: one that an account had whose owner left, it gives up.

    So whoever comes back has another account under the address that they had. Raises NotAcceptable.
    """
    email = addresses.free_address(session, text, addresses.allowed_domains(profile, role, of.agency, of.duty_team))
    if left := addresses.holder_of(session, email):
        left.email = left.email_digest = None
        session.add(left)
        session.flush()
        note(session, left.id, "ADDRESS_GIVEN_UP", by=by, at=at)
    return email


def change_address(
    session: Session, account_id: str, document: AddressDocument, profile: Profile, *, by: Actor, at: datetime
) -> None:
    """A person's mail goes elsewhere from now on; they prove the new mailbox before they come in again (S-9).

    Raises NotPermitted, NotFound, Refused, and NotAcceptable for an address that is not their body's own, or is taken.
    """
    check_may_administer(by, account_id)
    account = _person(session, account_id)
    email = _address(session, document.email, profile, account.role, account, by=by, at=at)
    account.email, account.email_digest, account.password_hash = email, signin.email_digest(email), None
    account.provider_subject = None
    session.add(account)
    session.flush()
    sessions.end_all(session, account_id, at=sessions.real_now(session))
    note(session, account_id, "ADDRESS_CHANGED", by=by, at=at)
    send_invitation(session, account_id, by=by, at=at)


def invite(session: Session, account_id: str, *, by: Actor, at: datetime) -> str:
    """Mail a person the link by which they choose a password, and return its path; earlier links are dead.

    Raises NotPermitted, NotFound, and Refused for an account that cannot sign in.
    """
    check_may_administer(by, account_id)
    return send_invitation(session, account_id, by=by, at=at)


def send_invitation(session: Session, account_id: str, *, by: Actor, at: datetime) -> str:
    """What `invite` does, for a caller that holds the hub's own keys: the command line."""
    account = _person(session, account_id)
    if account.disabled_at is not None or account.email is None:
        raise Refused(f"account {account_id} is disabled, or has no e-mail address")
    real_now = sessions.real_now(session)
    withdraw_invitations(session, account_id, real_now)
    token = secrets.token_urlsafe(32)
    expires_at = real_now + INVITED_FOR
    session.add(Invitation(account_id=account_id, digest=digest_of(token), issued_at=real_now, expires_at=expires_at))
    path = f"/invitation/{token}"
    say_privately(session, AccountLetter.INVITATION, account_id, path, at=real_now, expires_at=expires_at)
    note(session, account_id, "INVITED", by=by, at=at)
    return path


def invited(session: Session, token: str) -> Account | None:
    """Whose invitation this is, while it is good; None otherwise."""
    found = _invitation(session, token)
    return session.get(Account, found.account_id) if found else None


def accept_invitation(session: Session, token: str, password: str, *, at: datetime) -> None:
    """The invited person chooses a password; whoever was signed in before is signed out.

    An authenticator set up earlier is forgotten, and so is who they were to the council's sign-in service: an
    invitation is also how somebody who lost theirs comes back.
    Raises NotFound for a link that is used or too old, and NotAcceptable for a password that is no good.
    """
    invitation = _invitation(session, token)
    if invitation is None:
        raise NotFound("this link is used, or too old")
    account = _person(session, invitation.account_id)
    passwords.check_acceptable(password, account.email or "", account.display_name or "")
    account.password_hash = passwords.hash_password(password)
    account.wrong_codes, account.totp_secret, account.totp_last_step = 0, None, None
    account.provider_subject = None
    session.add(account)
    real_now = sessions.real_now(session)
    withdraw_invitations(session, account.id, real_now)
    sessions.end_all(session, account.id, at=real_now)
    note(session, account.id, "PASSWORD_CHOSEN", by=account.as_actor(), at=at)


def use_authenticator(session: Session, secret: str, code: str, *, by: Actor, at: datetime) -> None:
    """From now on this person's second step is their authenticator. Raises NotAcceptable for a code that is not its."""
    step = signin.matching_step(secret, "".join(code.split()), sessions.real_now(session))
    if step is None:
        raise NotAcceptable(FieldError("/code", "this is not the code that the authenticator shows now"))
    account = _person(session, by.id)
    account.totp_secret, account.totp_last_step = secret, step
    session.add(account)
    note(session, by.id, "AUTHENTICATOR_SET_UP", by=by, at=at)


def disable(session: Session, account_id: str, *, by: Actor, at: datetime) -> None:
    """A leaver: their sessions end and their tokens stand for nobody, from this moment. Done already: nothing."""
    check_may_administer(by, account_id)
    account = find(session, account_id)
    if account.disabled_at is None:
        close(session, account, "DISABLED", by=by, at=at)


def close(session: Session, account: Account, act: str, *, by: Actor, at: datetime) -> None:
    """What `disable` does, for whoever may close this account for another reason; `act` says which."""
    account.disabled_at, account.mash_profile, account.manages_colleagues = at, False, False
    account.manager_authority = False
    session.add(account)
    real_now = sessions.real_now(session)
    sessions.end_all(session, account.id, at=real_now)
    withdraw_invitations(session, account.id, real_now)
    note(session, account.id, act, by=by, at=at)


def grant_mash_profile(
    session: Session, account_id: str, document: InductionDocument, *, by: Actor, at: datetime
) -> None:
    """Open the MASH assessment to a member of staff whose induction is recorded (R48, R64)."""
    check_may_administer(by, account_id)
    account = _person(session, account_id)
    if account.role not in STAFF or account.disabled_at is not None:
        raise Refused("only the hub's own staff can hold the MASH profile")
    if document.inducted_at > at:
        raise NotAcceptable(FieldError("/inducted_at", "is in the future: the induction comes first"))
    account.inducted_at, account.mash_profile = document.inducted_at, True
    session.add(account)
    note(session, account_id, "MASH_PROFILE_GRANTED", by=by, at=at, inducted_at=document.inducted_at.isoformat())


def withdraw_mash_profile(session: Session, account_id: str, *, by: Actor, at: datetime) -> None:
    """The assessment is closed to this account from its next request on; a manager's authority goes with it."""
    check_may_administer(by, account_id)
    account = _person(session, account_id)
    account.mash_profile = account.manager_authority = False
    session.add(account)
    note(session, account_id, "MASH_PROFILE_WITHDRAWN", by=by, at=at)


def grant_manager_authority(session: Session, account_id: str, *, by: Actor, at: datetime) -> None:
    """Let a decision maker with the MASH profile make the outcomes that need a manager (R39).

    Raises NotPermitted, also on one's own account, NotFound, and Conflict for anybody else.
    """
    check_may_administer(by, account_id)
    account = _person(session, account_id)
    if account.role is not Role.DECISION_MAKER or not account.mash_profile:
        raise Conflict(f"account {account_id} is no decision maker's with the MASH profile")
    account.manager_authority = True
    session.add(account)
    note(session, account_id, "MANAGER_AUTHORITY_GRANTED", by=by, at=at)


def withdraw_manager_authority(session: Session, account_id: str, *, by: Actor, at: datetime) -> None:
    """Outcomes that need a manager are not theirs to make from their next request on."""
    check_may_administer(by, account_id)
    account = _person(session, account_id)
    account.manager_authority = False
    session.add(account)
    note(session, account_id, "MANAGER_AUTHORITY_WITHDRAWN", by=by, at=at)


def events(session: Session, account_id: str) -> list[AccountEvent]:
    """What was done to an account, newest first."""
    query = select(AccountEvent).where(AccountEvent.account_id == account_id).order_by(col(AccountEvent.id).desc())
    return list(session.exec(query))


def _role(document: AccountDocument, profile: Profile) -> Role:
    if document.role not in GIVEN:
        raise NotAcceptable(FieldError("/role", "choose one of the roles"))
    role = Role(document.role)
    wrong = []
    if (document.agency is not None) != (role is Role.AGENCY):
        wrong.append(FieldError("/agency", "choose an agency for a representative, and for nobody else"))
    elif document.agency is not None and document.agency not in {a.code for a in profile.agencies}:
        wrong.append(FieldError("/agency", "choose one of the agencies"))
    if (document.duty_team is not None) != (role is Role.DUTY_TEAM):
        wrong.append(FieldError("/duty_team", "choose a duty team for its member, and for nobody else"))
    elif document.duty_team is not None and document.duty_team not in {t.code for t in profile.duty_teams}:
        wrong.append(FieldError("/duty_team", "choose one of the duty teams"))
    if wrong:
        raise NotAcceptable(*wrong)
    return role


def _fresh_id(session: Session, role: Role) -> str:
    while session.get(Account, fresh := f"{role.lower().replace('_', '-')}-{_characters()}"):
        pass
    return fresh


def _characters() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(5)).lower()


def find(session: Session, account_id: str) -> Account:
    """An account, locked. Raises NotFound."""
    query = select(Account).where(Account.id == account_id, col(Account.role) != Role.HUB).with_for_update()
    if found := session.exec(query.execution_options(populate_existing=True)).first():
        return found
    raise NotFound("there is no such account")


def find_representative(session: Session, account_id: str) -> Account:
    """An agency's person, locked. Raises NotFound, and Conflict for anybody else."""
    account = find(session, account_id)
    if account.agency is None or not account.is_person or account.disabled_at is not None:
        raise Conflict(f"account {account_id} is no representative's, or is disabled")
    return account


def _person(session: Session, account_id: str) -> Account:
    found = find(session, account_id)
    if not found.is_person:
        raise Conflict(f"account {account_id} is a system's: it has no password")
    return found


def _invitation(session: Session, token: str) -> Invitation | None:
    query = (
        select(Invitation)
        .join(Account, col(Account.id) == col(Invitation.account_id))
        .where(
            Invitation.digest == digest_of(token),
            col(Invitation.ended_at).is_(None),
            col(Invitation.expires_at) > sessions.real_now(session),
            col(Account.disabled_at).is_(None),
        )
        .with_for_update(of=Invitation)
    )
    return session.exec(query).first()


def withdraw_invitations(session: Session, account_id: str, real_now: datetime) -> None:
    """The links that an account was sent open nothing any more."""
    session.execute(
        sa.update(Invitation)
        .where(col(Invitation.account_id) == account_id, col(Invitation.ended_at).is_(None))
        .values(ended_at=real_now)
    )


def note(session: Session, account_id: str, act: str, *, by: Actor, at: datetime, **detail: Any) -> None:
    """Write down what was done to an account, by whom and when: the audit of accounts."""
    session.add(AccountEvent(account_id=account_id, at=at, actor=by.id, act=act, detail=detail))
