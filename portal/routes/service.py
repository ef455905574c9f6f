"""This API itself: who you are to it, whether it works, and its description."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from casework.db import now, unit_of_work
from portal.credentials import AtDesk
from portal.schema import describe, refuses
from rules.permissions import Role

router = APIRouter(tags=["Service"])


class Me(BaseModel):
    """The account that a token stands for."""

    id: str
    role: Role
    duty_team: str | None
    agency: str | None
    mash_profile: bool
    is_person: bool


@router.get("/api/v1/accounts/me", responses=refuses(), summary="Who am I?")
def me(desk: AtDesk) -> Me:
    """The account of your token."""
    with desk.at_work() as (_, by, _):
        return Me(
            id=by.id,
            role=by.role,
            duty_team=by.duty_team,
            agency=by.agency,
            mash_profile=by.mash_profile,
            is_person=by.is_person,
        )


@router.get("/health", responses={503: refuses()[503]}, summary="Does it work?")
def health() -> dict[str, str]:
    """The portal is alive and the record answers. Needs no token."""
    with unit_of_work() as session:
        now(session)
    return {"status": "ok"}


@router.get("/api/v1/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The description of this API (OpenAPI)."""
    return describe(request.app)
