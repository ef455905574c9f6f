"""What the area has agreed: sharing agreements, the calendar, and the versions of its profile (R26, R55, R70)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import agreements, openings, overrides, profile_versions
from casework.documents import AgreementDocument
from casework.register import current_profile
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form, Raw
from portal.pages.documents import meant, sent, typed
from rules.errors import Conflict, FieldError, NotAcceptable

router = APIRouter(include_in_schema=False)
AgreementId = Annotated[UUID, Path()]
_ONE = "/agreements/{agreement_id}"


@router.get("/agreements")
def agreements_page(door: AtDoor) -> Response:
    """Every agreement, and which agencies have none."""
    with door.at_work() as work:
        found = agreements.register(work.session, by=work.by, at=work.at, on=_today(door, work))
    lacking = agreements.without_agreement(found, current_profile())
    return door.page("agreements.html", agreements=found, lacking=lacking, may_change=_may_change(door))


@router.get("/agreement-overrides")
def overrides_page(door: AtDoor) -> Response:
    """Each agency that was asked without an agreement, by whom and why (R55)."""
    with door.at_work() as (session, by, at):
        found = overrides.report(session, by=by, at=at)
    return door.page("agreement_overrides.html", overrides=found)


@router.get("/agreements-add")
def add_page(door: AtDoor) -> Response:
    """A signed agreement for the register."""
    with door.at_work() as work:
        form = typed(work, "agreement")
    return door.page("agreement_form.html", form=form, old=None)


@router.post("/agreements-add")
def add(door: AtDoor) -> Response:
    """It is in the register."""
    try:
        with door.at_work() as work:
            document = meant(door, AgreementDocument)
            entered = agreements.add(work.session, document, current_profile(), by=work.by, at=work.at)
            sent(work, "agreement")
    except NotAcceptable as refused:
        return door.page("agreement_form.html", 422, form=Form(door.raw, refused.fields), old=None)
    return door.go(f"/agreements/{entered}", "entered")


@router.get(_ONE)
def agreement_page(agreement_id: AgreementId, door: AtDoor) -> Response:
    """One agreement, and what was done to it."""
    with door.at_work() as work:
        found = agreements.one(work.session, agreement_id, by=work.by, at=work.at, on=_today(door, work))
        events = agreements.events(work.session, agreement_id)
    return door.page("agreement.html", agreement=found, events=events, may_change=_may_change(door))


@router.get(f"{_ONE}/renew")
def renew_page(agreement_id: AgreementId, door: AtDoor) -> Response:
    """The version that follows, begun from this one."""
    return _renewal(door, agreement_id)


@router.post(f"{_ONE}/renew")
def renew(agreement_id: AgreementId, door: AtDoor) -> Response:
    """The newer version is in the register."""
    try:
        with door.at_work() as work:
            document, profile = meant(door, AgreementDocument), current_profile()
            entered = agreements.renew(work.session, agreement_id, document, profile, by=work.by, at=work.at)
            sent(work, f"renew:{agreement_id.hex}")
    except NotAcceptable as refused:
        return _renewal(door, agreement_id, 422, Form(door.raw, refused.fields))
    except Conflict as refused:
        return _renewal(door, agreement_id, 409, Form(door.raw, [FieldError("/version", str(refused))]))
    return door.go(f"/agreements/{entered}", "entered")


@router.post(f"{_ONE}/end")
def end(agreement_id: AgreementId, door: AtDoor) -> Response:
    """From today on nobody shares under it."""
    with door.at_work() as work:
        agreements.end(work.session, agreement_id, by=work.by, at=work.at, on=_today(door, work))
    return door.go(f"/agreements/{agreement_id}", "ended")


@router.get("/openings")
def openings_page(door: AtDoor) -> Response:
    """Which accounts were stopped for opening many referrals (S-20)."""
    with door.at_work() as work:
        found = openings.stops(work.session, by=work.by, at=work.at)
    return door.page("openings.html", stops=found)


@router.get("/calendar")
def calendar_page(door: AtDoor) -> Response:
    """When the office is closed, as the profile in force has it."""
    with door.at_work() as work:
        today = _today(door, work)
    hours = current_profile().hours
    closed = sorted((day, name) for day, name in hours.all_closed_days().items() if day.year >= today.year)
    warning = current_profile().missing_holidays(today)
    return door.page("calendar.html", hours=hours, closed=closed, warning=warning)


@router.get("/profile-versions")
def versions_page(door: AtDoor) -> Response:
    """Which profiles were in use since when, and what changed from each to the next."""
    with door.at_work() as (session, by, at):
        found = profile_versions.versions(session, by=by, at=at)
    return door.page("profile_versions.html", versions=found)


def _renewal(door: Door, agreement_id: UUID, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        old = agreements.one(work.session, agreement_id, by=work.by, at=work.at, on=_today(door, work))
        begun: Raw = {"title": old.title, "scope": old.scope, "parties:list": old.parties}
        form = form or typed(work, f"renew:{agreement_id.hex}", begun=begun)
    return door.page("agreement_form.html", status, form=form, old=old)


def _today(door: Door, work: Work) -> date:
    return work.at.astimezone(door.zone).date()


def _may_change(door: Door) -> bool:
    return door.visitor.actor.role == "ACCOUNT_ADMIN"
