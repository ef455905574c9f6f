"""Adding an account from the command line, for a site that is in use."""

from __future__ import annotations

from casework.accounts import add_account, give_address, issue_token, send_invitation
from casework.addresses import allowed_domains
from casework.db import now, unit_of_work
from casework.register import current_profile, use_profile
from models.account import Account
from models.settings import settings
from notifications.channels import check_address
from rules.administration import check_domain
from rules.errors import NotAcceptable, Refused
from rules.permissions import HUB, Role


def add(
    account_id: str, role: str, *, duty_team: str | None, agency: str | None, is_person: bool, mash_profile: bool
) -> str:
    """Add an account, or find the one of that id, and issue it a token. Returns the token.

    Raises Refused with the option that does not fit the role or the profile.
    """
    wanted = _role(role)
    profile = current_profile()
    if wanted is Role.AGENCY:
        profile.agency(agency or "")
    if wanted is Role.DUTY_TEAM:
        profile.duty_team(duty_team or "")
    if (agency is not None) != (wanted is Role.AGENCY):
        raise Refused("--agency goes with the role AGENCY, and only with it")
    if (duty_team is not None) != (wanted is Role.DUTY_TEAM):
        raise Refused("--duty-team goes with the role DUTY_TEAM, and only with it")
    if mash_profile and wanted not in (Role.MASH_SUPPORT, Role.DECISION_MAKER):
        raise Refused("--mash-profile goes with the roles MASH_SUPPORT and DECISION_MAKER")
    if not is_person and wanted not in (Role.AGENCY, Role.DUTY_TEAM):
        raise Refused("--system goes with the roles AGENCY and DUTY_TEAM: everybody else signs as a person")
    with unit_of_work() as session:
        at = now(session)
        use_profile(session, profile, at)
        account = Account(
            id=account_id, role=wanted, is_person=is_person, agency=agency, duty_team=duty_team,
            mash_profile=mash_profile, added_at=at,
        )  # fmt: skip
        return issue_token(session, add_account(session, account).id, at=at)


def invite(account_id: str, *, email: str | None, name: str | None) -> str:
    """Mail somebody the link by which they choose a password, and return it. `email` is for who has none yet.

    Whoever runs this holds the hub's own keys. Raises Refused, NotFound.
    """
    with unit_of_work() as session:
        account = session.get(Account, account_id)
        if account is not None and email is not None:
            address = check_address(email)
            try:
                domains = allowed_domains(current_profile(), account.role, account.agency, account.duty_team)
                check_domain(address, domains)
            except NotAcceptable as refused:
                raise Refused(f"--email: {refused.fields[0].detail}") from None
            give_address(session, account, address, name or account_id)
            session.flush()
        return settings().portal_url + send_invitation(session, account_id, by=HUB, at=now(session))


def _role(role: str) -> Role:
    usable = [each for each in Role if each is not Role.HUB]
    if role not in usable:
        raise Refused(f"--role: use one of {', '.join(usable)}")
    return Role(role)
