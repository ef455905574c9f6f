"""Earlier referrals that may be about the same people: the MASH team confirms or dismisses them (R14)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import radar
from casework.radar_documents import ContactDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from portal.pages.one_referral import ONE
from portal.routes.names import Reference
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)
_EARLIER = f"{ONE}/earlier"


@router.get(_EARLIER)
def earlier_page(reference: Reference, door: AtDoor) -> Response:
    """What was found, why, and how much that weighs."""
    return _page(door, reference)


@router.post(_EARLIER)
def answer(reference: Reference, door: AtDoor) -> Response:
    """A person's word on one of them."""
    try:
        with door.at_work() as (session, by, at):
            radar.answer(session, reference, meant(door, ContactDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _page(door, reference, 422, Form(door.raw, refused.fields))
    return door.go(f"/board/{reference}/earlier", "contact-answered")


def _page(door: Door, reference: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        earlier = radar.read(session, reference, by=by, at=at)
    return door.page("earlier.html", status, earlier=earlier, form=form or Form())
