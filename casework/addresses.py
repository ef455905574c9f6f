"""Where the mail of accounts may go: to the body that the account is for, and nowhere else (R47, S-9)."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session, select

from casework import signin
from models.account import Account
from models.profile import Profile
from notifications.channels import check_address
from rules.administration import check_domain
from rules.errors import FieldError, Misconfigured, NotAcceptable
from rules.permissions import Role


def allowed_domains(profile: Profile, role: Role, agency: str | None, duty_team: str | None) -> frozenset[str]:
    """The mail domains of a body, as the area profile gives them: those of its own notices."""
    if agency is not None:
        channels = [profile.agency(agency).notify]
    elif duty_team is not None:
        channels = [profile.duty_team(duty_team).notify]
    else:
        channels = list(profile.contacts.values())
    addresses = [address for each in channels for address in (each.primary, each.second)]
    return frozenset(address.rpartition("@")[2].lower() for address in addresses if "@" in address)


def free_address(session: Session, text: str, domains: Collection[str]) -> str:
    """An address as it is kept: of the body that it is for, and nobody's who is here (S-9). Raises NotAcceptable."""
    try:
        email = check_address(text)
    except Misconfigured:
        raise NotAcceptable(FieldError("/email", "is not an e-mail address, such as name@example.org")) from None
    check_domain(email, domains)
    holder = holder_of(session, email)
    if holder and holder.disabled_at is None:
        raise NotAcceptable(FieldError("/email", "somebody has an account with this address already"))
    return email


def holder_of(session: Session, email: str) -> Account | None:
    """Whose address this is, or was when they left."""
    return session.exec(select(Account).where(Account.email_digest == signin.email_digest(email))).first()
