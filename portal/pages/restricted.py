"""Restricted referrals, for the people named in them; and stepping back from one that is too near (S-5, S-6)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from casework import follow, interests, queues, restriction
from casework.document_parts import Document
from casework.restriction_documents import (
    InterestDocument,
    NamedDocument,
    RemovedDocument,
    RestrictionDocument,
    WhyDocument,
)
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.navigation import home_of
from portal.pages.documents import meant, sent, typed
from portal.pages.one_referral import ONE
from portal.routes.names import Reference
from rules.errors import NotAcceptable
from rules.permissions import Role, check_may_decide, check_may_run_process

router = APIRouter(include_in_schema=False)
_RESTRICTED = "/restricted/{reference}"


@router.get("/restricted")
def restricted_page(door: AtDoor) -> Response:
    """The restricted referrals that this person is named in, those first that somebody must look at."""
    with door.at_work() as (session, by, at):
        found = restriction.mine(session, by=by, at=at)
    return door.page("restricted.html", found=found)


@router.get(_RESTRICTED)
def restriction_page(reference: Reference, door: AtDoor) -> Response:
    """Why one referral is restricted, who may know of it, and when somebody looks again."""
    return _restriction(door, reference)


@router.post(f"{_RESTRICTED}/people")
def name(reference: Reference, door: AtDoor) -> Response:
    """One more person may know of it."""
    return _change(door, reference, "named", restriction.name, NamedDocument)


@router.post(f"{_RESTRICTED}/people/remove")
def remove(reference: Reference, door: AtDoor) -> Response:
    """A person may know of it no longer."""
    return _change(door, reference, "unnamed", restriction.remove, RemovedDocument)


@router.post(f"{_RESTRICTED}/review")
def review(reference: Reference, door: AtDoor) -> Response:
    """It is still needed."""
    return _change(door, reference, "reviewed", restriction.review, WhyDocument)


@router.post(f"{_RESTRICTED}/lift")
def lift(reference: Reference, door: AtDoor) -> Response:
    """The referral is seen as any other from now on."""
    return _change(door, reference, "restriction-lifted", restriction.lift, WhyDocument, back="/restricted")


@router.get(f"{ONE}/restrict")
def restrict_page(reference: Reference, door: AtDoor) -> Response:
    """Hide a referral from everybody but named people."""
    return _restrict(door, reference)


@router.post(f"{ONE}/restrict")
def restrict(reference: Reference, door: AtDoor) -> Response:
    """It is hidden from their next request on, whoever has it open."""
    try:
        with door.at_work() as work:
            restriction.restrict(work.session, reference, meant(door, RestrictionDocument), by=work.by, at=work.at)
            sent(work, "restrict", reference)
    except NotAcceptable as refused:
        return _restrict(door, reference, Form(door.raw, refused.fields))
    return door.go(f"/restricted/{reference}", "restricted")


@router.get("/checks/{reference}/interest")
def agency_interest_page(reference: Reference, door: AtDoor) -> Response:
    """A representative is too near to the people of a check."""
    return _interest(door, reference)


@router.post("/checks/{reference}/interest")
def declare_for_agency(reference: Reference, door: AtDoor) -> Response:
    """The check is a colleague's from now on."""
    return _declare(door, reference)


@router.get(f"{ONE}/interest")
def team_interest_page(reference: Reference, door: AtDoor) -> Response:
    """Somebody of the MASH team is too near to the people of a referral."""
    return _interest(door, reference)


@router.post(f"{ONE}/interest")
def declare_for_team(reference: Reference, door: AtDoor) -> Response:
    """The referral is the rest of the team's from now on."""
    return _declare(door, reference)


def _restriction(door: Door, reference: str, form: Form | None = None) -> Response:
    status = 200 if form is None else 422
    with door.at_work() as work:
        found = restriction.read(work.session, reference, by=work.by, at=work.at)
        form = form or typed(work, "restriction", reference)
    return door.page("restriction.html", status, found=found, form=form)


def _change(
    door: Door, reference: str, done: str, verb: Callable[..., None], document: type[Document], *, back: str = ""
) -> Response:
    try:
        with door.at_work() as work:
            verb(work.session, reference, meant(door, document), by=work.by, at=work.at)
            if document is WhyDocument:
                sent(work, "restriction", reference)
    except NotAcceptable as refused:
        return _restriction(door, reference, Form(door.raw, refused.fields))
    return door.go(back or f"/restricted/{reference}", done)


def _restrict(door: Door, reference: str, form: Form | None = None) -> Response:
    status = 200 if form is None else 422
    with door.at_work() as work:
        check_may_decide(work.by)
        seen = follow.see(work.session, reference, by=work.by, at=work.at)
        form = form or typed(work, "restrict", reference)
    return door.page("restrict.html", status, seen=seen, form=form)


def _interest(door: Door, reference: str, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        if by.role is Role.AGENCY:
            queues.check_now(session, reference, by=by)
        else:
            check_may_run_process(by)
            follow.see(session, reference, by=by, at=at)
    return door.page("interest.html", 200 if form is None else 422, reference=reference, form=form or Form())


def _declare(door: Door, reference: str) -> Response:
    try:
        with door.at_work() as (session, by, at):
            interests.declare(session, reference, meant(door, InterestDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _interest(door, reference, Form(door.raw, refused.fields))
    return door.go(home_of(door.visitor.actor), "stepped-back")
