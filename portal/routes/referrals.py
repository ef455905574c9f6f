"""A duty team sends a referral, follows it, or ends it early (R01-R06, R12, R26)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from casework import early_end, follow, intake
from casework.documents import EarlyEndDocument, ReferralDocument
from casework.follow import ReferralSeen, ReferralsSeen
from casework.intake import Received
from casework.register import current_profile
from portal import examples
from portal.bodies import Body, parse, read
from portal.credentials import AtDesk, Work
from portal.problems import Misdirected
from portal.routes.names import Reference
from portal.schema import refuses, takes
from rules.permissions import Role
from rules.stages import Stage

router = APIRouter(prefix="/api/v1/referrals", tags=["Referrals"])


class Links(BaseModel):
    """Where to look next."""

    self: str
    outcome: str = Field(description="Here the duty team reads the outcome once it is ready")


class ReceivedAnswer(BaseModel):
    """What the sender is told at once."""

    reference: str = Field(description="Random and opaque; fit to be read out on the telephone")
    stage: Stage
    advice: list[str] = Field(description="Sentences for a person to read now; often none")
    links: Links


_REFERRED: dict[int | str, dict[str, Any]] = {
    200: {"model": ReceivedAnswer, "description": "This document was taken before, under the same sender_id"},
    **refuses(409, body=True),
}


@router.post(
    "",
    status_code=201,
    response_model=ReceivedAnswer,
    responses=_REFERRED,
    openapi_extra=takes(ReferralDocument, examples=examples.REFERRALS),
    summary="Send a referral",
)
def refer(body: Body, desk: AtDesk) -> JSONResponse:
    """Take a duty team's referral, once for each sender_id: sending the same document again is safe.

    Every bad field is reported at once, and nothing is half stored. Only the two duty teams refer; an agency is told of
    the front door instead.
    """
    with desk.at_work() as work:
        received = _take(body, work)
    if received is None:
        raise Misdirected(_front_door())
    own = f"{router.prefix}/{received.reference}"
    answer = ReceivedAnswer(
        reference=received.reference,
        stage=received.stage,
        advice=list(received.advice),
        links=Links(self=own, outcome=f"{own}/outcome"),
    )
    return JSONResponse(answer.model_dump(mode="json"), 201 if received.created else 200, {"Location": own})


@router.get("", responses=refuses(422), response_model_exclude_unset=True, summary="List referrals")
def list_referrals(
    desk: AtDesk,
    stage: Annotated[list[Stage], Query(description="Only these stages; without any, all but CLOSED")] = [],  # noqa: B006 -- FastAPI copies it
    after: Annotated[str | None, Query(max_length=9, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ReferralsSeen:
    """The referrals that you may follow, oldest first: a duty team its own and those handed back to it, the hub's
    people and operators all."""
    with desk.at_work() as (session, by, at):
        return follow.see_all(session, stages=stage, after=after, limit=limit, by=by, at=at)


@router.get("/{reference}", responses=refuses(404), response_model_exclude_unset=True, summary="Follow a referral")
def follow_referral(reference: Reference, desk: AtDesk) -> ReferralSeen:
    """Where a referral stands, whose move it is, and why it waits. No names.

    People with the MASH profile also see each agency's check, what is to be reconsidered, and how far a disagreement
    has gone.
    """
    with desk.at_work() as (session, by, at):
        return follow.see(session, reference, by=by, at=at)


_ENDS: dict[str, Any] = {
    "responses": refuses(404, 409, body=True),
    "response_model_exclude_unset": True,
}


@router.post(
    "/{reference}/clear-concern",
    openapi_extra=takes(
        EarlyEndDocument, examples={"all_subjects": {}, "one_subject": {"subjects": ["S1"]}}, optional=True
    ),
    summary="The concern is clear and agreed now",
    **_ENDS,
)
def clear_concern(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """The subjects (all, or those named) go back at once for the existing procedure; open checks are cancelled."""
    with desk.at_work() as (session, by, at):
        early_end.clear_concern(session, reference, read(body, EarlyEndDocument, optional=True), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{reference}/withdraw",
    openapi_extra=takes(EarlyEndDocument, examples={"withdrawn": {"reason": "MISTAKEN_OR_DUPLICATE"}}),
    summary="Withdraw a referral",
    **_ENDS,
)
def withdraw(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """The duty team takes its referral (or the named subjects) back, for a reason of the set withdrawal_reason."""
    with desk.at_work() as (session, by, at):
        early_end.withdraw(session, reference, read(body, EarlyEndDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


def _take(body: bytes, work: Work) -> Received | None:
    """The referral received, or None for an agency's, of which nothing but the attempt is kept (R02)."""
    session, by, at = work
    if by.role is Role.AGENCY:
        intake.count_misdirected(session, by, at)
        return None
    return intake.receive(session, parse(body), by=by, at=at)


def _front_door() -> dict[str, dict[str, str]]:
    return {side: door.model_dump(mode="json") for side, door in current_profile().front_door.items()}
