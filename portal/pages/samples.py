"""A dip sample is drawn, and a colleague looks again at what was decided, without knowing what that was (R63)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import dip_samples, second_looks
from casework.sample_documents import LookDocument, SampleDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from portal.routes.names import Reference
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)
_HOME = "/second-looks"
_ONE = f"{_HOME}/{{reference}}"
SampleId = Annotated[UUID, Path()]


@router.get("/samples")
def samples(door: AtDoor) -> Response:
    """The samples, and the form that draws another."""
    return _samples(door)


@router.post("/samples")
def draw(door: AtDoor) -> Response:
    """The sample is drawn, and waits for decision makers."""
    try:
        with door.at_work() as (session, by, at):
            drawn = dip_samples.draw(session, meant(door, SampleDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _samples(door, 422, Form(door.raw, refused.fields))
    return door.go(f"/samples/{drawn}", "drawn")


@router.get("/samples/{sample_id}")
def sample(sample_id: SampleId, door: AtDoor) -> Response:
    """One sample: how far it is looked at, and how far the looks agree with the decisions."""
    with door.at_work() as (session, by, _):
        found = dip_samples.one(session, sample_id, by=by)
    return door.page("sample.html", sample=found)


@router.get(_HOME)
def waiting(door: AtDoor) -> Response:
    """What was drawn and waits for a second look by somebody who did not decide it."""
    with door.at_work() as (session, by, _):
        found = second_looks.waiting(session, by=by)
    return door.page("second_looks.html", waiting=found.referrals)


@router.get(_ONE)
def look_page(reference: Reference, door: AtDoor) -> Response:
    """What was known at the decision, and the questions."""
    return _look(door, reference)


@router.post(_ONE)
def look(reference: Reference, door: AtDoor) -> Response:
    """What this person would have decided is recorded; the decision stands as it is."""
    try:
        with door.at_work() as work:
            second_looks.record(work.session, reference, meant(door, LookDocument), by=work.by, at=work.at)
            sent(work, "second-look", reference)
    except NotAcceptable as refused:
        return _look(door, reference, 422, Form(door.raw, refused.fields))
    return door.go(_HOME, "looked")


def _samples(door: Door, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, _):
        found = dip_samples.listed(session, by=by)
    return door.page("samples.html", status, samples=found, form=form or Form())


def _look(door: Door, reference: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        shown = second_looks.read(work.session, reference, by=work.by, at=work.at)
        form = form or typed(work, "second-look", reference)
    return door.page("second_look.html", status, shown=shown, content=shown.content, form=form)
