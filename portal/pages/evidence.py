"""The button that makes a referral's evidence pack (R28)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import evidence
from casework.checkpoints import signing_key
from portal.doors import AtDoor
from portal.pages.one_referral import ONE
from portal.routes.names import Reference

router = APIRouter(include_in_schema=False)


@router.post(f"{ONE}/evidence")
def make_pack(reference: Reference, door: AtDoor) -> Response:
    """The pack as a file to keep; that it was made is in the ledger."""
    with door.at_work() as (session, by, at):
        packed = evidence.make(session, reference, signing_key(), by=by, at=at)
    named = {"Content-Disposition": f'attachment; filename="evidence-{reference}.zip"'}
    return Response(packed, media_type="application/zip", headers=named)
