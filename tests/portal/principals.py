"""Everybody who may stand before the portal: nobody, half of somebody, somebody of each role, and who was somebody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from casework.db import unit_of_work
from casework.sessions import open_session, real_now
from models.account import Account
from portal import cookies
from rules.permissions import Actor, Role
from tests.portal.caller import FORM, JSON

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Principal:
    """Who asks: how they are called in a failure, who they are to the rules, and what their requests carry."""

    name: str
    actor: Actor | None
    cookie: str = ""
    token: str = ""
    is_system: bool = field(default=False)

    def headers(self, method: str, *, api: bool) -> dict[str, str]:
        """What this principal's request carries, a proof of its own page included."""
        kind = {"Content-Type": JSON if api else FORM} if method == "POST" else {}
        if self.token:
            return kind | {"Authorization": f"Bearer {self.token}"} | ({} if api else BROWSER)
        own = {"Cookie": f"{cookies.name_of(cookies.SESSION)}={self.cookie}"} if self.cookie else {}
        proof = {cookies.HEADER: cookies.form_token(self.cookie)} if self.cookie else {}
        return kind | own | proof | BROWSER


#: Who is signed in, by what they are called here; `OFFICER` and the rest are accounts of conftest.
_PERSONS = {
    "duty officer": "OFFICER",
    "other duty team's officer": "ADULT_OFFICER",
    "asked agency": "POLICE",
    "agency that was not asked": "RUH",
    "MASH support": "MASH_SUPPORT",
    "support without the profile": "SUPPORT_WITHOUT_PROFILE",
    "decision maker": "DECISION_MAKER",
    "manager": "MANAGER",
    "decider without the profile": "DECIDER_WITHOUT_PROFILE",
    "analyst": "ANALYST",
    "board member": "BOARD",
    "IG lead": "IG_LEAD",
    "administrator": "ACCOUNT_ADMIN",
    "operator": "OPERATOR",
}


def everybody(tokens: dict[str, str]) -> list[Principal]:
    """All principals, those with nothing first. Needs the record's settings."""
    with unit_of_work() as session:
        at = real_now(session)
        people = {name: _account(session, account_id) for name, account_id in _PERSONS.items()}
        leaver, late, system = (_account(session, each) for each in ("LEAVER", "SECOND_DECIDER", "CHILDREN_DUTY"))
        people["administrator"].totp_secret = "A" * 32
        stays = {name: open_session(session, account, at=at) for name, account in people.items()}
        gone = open_session(session, leaver, at=at)
        expired = open_session(session, late, at=at - timedelta(hours=1))
    return [
        Principal("nobody", None),
        Principal("half signed in", None, cookie=cookies.fresh()),
        Principal("a leaver", None, cookie=gone),
        Principal("whose session ran out", None, cookie=expired),
        Principal("the duty team's system", system.as_actor(), token=tokens["CHILDREN_DUTY"], is_system=True),
        *(Principal(name, account.as_actor(), cookie=stays[name]) for name, account in people.items()),
    ]


def _account(session: object, account_id: str) -> Account:
    found = session.get(Account, account_id)  # type: ignore[attr-defined]
    assert found is not None
    return found


def is_staff_without_profile(actor: Actor) -> bool:
    """Works in the hub, and yet may not open the assessment."""
    return actor.role in {Role.MASH_SUPPORT, Role.DECISION_MAKER} and not actor.mash_profile
