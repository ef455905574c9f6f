"""Who still works here: said by an agency's named manager, and by administrators for everybody else (R47)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import confirmation, sessions
from casework.documents import ConfirmationDocument
from casework.register import current_profile
from portal import bodies
from portal.doors import AtDoor, Door
from portal.forms import Form
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)
_COLLEAGUES, _STALE = "/colleagues", "/accounts-stale"
#: A field of the form is this and the account's id, which may hold a hyphen.
_FIELD = "person:"


@router.get(_COLLEAGUES)
def colleagues_page(door: AtDoor) -> Response:
    """The people of a manager's own agency."""
    return _page(door)


@router.post(_COLLEAGUES)
def confirm_colleagues(door: AtDoor) -> Response:
    """Who stays is confirmed, and who left is signed out for good."""
    return _confirm(door)


@router.get(_STALE)
def stale_page(door: AtDoor) -> Response:
    """The accounts to be confirmed, for the administrator."""
    return _page(door)


@router.post(_STALE)
def confirm_stale(door: AtDoor) -> Response:
    """The administrator speaks for duty teams, the hub's own staff, and agencies without a manager."""
    return _confirm(door)


def _confirm(door: Door) -> Response:
    answers = {name.removeprefix(_FIELD): value for name, value in door.typed if name.startswith(_FIELD) and value}
    try:
        with door.at_work() as (session, by, _):
            document = bodies.read_value({"people": answers}, ConfirmationDocument)
            confirmation.confirm(session, document, by=by, at=sessions.real_now(session))
    except NotAcceptable as refused:
        return _page(door, 422, Form(answers, refused.fields))
    return door.go(door.request.url.path, "confirmed")


def _page(door: Door, status: int = 200, form: Form | None = None) -> Response:
    is_manager = door.request.url.path == _COLLEAGUES
    list_of = confirmation.colleagues if is_manager else confirmation.waiting
    with door.at_work() as (session, by, _):
        people = list_of(session, current_profile(), by=by, at=sessions.real_now(session))
    return door.page("colleagues.html", status, people=people, form=form or Form(), is_manager=is_manager)
