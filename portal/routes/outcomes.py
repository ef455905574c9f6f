"""What a duty team is told about its own subjects, and its acknowledgement (R42, R43)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from casework import follow, outcome
from casework.documents import AcknowledgementDocument
from casework.follow import ReferralSeen
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals/{reference}", tags=["Outcome"])


@router.get("/outcome", responses=refuses(404), summary="Read the outcome")
def read_outcome(reference: Reference, desk: AtDesk) -> dict[str, Any]:
    """The outcome for your team's own subjects, with your upstream reference unchanged. Each reading is kept."""
    with desk.at_work() as (session, by, at):
        return outcome.read(session, reference, by=by, at=at)


@router.post(
    "/acknowledgement",
    responses=refuses(404, 409, body=True),
    response_model_exclude_unset=True,
    openapi_extra=takes(AcknowledgementDocument, examples={"first outcome": {"version": 1}}),
    summary="Acknowledge the outcome",
)
def acknowledge(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """Your team knows this version of the outcome. Once every team that was told has said so, the referral closes."""
    with desk.at_work() as (session, by, at):
        document = read(body, AcknowledgementDocument)
        outcome.acknowledge(session, reference, document.version, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)
