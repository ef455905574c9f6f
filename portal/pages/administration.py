"""Account administrators: who may come in, and who may open the assessment (R47, R48, R64)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import accounts, confirmation, roll
from casework.documents import AccountDocument, AddressDocument, InductionDocument
from casework.register import current_profile
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)
AccountId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,60}$")]
_ONE = "/accounts/{account_id}"


@router.get("/accounts")
def accounts_page(door: AtDoor) -> Response:
    """Every person's account."""
    with door.at_work() as (session, by, at):
        found = roll.roll(session, by=by, at=at)
    return door.page("accounts.html", accounts=found)


@router.get("/accounts-add")
def add_page(door: AtDoor) -> Response:
    """Open an account for somebody."""
    with door.at_work():
        pass
    return door.page("account_add.html", form=Form())


@router.post("/accounts-add")
def add(door: AtDoor) -> Response:
    """The account is opened, and its owner invited by mail."""
    try:
        with door.at_work() as (session, by, at):
            added = accounts.add_person(session, meant(door, AccountDocument), current_profile(), by=by, at=at)
    except NotAcceptable as refused:
        return door.page("account_add.html", 422, form=Form(door.raw, refused.fields))
    return door.go(f"/accounts/{added.id}", "invited")


@router.get(_ONE)
def account_page(account_id: AccountId, door: AtDoor) -> Response:
    """One account, and what was done to it."""
    return _page(door, account_id)


@router.post(f"{_ONE}/invite")
def invite(account_id: AccountId, door: AtDoor) -> Response:
    """A new link for a new password; earlier ones are dead."""

    def act(work: Work) -> None:
        accounts.invite(work.session, account_id, by=work.by, at=work.at)

    return _act(door, account_id, "invited", act)


@router.post(f"{_ONE}/address")
def change_address(account_id: AccountId, door: AtDoor) -> Response:
    """Their mail goes elsewhere; they are signed out, and come in again by a link sent there."""

    def act(work: Work) -> None:
        document = meant(door, AddressDocument)
        accounts.change_address(work.session, account_id, document, current_profile(), by=work.by, at=work.at)

    return _act(door, account_id, "moved", act)


@router.post(f"{_ONE}/disable")
def disable(account_id: AccountId, door: AtDoor) -> Response:
    """A leaver is out with their next click."""

    def act(work: Work) -> None:
        accounts.disable(work.session, account_id, by=work.by, at=work.at)

    return _act(door, account_id, "disabled", act)


@router.post(f"{_ONE}/manager")
def name_manager(account_id: AccountId, door: AtDoor) -> Response:
    """They are their agency's named manager, who confirms its people."""

    def act(work: Work) -> None:
        confirmation.name_manager(work.session, account_id, True, by=work.by, at=work.at)

    return _act(door, account_id, "manager", act)


@router.post(f"{_ONE}/manager/withdraw")
def withdraw_manager(account_id: AccountId, door: AtDoor) -> Response:
    """They are it no longer."""

    def act(work: Work) -> None:
        confirmation.name_manager(work.session, account_id, False, by=work.by, at=work.at)

    return _act(door, account_id, "no-manager", act)


@router.post(f"{_ONE}/mash-profile")
def grant(account_id: AccountId, door: AtDoor) -> Response:
    """The assessment is opened, once the induction is recorded."""

    def act(work: Work) -> None:
        document = meant(door, InductionDocument)
        accounts.grant_mash_profile(work.session, account_id, document, by=work.by, at=work.at)

    return _act(door, account_id, "granted", act)


@router.post(f"{_ONE}/mash-profile/withdraw")
def withdraw(account_id: AccountId, door: AtDoor) -> Response:
    """The assessment is closed to this account."""

    def act(work: Work) -> None:
        accounts.withdraw_mash_profile(work.session, account_id, by=work.by, at=work.at)

    return _act(door, account_id, "taken", act)


@router.post(f"{_ONE}/manager-authority")
def grant_authority(account_id: AccountId, door: AtDoor) -> Response:
    """They make the outcomes that need a manager (R39)."""

    def act(work: Work) -> None:
        accounts.grant_manager_authority(work.session, account_id, by=work.by, at=work.at)

    return _act(door, account_id, "authority", act)


@router.post(f"{_ONE}/manager-authority/withdraw")
def withdraw_authority(account_id: AccountId, door: AtDoor) -> Response:
    """They make them no longer."""

    def act(work: Work) -> None:
        accounts.withdraw_manager_authority(work.session, account_id, by=work.by, at=work.at)

    return _act(door, account_id, "no-authority", act)


def _act(door: Door, account_id: str, done: str, act: Callable[[Work], None]) -> Response:
    try:
        with door.at_work() as work:
            roll.one(work.session, account_id, by=work.by, at=work.at)
            act(work)
    except NotAcceptable as refused:
        return _page(door, account_id, 422, Form(door.raw, refused.fields))
    return door.go(f"/accounts/{account_id}", done)


def _page(door: Door, account_id: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        account = roll.one(session, account_id, by=by, at=at)
        events = accounts.events(session, account_id)
    return door.page("account.html", status, account=account, events=events, form=form or Form())
