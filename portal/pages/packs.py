"""Packs of boards: aggregates of a quarter, to be read and printed, and no way from there to a case (R59, R60)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from casework import board_packs
from casework.document_parts import Document
from casework.register import current_profile
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from reports import packs
from reports.pack_pdf import as_pdf
from reports.packs import Quarter
from rules.errors import FieldError, NotAcceptable
from rules.people import Side
from rules.permissions import Role

router = APIRouter(include_in_schema=False)
_HOME = "/packs"
_ONE = f"{_HOME}/{{pack_id}}"
PackId = Annotated[UUID, Path()]


class PackDocument(Document):
    """Which pack is wanted."""

    side: Side
    first_on: date


@router.get(_HOME)
def listed(door: AtDoor) -> Response:
    """The packs; and for an analyst the form that makes one now."""
    return _listed(door)


@router.post(_HOME)
def make(door: AtDoor) -> Response:
    """The pack of a quarter that has ended; one that was made before is shown as it was."""
    try:
        with door.at_work() as (session, by, at):
            wanted = meant(door, PackDocument)
            quarter = _ended(wanted, at.astimezone(door.zone).date())
            profile = current_profile()
            pack = board_packs.made(session, wanted.side, quarter.first) or board_packs.keep(
                session, wanted.side, (quarter.first, quarter.last),
                packs.content(session, wanted.side, quarter, profile), by=by, at=at,
            )  # fmt: skip
    except NotAcceptable as refused:
        return _listed(door, 422, Form(door.raw, refused.fields))
    return door.go(f"{_HOME}/{pack}", "packed")


@router.get(_ONE)
def one(pack_id: PackId, door: AtDoor) -> Response:
    """One pack as a page."""
    with door.at_work() as (session, by, _):
        pack = board_packs.one(session, pack_id, by=by)
    return door.page("pack.html", pack=pack, told=pack.content)


@router.get(f"{_ONE}/pdf")
def as_file(pack_id: PackId, door: AtDoor) -> Response:
    """One pack as a tagged PDF."""
    with door.at_work() as (session, by, _):
        pack = board_packs.one(session, pack_id, by=by)
    named = {"Content-Disposition": f'attachment; filename="pack-{pack.side}-{pack.first_on}.pdf"'}
    made_at = pack.made_at.astimezone(door.zone)
    return Response(as_pdf(pack.content, made_at=made_at), media_type="application/pdf", headers=named)


def _ended(wanted: PackDocument, on: date) -> Quarter:
    quarter = Quarter(wanted.first_on)
    if quarter not in packs.ended(on):
        raise NotAcceptable(FieldError("/first_on", "choose a quarter that has ended"))
    return quarter


def _listed(door: Door, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        found = board_packs.listed(session, by=by)
    quarters = [
        {"value": each.first.isoformat(), "text": each.name} for each in packs.ended(at.astimezone(door.zone).date())
    ]
    sides = [{"value": str(side), "text": packs.board_of(side)} for side in Side]
    return door.page(
        "packs.html", status, packs=found, quarters=quarters, sides=sides, form=form or Form(),
        names={side: packs.board_of(side) for side in Side}, may_make=by.role is Role.ANALYST, Quarter=Quarter,
    )  # fmt: skip
