"""Correcting a person's details: a duty team's page, and the MASH team's (R41)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import corrections
from casework.correction_documents import CorrectionDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from portal.routes.names import Reference
from rules.errors import Conflict, FieldError, NotAcceptable

router = APIRouter(include_in_schema=False)
_TEAM, _BOARD = "/referrals/{reference}/details", "/board/{reference}/details"
_MEANWHILE = FieldError("/subject", "somebody changed this referral meanwhile: look at what stands there now")


@router.get(_TEAM)
def team_page(reference: Reference, door: AtDoor) -> Response:
    """Everybody's details, every version, for the originating duty team."""
    return _page(door, reference, f"/referrals/{reference}")


@router.post(_TEAM)
def team_corrects(reference: Reference, door: AtDoor) -> Response:
    """The duty team corrects something."""
    return _correct(door, reference, f"/referrals/{reference}")


@router.get(_BOARD)
def board_page(reference: Reference, door: AtDoor) -> Response:
    """The same for the MASH team."""
    return _page(door, reference, f"/board/{reference}")


@router.post(_BOARD)
def board_corrects(reference: Reference, door: AtDoor) -> Response:
    """The MASH team corrects something."""
    return _correct(door, reference, f"/board/{reference}")


def _correct(door: Door, reference: str, back: str) -> Response:
    try:
        with door.at_work() as work:
            corrections.correct(work.session, reference, meant(door, CorrectionDocument), by=work.by, at=work.at)
            sent(work, "details", reference)
    except NotAcceptable as refused:
        return _page(door, reference, back, 422, Form(door.raw, refused.fields))
    except Conflict:
        unsent = {name: value for name, value in door.raw.items() if name != "version_seen:int"}
        return _page(door, reference, back, 409, Form(unsent, [_MEANWHILE]))
    return door.go(f"{back}/details", "corrected")


def _page(door: Door, reference: str, back: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        seen = corrections.read(work.session, reference, by=work.by, at=work.at)
        form = form or typed(work, "details", reference)
    return door.page("details.html", status, seen=seen, form=form, back=back)
