"""Opening a restricted referral in an emergency, and looking at each use of that (S-7)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import break_glass
from casework.break_glass import BreakDocument, VerdictDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from rules.errors import FieldError, NotAcceptable
from rules.permissions import check_may_decide

router = APIRouter(include_in_schema=False)
QUEUE = "/break-glass-uses"
#: Of any form: what is no alert looks like one that nobody has.
Alert = Annotated[str, Path(pattern="^[A-Za-z0-9-]{1,20}$")]
_NOTHING = FieldError("/reference", "nothing was opened: there is no such restricted referral, or it is open to you")


@router.get("/break-glass")
def break_page(door: AtDoor) -> Response:
    """What breaking the glass does, before it is done."""
    return _break(door)


@router.post("/break-glass")
def break_it(door: AtDoor) -> Response:
    """The referral, for an hour at most. What opened nothing is kept and alerted too, so nothing is raised for it."""
    try:
        with door.at_work() as (session, by, at):
            opened = break_glass.break_glass(session, meant(door, BreakDocument), door.stay, by=by, at=at)
    except NotAcceptable as refused:
        return _break(door, Form(door.raw, refused.fields))
    return door.go(f"/board/{opened}", "glass-broken") if opened else _break(door, Form(door.raw, [_NOTHING]))


@router.get(QUEUE)
def uses_page(door: AtDoor) -> Response:
    """Each use, those first that nobody has looked at."""
    return _uses(door)


@router.post(f"{QUEUE}/{{alert}}")
def review(alert: Alert, door: AtDoor) -> Response:
    """One use is looked at."""
    try:
        with door.at_work() as (session, by, at):
            break_glass.review(session, alert, meant(door, VerdictDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _uses(door, alert, Form(door.raw, refused.fields))
    return door.go(QUEUE, "glass-reviewed")


def _break(door: Door, form: Form | None = None) -> Response:
    with door.at_work(takes=False) as work:
        check_may_decide(work.by)
    return door.page("break_glass.html", 200 if form is None else 422, form=form or Form())


def _uses(door: Door, alert: str = "", form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        found = break_glass.uses(session, by=by, at=at)
    status = 200 if form is None else 422
    typed = form.at(alert) if form else Form()
    return door.page("break_glass_uses.html", status, found=found, form=typed, untyped=Form())
