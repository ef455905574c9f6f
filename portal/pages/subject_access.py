"""Somebody asked for what is held about them: the request, its clock, a hold, and the export (S-28)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import subject_access
from casework.documents import AccessDocument, AccessHoldDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from rules.errors import FieldError, NotAcceptable, NotFound

router = APIRouter(include_in_schema=False)
RequestId = Annotated[UUID, Path()]
HOME = "/subject-access"
_ONE = f"{HOME}/{{request_id}}"


@router.get(HOME)
def requests_page(door: AtDoor) -> Response:
    """Every request with its clock, and a form for a new one."""
    return _register(door)


@router.post(HOME)
def ask(door: AtDoor) -> Response:
    """A request is entered, and its month goes."""
    try:
        with door.at_work() as (session, by, at):
            entered = subject_access.ask(session, meant(door, AccessDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _register(door, 422, Form(door.raw, refused.fields))
    except NotFound as refused:
        return _register(door, 409, Form(door.raw, [FieldError("/reference", str(refused))]))
    return door.go(f"{HOME}/{entered}", "access-asked")


@router.get(_ONE)
def request_page(request_id: RequestId, door: AtDoor) -> Response:
    """One request: make the export, or hold it."""
    return _one(door, request_id)


@router.post(f"{_ONE}/export")
def make_export(request_id: RequestId, door: AtDoor) -> Response:
    """Both files in one; that they were made is in the ledger."""
    with door.at_work() as (session, by, at):
        told = subject_access.export(session, request_id, by=by, at=at)
    named = {"Content-Disposition": f'attachment; filename="subject-access-{told["reference"]}.zip"'}
    return Response(subject_access.packed(told), media_type="application/zip", headers=named)


@router.post(f"{_ONE}/hold")
def hold(request_id: RequestId, door: AtDoor) -> Response:
    """Nothing is given while somebody fears serious harm of it."""
    try:
        with door.at_work() as work:
            subject_access.hold(work.session, request_id, meant(door, AccessHoldDocument), by=work.by, at=work.at)
            sent(work, f"harm:{request_id.hex}")
    except NotAcceptable as refused:
        return _one(door, request_id, 422, Form(door.raw, refused.fields))
    return door.go(f"{HOME}/{request_id}", "access-held")


@router.post(f"{_ONE}/lift")
def lift(request_id: RequestId, door: AtDoor) -> Response:
    """It may be given again."""
    with door.at_work() as (session, by, at):
        subject_access.lift(session, request_id, by=by, at=at)
    return door.go(f"{HOME}/{request_id}", "access-lifted")


def _register(door: Door, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        found = subject_access.requests(session, by=by, at=at)
    return door.page("subject_access.html", status, found=found, form=form or Form())


def _one(door: Door, request_id: UUID, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        found = subject_access.one(work.session, request_id, by=work.by, at=work.at)
        form = form or typed(work, f"harm:{request_id.hex}")
    return door.page("subject_access_one.html", status, one=found, form=form)
