"""Accounts for trying the hub on one machine: one for each duty team and agency, and the people of the hub.

Their tokens are written to `tokens.json` in the home folder, readable by its owner alone. A site that is in use adds
its own accounts instead (`mash account add`).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from casework import agreements
from casework.accounts import actor_of, add_account, give_address, issue_token
from casework.addresses import allowed_domains
from casework.db import now, unit_of_work
from casework.documents import AgreementDocument
from casework.register import current_profile, use_profile
from engine.credentials import write_private
from models.account import Account
from models.agreement import SharingAgreement
from models.profile import Profile
from rules.errors import Misconfigured
from rules.permissions import Actor, Role

FILE = "tokens.json"


def open_accounts(home: Path) -> dict[str, str]:
    """Tokens by account id, made the first time and kept. Needs the record's settings in the environment."""
    profile = current_profile()
    with unit_of_work() as session:
        at = now(session)
        use_profile(session, profile, at)
        kept = _kept(home)
        tokens = {
            account.id: kept[account.id]
            if account.id in kept and actor_of(session, kept[account.id])
            else issue_token(session, add_account(session, account).id, at=at)
            for account in _accounts(profile, at)
        }
        _give_addresses(session, profile)
        _agree(session, profile, at)
    write_private(home / FILE, json.dumps(tokens, indent=2))
    return tokens


def token_of(home: Path, account_id: str) -> str:
    """One account's token. Raises Misconfigured when this home folder has none."""
    try:
        return _kept(home)[account_id]
    except KeyError:
        raise Misconfigured(
            f"no token for {account_id} in {home / FILE}: run `mash up` first, or give one with --token or MASH_TOKEN"
        ) from None


def duty_account(duty_team: str) -> str:
    """The id of a duty team's trial account."""
    return f"system-{duty_team}"


def account_to_refer(home: Path, document: Any) -> str:
    """The trial account to send a referral with: its duty team's, or any duty team's, so that the hub can say what is
    wrong with one that names none."""
    named = duty_account(str(document.get("duty_team"))) if isinstance(document, dict) else ""
    known = [account for account in _kept(home) if account.startswith(duty_account(""))]
    return named if named in known or not known else known[0]


def officer_account(duty_team: str) -> str:
    """The id of a duty team's trial member, a person."""
    return f"officer-{duty_team}"


def agency_account(agency: str) -> str:
    """The id of an agency's trial account."""
    return f"rep-{agency}"


MASH_SUPPORT = "mash-support"
DECISION_MAKERS = ("decision-maker-1", "decision-maker-2")
#: A decision maker with a manager's authority (R39).
MANAGER = "mash-manager"
OPERATOR = "operator"
ADMINISTRATOR = "account-admin"
GOVERNANCE = "governance-lead"


def _accounts(profile: Profile, at: datetime) -> list[Account]:
    teams = [
        Account(id=duty_account(t.code), role=Role.DUTY_TEAM, is_person=False, duty_team=t.code, added_at=at)
        for t in profile.duty_teams
    ]
    agencies = [
        Account(id=agency_account(a.code), role=Role.AGENCY, is_person=True, agency=a.code, added_at=at)
        for a in profile.agencies
    ]
    deciders = [
        Account(id=name, role=Role.DECISION_MAKER, is_person=True, mash_profile=True, added_at=at)
        for name in DECISION_MAKERS
    ]
    manager = Account(
        id=MANAGER, role=Role.DECISION_MAKER, is_person=True, mash_profile=True, manager_authority=True, added_at=at
    )
    support = Account(id=MASH_SUPPORT, role=Role.MASH_SUPPORT, is_person=True, mash_profile=True, added_at=at)
    operator = Account(id=OPERATOR, role=Role.OPERATOR, is_person=True, added_at=at)
    administrator = Account(id=ADMINISTRATOR, role=Role.ACCOUNT_ADMIN, is_person=True, added_at=at)
    governance = Account(id=GOVERNANCE, role=Role.IG_LEAD, is_person=True, added_at=at)
    officers = [
        Account(id=officer_account(t.code), role=Role.DUTY_TEAM, is_person=True, duty_team=t.code, added_at=at)
        for t in profile.duty_teams
    ]
    return [*teams, *officers, *agencies, *deciders, manager, support, operator, administrator, governance]


def _give_addresses(session: Session, profile: Profile) -> None:
    """People sign in at an address of their own body; `mash account invite ID` lets them choose a password."""
    for account in session.exec(select(Account).where(col(Account.is_person), col(Account.email).is_(None))):
        domains = sorted(allowed_domains(profile, account.role, account.agency, account.duty_team))
        if domains:
            local = account.id.lower().replace("_", "-")
            give_address(session, account, f"{local}@{domains[0]}", account.id)


def _agree(session: Session, profile: Profile, at: datetime) -> None:
    """One agreement of all bodies, so that agencies can be asked (R55). There is one already: nothing."""
    if session.exec(select(SharingAgreement.id).limit(1)).first() is not None:
        return
    by = Actor(ADMINISTRATOR, Role.ACCOUNT_ADMIN, is_person=True)
    agreements.add(session, trial_agreement(profile), profile, by=by, at=at)


def trial_agreement(profile: Profile) -> AgreementDocument:
    """An agreement of every agency and duty team, in force for as long as anybody tries the hub."""
    parties = [*(agency.code for agency in profile.agencies), *(team.code for team in profile.duty_teams)]
    return AgreementDocument(
        title="Trial agreement of all bodies", version="TRIAL", parties=parties,
        scope="For trying the hub with made-up people: what each body holds, to decide on the threshold.",
        signed_on=date(2016, 9, 1), in_force_from=date(2016, 9, 1), review_on=date(2099, 12, 31),
    )  # fmt: skip


def _kept(home: Path) -> dict[str, str]:
    try:
        kept = json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
