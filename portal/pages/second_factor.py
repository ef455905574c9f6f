"""Who is signed in shows anew that it is they, finds what they typed, and stays signed in (R46, S-14, S-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Scope

from casework import kept_forms, sessions, step_up
from casework.kept_forms import KeptForm
from casework.signin import Answer
from portal.doors import KEPT, REVIEWED, STEP_UP, AtDoor, Door
from portal.forms import Form
from rules.errors import FieldError

router = APIRouter(include_in_schema=False)
_REFUSALS: Mapping[Answer, tuple[int, FieldError]] = {
    Answer.WRONG: (422, FieldError("/code", "this is not the newest code, or it is too old or was used before")),
    Answer.TOO_MANY: (429, FieldError("/code", "too many tries: ask for a new code, or wait fifteen minutes")),
    Answer.TOO_SOON: (429, FieldError("/code", "a code was sent just now: wait half a minute, then ask again")),
    Answer.START_AGAIN: (422, FieldError("/code", "no code was asked for: ask for one below")),
}
_NONE_SENT = FieldError("/code", "no more codes can be sent for now: at most five are, in half an hour")


@router.get(STEP_UP)
def step_up_page(door: AtDoor) -> Response:
    """The code once more."""
    return _page(door)


@router.post(STEP_UP)
def give_second_factor(door: AtDoor) -> Response:
    """Back to what was typed, or the same page again."""
    # Nothing is raised in here: a wrong try is to be counted.
    with door.at_work() as (session, _, _):
        answer = step_up.finish(session, door.stay, door.field("code"), at=sessions.real_now(session))
    if answer is not Answer.GO_ON:
        return _page(door, *_REFUSALS[answer])
    return door.go(KEPT)


@router.post(f"{STEP_UP}/again")
def send_again(door: AtDoor) -> Response:
    """Another code, which kills the one before."""
    with door.at_work() as (session, by, _):
        answer = step_up.send_again(session, door.stay, by=by, at=sessions.real_now(session))
    if answer is Answer.TOO_MANY:
        return _page(door, 429, _NONE_SENT)
    return door.go(STEP_UP, "code-sent") if answer is Answer.GO_ON else _page(door, *_REFUSALS[answer])


@router.get("/stay")
def seconds_left(door: AtDoor) -> Response:
    """For how many seconds this person stays signed in: a look that keeps nobody signed in."""
    with door.at_work(looked_at=False) as (session, _, _):
        return _seconds(door, sessions.real_now(session).timestamp())


@router.post("/stay")
def stay(door: AtDoor) -> Response:
    """Stay signed in. Answers with the seconds from now."""
    with door.at_work() as (session, _, _):
        return _seconds(door, sessions.real_now(session).timestamp())


@router.get(KEPT)
async def kept_form(request: Request, door: AtDoor) -> Response:
    """The page that a kept form belongs to, as its sender had filled it in; it is sent once they send it again."""
    found = await run_in_threadpool(_kept, door)
    if found is None:
        return door.go("/")
    return await _reviewed(request, found)


def _seconds(door: Door, real_now: float) -> Response:
    return PlainTextResponse(str(max(0, int(door.visitor.until.timestamp() - real_now))))


def _page(door: Door, status: int = 200, *errors: FieldError) -> Response:
    with door.at_work() as (session, by, _):
        at = sessions.real_now(session)
        asked = step_up.asked(session, door.stay, at=at)
        is_kept = kept_forms.find(session, by.id, at=at) is not None
    return door.page("step_up.html", status, form=Form({}, errors), asked=asked, is_kept=is_kept)


def _kept(door: Door) -> KeptForm | None:
    with door.at_work() as (session, by, _):
        return kept_forms.find(session, by.id, at=sessions.real_now(session))


async def _reviewed(request: Request, found: KeptForm) -> Response:
    """What the form's own page makes of it when it is sent to be looked at and not to be taken (`Door.at_work`)."""
    body = urlencode(found.fields).encode()
    scope = _scope_of(request.scope, found, len(body))
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    await request.app(scope, receive, send)
    status = 200 if answer[0]["status"] in {200, 422} else answer[0]["status"]
    content = b"".join(message.get("body", b"") for message in answer[1:])
    return Response(content, status, media_type="text/html")


def _scope_of(asked: Scope, found: KeptForm, length: int) -> Scope:
    same = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path")
    kept: dict[str, Any] = {name: asked[name] for name in same if name in asked}
    headers = [(name, value) for name, value in asked["headers"] if name in {b"host", b"cookie", b"accept"}]
    headers += [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", str(length).encode()),
    ]
    raw = found.path.encode()
    return kept | {
        "method": "POST", "path": found.path, "raw_path": raw, "query_string": b"", "headers": headers, REVIEWED: True,
    }  # fmt: skip
