"""Feedback on how the hub works: anybody gives it, a manager answers, partners read what was changed (R61)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import feedback
from casework.feedback import FeedbackAnswer, FeedbackDocument
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from rules.errors import NotAcceptable, NotFound

router = APIRouter(include_in_schema=False)
_ONE = "/feedback/{feedback_id}"
#: Of any form: what is no id looks like one that nobody has, and only to whom such pages are for.
FeedbackId = Annotated[str, Path(pattern="^[A-Za-z0-9-]{1,60}$")]


@router.get("/feedback")
def feedback_page(door: AtDoor) -> Response:
    """Give feedback, and read what became of it and of others'."""
    return _register(door)


@router.post("/feedback")
def give(door: AtDoor) -> Response:
    """The feedback is in the register, and the MASH manager is told that there is one."""
    try:
        with door.at_work() as work:
            feedback.give(work.session, meant(door, FeedbackDocument), by=work.by, at=work.at)
            sent(work, "feedback")
    except NotAcceptable as refused:
        return _register(door, 422, Form(door.raw, refused.fields))
    return door.go("/feedback", "feedback")


@router.get(_ONE)
def answer_page(feedback_id: FeedbackId, door: AtDoor) -> Response:
    """One feedback, to be answered."""
    return _one(door, feedback_id)


@router.post(_ONE)
def answer(feedback_id: FeedbackId, door: AtDoor) -> Response:
    """The answer, and what was changed."""
    try:
        with door.at_work() as work:
            one = _id(feedback_id)
            feedback.answer(work.session, one, meant(door, FeedbackAnswer), by=work.by, at=work.at)
            sent(work, f"answer:{one.hex}")
    except NotAcceptable as refused:
        return _one(door, feedback_id, 422, Form(door.raw, refused.fields))
    return door.go("/feedback", "feedback-answered")


def _register(door: Door, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        found = feedback.register(work.session, by=work.by)
        form = form or typed(work, "feedback")
    return door.page("feedback.html", status, found=found, form=form)


def _one(door: Door, feedback_id: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        found = feedback.to_answer(work.session, _id(feedback_id), by=work.by)
        begun = {"answer": found.answer or "", "what_changed": found.what_changed or ""}
        form = form or typed(work, f"answer:{found.id.hex}", begun=begun)
    return door.page("feedback_answer.html", status, one=found, form=form)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such feedback") from None
