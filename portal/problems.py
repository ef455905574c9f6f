"""Every failure as RFC 9457 problem details: a stable type, a sentence, and every bad field at once."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from casework.openings import TooManyOpened
from casework.register import current_profile
from portal.faces import fit
from portal.words import local
from rules.errors import (
    Conflict,
    FieldError,
    Misconfigured,
    NeedsManager,
    NotAcceptable,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    Refused,
    Unavailable,
    WrongStage,
)

LOG = logging.getLogger("mash.portal")
MEDIA_TYPE = "application/problem+json"
#: How many bad fields are named; a document with more was not made by a system that means it.
MOST_FIELDS = 200


class Unauthenticated(Exception):
    """No credential, or one that stands for nobody."""


class BadDocument(Exception):
    """What was sent is no JSON document at all. The message says what is wrong, without what was sent."""


class TooMany(Exception):
    """Somebody tries too often. The message says for how long to wait."""


class Misdirected(NotPermitted):
    """An agency tried to refer: it is shown the front door of each side (R02)."""

    def __init__(self, front_door: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__("The MASH takes no referrals from agencies: use the existing route of the child or the adult.")
        self.front_door = front_door


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, the end of its `type`, and its title."""

    status: int
    name: str
    title: str


NOT_JSON = Kind(400, "not-json", "Not a JSON document")
WRONG_HOST = Kind(400, "wrong-host", "Not the name of this hub")
UNAUTHENTICATED = Kind(401, "unauthenticated", "Who are you?")
NOT_PERMITTED = Kind(403, "not-permitted", "Not permitted")
NEEDS_MANAGER = Kind(403, "needs-manager", "A manager decides this")
SECOND_FACTOR = Kind(403, "second-factor-needed", "Confirm that it is you")
MISDIRECTED = Kind(403, "misdirected", "The MASH is not the front door")
NOT_FOUND = Kind(404, "not-found", "Not found")
METHOD = Kind(405, "method-not-allowed", "Method not allowed")
CONFLICT = Kind(409, "conflict", "Changed meanwhile")
WRONG_STAGE = Kind(409, "wrong-stage", "Not at this stage")
TOO_LARGE = Kind(413, "too-large", "Too large")
WRONG_TYPE = Kind(415, "wrong-type", "Not sent as JSON")
NOT_ACCEPTABLE = Kind(422, "not-acceptable", "Some fields are not acceptable")
TOO_MANY = Kind(429, "too-many", "Too many tries")
TOO_MANY_OPENED = Kind(429, "too-many-opened", "Too many referrals opened")
UNEXPECTED = Kind(500, "unexpected", "Something went wrong")
UNAVAILABLE = Kind(503, "unavailable", "The record does not answer")
OUTCOME_UNKNOWN = Kind(503, "outcome-unknown", "The record fell silent while it was saving")

NOTHING_THERE = "There is nothing here, or it is not yours to see."
PERHAPS_SAVED = (
    "It is not known whether this was saved. Read how things stand before you send it again; "
    "a referral may be sent again under the same sender_id."
)
NOTHING_SAVED = "Nothing was saved. Keep this page or document, and send it again in a moment."
WENT_WRONG = "Nothing was saved. The hub's operators can see in its log that this happened, but not what you sent."
SIGN_IN = "Send the token of your account as `Authorization: Bearer …`."


class FieldProblem(BaseModel):
    """One field that was not acceptable."""

    pointer: str = Field(description="A JSON pointer such as /subjects/0/nhs_number; ?name for a query parameter")
    detail: str = Field(description="What is wrong, in a sentence")


class Problem(BaseModel):
    """RFC 9457 problem details: what went wrong, for a program and for a person."""

    type: str = Field(description="The kind of problem: urn:mash:problem:…, stable")
    title: str
    status: int
    detail: str = Field(description="What to do about it")
    errors: list[FieldProblem] | None = Field(default=None, description="Every field that was not acceptable")
    front_door: dict[str, dict[str, str]] | None = Field(
        default=None, description="Where an agency refers a child or an adult instead"
    )


