"""The button that makes a referral's evidence pack (R28)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import evidence
from casework.checkpoints import signing_key
from portal.doors import AtDoor
from portal.forms import Form
from portal.pages.one_referral import ONE, referral_page
from portal.routes.names import Reference
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)


@router.post(f"{ONE}/evidence")
def make_pack(reference: Reference, door: AtDoor) -> Response:
    """The pack as a file to keep; that it was made is in the ledger. With a protected address in it, it asks why."""
    try:
        with door.at_work() as (session, by, at):
            packed = evidence.make(session, reference, signing_key(), door.field("because").strip(), by=by, at=at)
    except NotAcceptable as refused:
        return referral_page(door, reference, "evidence.html", 422, Form(door.raw, refused.fields), reads=False)
    named = {"Content-Disposition": f'attachment; filename="evidence-{reference}.zip"'}
    return Response(packed, media_type="application/zip", headers=named)
