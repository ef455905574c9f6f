"""This API itself: who you are to it, whether it works, and its description."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlmodel import Session

from casework import sessions, step_up
from casework.db import now, unit_of_work
from casework.documents import SecondFactorDocument
from casework.register import current_profile
from casework.signin import Answer
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.problems import TooMany
from portal.schema import describe_in, refuses, takes
from rules.errors import FieldError, NotAcceptable, NotPermitted
from rules.permissions import Actor, Role

router = APIRouter(tags=["Service"])


class Me(BaseModel):
    """The account that a token stands for."""

    id: str
    role: Role
    duty_team: str | None
    agency: str | None
    mash_profile: bool
    is_person: bool
    second_factor_until: datetime | None = Field(
        description="Until when the second factor given with this credential counts; null when none was given"
    )


class SecondFactor(BaseModel):
    """How far the proof is that it is you."""

    authenticator: bool = Field(description="The code is that of your authenticator app; otherwise it comes by mail")
    code_sent: bool = Field(description="A code is on its way to your address, or there")
    second_factor_until: datetime | None = Field(description="Until when your second factor counts")


@router.get("/api/v1/accounts/me", responses=refuses(), summary="Who am I?")
def me(desk: AtDesk) -> Me:
    """The account of your token."""
    with desk.at_work() as (session, by, _):
        return Me(
            id=by.id,
            role=by.role,
            duty_team=by.duty_team,
            agency=by.agency,
            mash_profile=by.mash_profile,
            is_person=by.is_person,
            second_factor_until=step_up.good_until(session, desk.credential),
        )


@router.post(
    "/api/v1/accounts/me/second-factor",
    responses=refuses(429, body=True),
    openapi_extra=takes(SecondFactorDocument, examples={"ask_for_a_code": {}, "give_it": {"code": "123456"}}),
    summary="Give your second factor anew",
)
def second_factor(body: Body, desk: AtDesk) -> SecondFactor:
    """Some acts, such as signing a decision, are refused with `second-factor-needed` until you have given a second
    factor within the last minutes. Without a code this has one sent to your address; with it, the code is checked.
    """
    # Nothing is raised in here but for a bad document: a wrong try is to be counted.
    with desk.at_work() as (session, by, _):
        if not by.is_person:
            raise NotPermitted("a system has no second factor")
        code, at = read(body, SecondFactorDocument).code, sessions.real_now(session)
        answer = _prove(session, desk.credential, code, by, at)
        asked = step_up.asked(session, desk.credential, at=at)
        until = step_up.good_until(session, desk.credential)
    if answer is Answer.TOO_MANY:
        raise TooMany("too many codes: wait for a quarter of an hour, or half an hour when none is sent")
    if answer is not Answer.GO_ON:
        raise NotAcceptable(FieldError("/code", "is not the newest code, or it is too old or was used before"))
    return SecondFactor(
        authenticator=asked is not None and asked.authenticator, code_sent=asked is not None and asked.is_sent,
        second_factor_until=until,
    )  # fmt: skip


def _prove(session: Session, credential: str, code: str | None, by: Actor, at: datetime) -> Answer:
    if code is not None:
        return step_up.finish(session, credential, code, at=at)
    step_up.begin(session, credential, by=by, at=at)
    asked = step_up.asked(session, credential, at=at)
    return Answer.GO_ON if asked and (asked.is_sent or asked.authenticator) else Answer.TOO_MANY


@router.get("/health", responses={503: refuses()[503]}, summary="Does it work?")
def health() -> dict[str, str]:
    """The portal is alive and the record answers. Needs no token."""
    with unit_of_work() as session:
        now(session)
    return {"status": "ok"}


@router.get("/live", summary="Is it alive?")
def live() -> dict[str, str]:
    """The portal answers, whether or not the record does: what does not is to be started anew. Needs no token."""
    return {"status": "ok"}


@router.get("/api/v1/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The description of this API (OpenAPI)."""
    return describe_in(request.app, current_profile())
