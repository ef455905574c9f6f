"""The collated template, as it stands and as it was kept; for the MASH profile alone (R27, R30, R41, R48)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse

from casework import collation, queues
from portal.credentials import AtDesk
from portal.routes.names import Reference, Version
from portal.schema import refuses

router = APIRouter(prefix="/api/v1/referrals/{reference}", tags=["Discussion and decision"])


class Format(StrEnum):
    """The forms of a template."""

    JSON = "json"
    HTML = "html"


Accept = Annotated[str, Header(include_in_schema=False)]
Asked = Annotated[Format | None, Query(description="Without it, what the Accept header asks for; JSON by default")]
_FORMS: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "The template",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
            },
        },
        **refuses(404, 422),
    },
}


@router.get("/template", summary="Read the collated template", **_FORMS)
def read_template(reference: Reference, desk: AtDesk, format: Asked = None, accept: Accept = "") -> Response:
    """All returns joined, as they stand now: a section for every agency, asked or not, one chronology, the household.

    The same record gives the same bytes. Each reading is kept.
    """
    with desk.at_work() as (session, by, at):
        content = collation.read(session, reference, by=by, at=at)
    return _form(content, format, accept)


@router.get("/templates/{version}", summary="Read a kept version of the template", **_FORMS)
def read_kept_template(
    reference: Reference, version: Version, desk: AtDesk, format: Asked = None, accept: Accept = ""
) -> Response:
    """The template as it was at the join, or as a decision maker saw it. It never changes. Each reading is kept."""
    with desk.at_work() as (session, by, at):
        content = queues.read_kept(session, reference, version, by=by, at=at)
    return _form(content, format, accept)


def _form(content: dict[str, Any], asked: Format | None, accept: str) -> Response:
    if asked is Format.HTML or (asked is None and _prefers_html(accept)):
        return HTMLResponse(collation.render(content))
    return Response(collation.canonical(content), media_type="application/json")


def _prefers_html(accept: str) -> bool:
    """Browsers name HTML, and programs JSON; whoever names both gets what comes first."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return next((name == "text/html" for name in named if name in ("text/html", "application/json")), False)