def problem(kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem as a response."""
    body = {"type": f"urn:mash:problem:{kind.name}", "title": kind.title, "status": kind.status, "detail": detail}
    return Response(json.dumps(body | more), kind.status, dict(headers or {}), MEDIA_TYPE)


def unexpected(error: BaseException, route: str) -> Response:
    """A failure nobody foresaw. Its text may hold what people wrote, so the log gets its kind and the route alone."""
    LOG.error("%s at %s", type(error).__name__, route)
    return problem(UNEXPECTED, WENT_WRONG)


def route_of(scope: Mapping[str, Any]) -> str:
    """A request's route as it is written in the code, such as GET /api/v1/referrals/{reference}; never its URL."""
    return f"{scope.get('method', '')} {getattr(scope.get('route'), 'path', 'an unknown path')}"


def install(app: FastAPI) -> None:
    """Answer every failure of this app as a problem."""
    answers: dict[type[Exception], Callable[[Any], Response]] = {
        Unauthenticated: lambda _: problem(UNAUTHENTICATED, SIGN_IN, headers={"WWW-Authenticate": "Bearer"}),
        BadDocument: lambda error: problem(NOT_JSON, str(error)),
        HTTPException: _http,
        RequestValidationError: _parameters,
        OutcomeUnknown: lambda _: problem(OUTCOME_UNKNOWN, PERHAPS_SAVED, headers={"Retry-After": "5"}),
        Unavailable: lambda _: problem(UNAVAILABLE, NOTHING_SAVED, headers={"Retry-After": "5"}),
        NotAcceptable: lambda error: _fields(error.fields),
        NotFound: lambda _: problem(NOT_FOUND, NOTHING_THERE),
        Misdirected: lambda error: problem(MISDIRECTED, str(error), front_door=error.front_door),
        TooMany: lambda error: problem(TOO_MANY, _sentence(error), headers={"Retry-After": "900"}),
        TooManyOpened: _too_many_opened,
        NeedsManager: lambda error: problem(NEEDS_MANAGER, _sentence(error)),
        NotPermitted: lambda error: problem(NOT_PERMITTED, _sentence(error)),
        WrongStage: lambda error: problem(WRONG_STAGE, _sentence(error)),
        Conflict: lambda error: problem(CONFLICT, _sentence(error)),
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, _handler(answer))
    for unforeseen in (Misconfigured, Refused):
        app.add_exception_handler(unforeseen, _unforeseen)


def _handler(answer: Callable[[Any], Response]) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        return fit(request.scope, answer(error))

    return handle


async def _unforeseen(request: Request, error: Exception) -> Response:
    return fit(request.scope, unexpected(error, route_of(request.scope)))


def _fields(fields: tuple[FieldError, ...]) -> Response:
    named = [{"pointer": field.pointer, "detail": field.detail} for field in fields[:MOST_FIELDS]]
    count = "One field is" if len(fields) == 1 else f"{len(fields)} fields are"
    return problem(NOT_ACCEPTABLE, f"{count} not acceptable; nothing was saved.", errors=named)


def _parameters(error: RequestValidationError) -> Response:
    found = error.errors()
    if any(finding["loc"][0] == "path" for finding in found):
        return problem(NOT_FOUND, NOTHING_THERE)
    return _fields(tuple(FieldError(f"?{finding['loc'][1]}", finding["msg"]) for finding in found))


def _too_many_opened(error: TooManyOpened) -> Response:
    profile = current_profile()
    doors = "; ".join(f"{door.name}, {door.telephone}" for door in profile.front_door.values())
    detail = (
        f"This account opened {error.most} referrals within ten minutes, which is more than one person’s work needs. "
        f"You can open others from {local(error.again_at, profile.zone_info)}; those that you opened just now stay "
        "open to you. The information-governance lead is told. If somebody is in danger now, call 999. If it is urgent "
        f"and cannot wait, ring {doors}; out of hours {profile.emergency.name}, {profile.emergency.telephone}."
    )
    return problem(TOO_MANY_OPENED, detail, headers={"Retry-After": str(math.ceil(error.wait.total_seconds()))})


def _http(error: HTTPException) -> Response:
    if error.status_code == 404:
        return problem(NOT_FOUND, NOTHING_THERE)
    if error.status_code == 405:
        return problem(METHOD, "This is not done here in that way.", headers=error.headers)
    return problem(Kind(error.status_code, "refused", "Refused"), "This was refused.", headers=error.headers)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
