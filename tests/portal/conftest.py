"""The API on a real record, with an account for every role; casework's verbs drive referrals through their stages."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import Session

import migrations
from casework import agreements
from casework.accounts import add_account, issue_token
from casework.db import now, unit_of_work
from casework.register import current_profile, use_profile
from engine.ports import ANY_FREE
from engine.stack import PARTS, Stack
from engine.trial import trial_agreement
from models.account import Account
from portal.app import create_app
from rules.permissions import Actor, Role
from tests.hub import BUSY, surroundings
from tests.hurry import hurry
from tests.portal.caller import Caller
from tests.portal.office import Office
from tests.portal.people import prove
from tests.portal.principals import Principal, everybody

with warnings.catch_warnings():
    # Starlette would rather have another HTTP client; the house has this one.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


#: The agency whose account is its named manager's.
MANAGED = "POLICE"


@dataclass(frozen=True)
class Credentials:
    """Every account's token, by the account's id."""

    tokens: dict[str, str]


@pytest.fixture(scope="session")
def server() -> Iterator[Stack]:
    """A PostgreSQL of the tests' own, with the record's tables."""
    folder = Path(tempfile.mkdtemp(prefix="mash-portal-"))
    folder.chmod(0o711)
    with Stack(folder, ANY_FREE, without=[part for part in PARTS if part != "postgres"]) as stack:
        hurry(stack)
        migrations.upgrade(stack.environment()["MASH_OWNER_DATABASE_URL"])
        yield stack
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def credentials(server: Stack) -> Credentials:
    """An account for every role, and for every duty team and agency."""
    with surroundings(server.environment()), unit_of_work() as session:
        profile, at = current_profile(), now(session)
        use_profile(session, profile, at)
        administrator = Actor("ACCOUNT_ADMIN", Role.ACCOUNT_ADMIN, is_person=True)
        agreements.add(session, trial_agreement(profile), profile, by=administrator, at=at)
        return Credentials(_open_accounts(session))


@pytest.fixture(scope="module")
def record(server: Stack, credentials: Credentials) -> Iterator[Stack]:
    """The record, as this process's casework and portal see it."""
    with surroundings(server.environment() | BUSY):
        yield server


@pytest.fixture(scope="module")
def client(record: Stack) -> Iterator[TestClient]:
    """The portal, as HTTP sees it."""
    with TestClient(create_app(), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def office(client: TestClient, credentials: Credentials) -> Office:
    """Everybody who uses the API, just after they gave their second factor."""
    prove(*credentials.tokens.values())
    return Office(client, credentials.tokens)


def _open_accounts(session: Session) -> dict[str, str]:
    at, profile = now(session), current_profile()
    accounts = [
        *(
            Account(id=team.code, role=Role.DUTY_TEAM, is_person=False, duty_team=team.code, added_at=at)
            for team in profile.duty_teams
        ),
        *(
            Account(
                id=agency.code,
                role=Role.AGENCY,
                is_person=True,
                agency=agency.code,
                added_at=at,
                manages_colleagues=agency.code == MANAGED,
            )
            for agency in profile.agencies
        ),
        *(
            Account(id=role, role=role, is_person=True, mash_profile=role in _STAFF, added_at=at)
            for role in Role
            if role not in (Role.HUB, Role.DUTY_TEAM, Role.AGENCY)
        ),
        Account(id="OFFICER", role=Role.DUTY_TEAM, is_person=True, duty_team="CHILDREN_DUTY", added_at=at),
        Account(id="ADULT_OFFICER", role=Role.DUTY_TEAM, is_person=True, duty_team="ADULT_ASIST", added_at=at),
        Account(id="SECOND_DECIDER", role=Role.DECISION_MAKER, is_person=True, mash_profile=True, added_at=at),
        Account(
            id="MANAGER",
            role=Role.DECISION_MAKER,
            is_person=True,
            mash_profile=True,
            manager_authority=True,
            added_at=at,
        ),
        Account(id="DECIDER_WITHOUT_PROFILE", role=Role.DECISION_MAKER, is_person=True, added_at=at),
        Account(id="SUPPORT_WITHOUT_PROFILE", role=Role.MASH_SUPPORT, is_person=True, added_at=at),
        Account(id="LEAVER", role=Role.MASH_SUPPORT, is_person=True, mash_profile=True, added_at=at),
    ]
    tokens = {account.id: issue_token(session, add_account(session, account).id, at=at) for account in accounts}
    leaver = session.get(Account, "LEAVER")
    assert leaver is not None
    leaver.disabled_at = at
    return tokens


_STAFF = (Role.MASH_SUPPORT, Role.DECISION_MAKER)


@pytest.fixture(scope="module")
def caller(record: object) -> Iterator[Caller]:
    """Asks the portal anything, as anybody."""
    asks = Caller(create_app())
    yield asks
    asks.close()


@pytest.fixture(scope="module")
def people(record: object, credentials: Credentials) -> list[Principal]:
    """Everybody who may come to the portal, and nobody."""
    return everybody(credentials.tokens)
