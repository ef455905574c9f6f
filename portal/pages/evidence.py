"""A referral's evidence pack: for whom it is, and the file (R28, R29)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import evidence
from casework.checkpoints import signing_key
from portal.doors import AtDoor
from portal.forms import Form
from portal.pages.documents import sent
from portal.pages.one_referral import ONE, again, referral_page
from portal.routes.names import Reference
from rules.errors import NotAcceptable

router = APIRouter(include_in_schema=False)
_PACK = f"{ONE}/evidence"
_TEMPLATE, _PURPOSE = "evidence.html", "evidence"


@router.get(_PACK)
def pack_page(reference: Reference, door: AtDoor) -> Response:
    """Which partner gets the pack, if one does."""
    return referral_page(door, reference, _TEMPLATE, purpose=_PURPOSE, reads=False)


@router.post(_PACK)
def make_pack(reference: Reference, door: AtDoor) -> Response:
    """The pack as a file to keep; that it was made is in the ledger. What its reader must not have needs a reason."""
    because, partner = door.field("because").strip(), door.field("partner") or None
    try:
        with door.at_work() as work:
            packed = evidence.make(
                work.session, reference, signing_key(), because, partner=partner, by=work.by, at=work.at
            )
            sent(work, _PURPOSE, reference)
    except NotAcceptable as refused:
        return again(door, reference, _TEMPLATE, purpose=_PURPOSE, reads=False)(Form(door.raw, refused.fields))
    named = {"Content-Disposition": f'attachment; filename="evidence-{reference}.zip"'}
    return Response(packed, media_type="application/zip", headers=named)
