"""Earlier referrals that may be about the same people (R14)."""

from __future__ import annotations

from fastapi import APIRouter

from casework import radar
from casework.radar import EarlierSeen
from casework.radar_documents import ContactDocument
from portal import examples
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals", tags=["Referrals"])
_EARLIER = "/{reference}/earlier"


@router.get(_EARLIER, responses=refuses(404), summary="Read which earlier referrals may be about the same people")
def read_earlier(reference: Reference, desk: AtDesk) -> EarlierSeen:
    """References, with why each was found and how much that weighs. Nothing is merged, and nothing is copied."""
    with desk.at_work() as (session, by, at):
        return radar.read(session, reference, by=by, at=at)


@router.post(
    _EARLIER,
    openapi_extra=takes(ContactDocument, examples={"confirmed": examples.CONTACT}),
    responses=refuses(404, body=True),
    summary="Confirm or dismiss an earlier referral",
)
def answer_earlier(reference: Reference, body: Body, desk: AtDesk) -> EarlierSeen:
    """A person's word on whether it is about the same people; it may be changed, and each word is in the ledger."""
    with desk.at_work() as (session, by, at):
        radar.answer(session, reference, read(body, ContactDocument), by=by, at=at)
        return radar.read(session, reference, by=by, at=at)
