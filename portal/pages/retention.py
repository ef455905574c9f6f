"""What the retention schedule lets go, who agreed to that, and what is held back: references and codes alone (R51)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import legal_hold, retention
from casework.documents import HoldDocument, LiftDocument
from casework.register import current_profile
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from rules.errors import Conflict, FieldError, NotAcceptable, NotFound

router = APIRouter(include_in_schema=False)
ListId = Annotated[UUID, Path()]
HoldId = Annotated[UUID, Path()]
HOME = "/retention"
_HOLD = "/retention-holds/{hold_id}"


@router.get(HOME)
def retention_page(door: AtDoor) -> Response:
    """The schedule, the newest list of what is over, and the holds."""
    with door.at_work() as (session, by, at):
        listed = retention.newest(session, by=by, at=at)
        holds = legal_hold.standing(session)
    return door.page("retention.html", listed=listed, holds=holds, periods=dict(current_profile().retention))


@router.post(f"{HOME}/{{list_id}}/agree")
def agree(list_id: ListId, door: AtDoor) -> Response:
    """One person agrees, or the second."""
    with door.at_work() as (session, by, at):
        both = retention.agree(session, list_id, by=by, at=at)
    return door.go(HOME, "seconded" if both else "agreed")


@router.get("/retention-holds")
def hold_page(door: AtDoor) -> Response:
    """Hold a referral back from erasure."""
    with door.at_work() as work:
        form = typed(work, "hold")
    return door.page("retention_hold.html", form=form, hold=None)


@router.post("/retention-holds")
def set_hold(door: AtDoor) -> Response:
    """The referral is held."""
    try:
        with door.at_work() as work:
            legal_hold.set_hold(work.session, meant(door, HoldDocument), by=work.by, at=work.at)
            sent(work, "hold")
    except NotAcceptable as refused:
        return door.page("retention_hold.html", 422, form=Form(door.raw, refused.fields), hold=None)
    except (Conflict, NotFound) as refused:
        problem = FieldError("/reference", str(refused))
        return door.page("retention_hold.html", 409, form=Form(door.raw, [problem]), hold=None)
    return door.go(HOME, "held")


@router.get(_HOLD)
def lift_page(hold_id: HoldId, door: AtDoor) -> Response:
    """One hold and its reason, to be lifted."""
    return _hold(door, hold_id)


@router.post(_HOLD)
def lift(hold_id: HoldId, door: AtDoor) -> Response:
    """The schedule has its way again."""
    try:
        with door.at_work() as work:
            legal_hold.lift(work.session, hold_id, meant(door, LiftDocument), by=work.by, at=work.at)
            sent(work, f"lift:{hold_id.hex}")
    except NotAcceptable as refused:
        return _hold(door, hold_id, 422, Form(door.raw, refused.fields))
    return door.go(HOME, "lifted")


def _hold(door: Door, hold_id: UUID, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        hold = legal_hold.one(work.session, hold_id, by=work.by, at=work.at)
        form = form or typed(work, f"lift:{hold_id.hex}")
    return door.page("retention_hold.html", status, form=form, hold=hold)
