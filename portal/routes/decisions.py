"""The MASH team's part: call the discussion, record it, hear each view, decide, and look again (R13, R34-R37, R24)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from casework import decision, discussion, follow, reconsider
from casework.documents import DecisionDocument, DiscussionDocument, StandsDocument, ViewDocument
from casework.follow import ReferralSeen
from portal import examples
from portal.bodies import Body, expect_nothing, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals/{reference}", tags=["Discussion and decision"])
_ACTS: dict[str, Any] = {
    "responses": refuses(404, 409, body=True),
    "response_model_exclude_unset": True,
}


@router.post("/discuss-now", summary="Call the discussion early", **_ACTS)
def discuss_now(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """The wait ends now, and who has not answered is no longer awaited. Takes no document."""
    with desk.at_work() as (session, by, at):
        expect_nothing(body)
        discussion.discuss_now(session, reference, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/discussions",
    openapi_extra=takes(DiscussionDocument, examples={"discussion": examples.DISCUSSION}),
    summary="Record a discussion",
    **_ACTS,
)
def record_discussion(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """When and how the team talked, who was present for each agency, and what each agency thinks of the threshold."""
    with desk.at_work() as (session, by, at):
        discussion.record_discussion(session, reference, read(body, DiscussionDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/views",
    status_code=204,
    responses=refuses(404, 409, body=True),
    openapi_extra=takes(ViewDocument, examples={"view": examples.VIEW}),
    summary="Record an agency's view",
)
def record_view(reference: Reference, body: Body, desk: AtDesk) -> Response:
    """Agree, disagree or abstain: by the agency itself, or by the MASH team for it. A disagreement needs its reason."""
    with desk.at_work() as (session, by, at):
        discussion.record_view(session, reference, read(body, ViewDocument), by=by, at=at)
    return Response(status_code=204)


@router.post(
    "/decisions",
    openapi_extra=takes(DecisionDocument, examples={"decision": examples.DECISION}),
    summary="Sign the threshold decision",
    **_ACTS,
)
def decide(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """A decision for each subject, by one signed-in decision maker, on the version of the referral that they saw.

    Whoever decides on an older version gets 409 and must look again. No field has a default.
    """
    with desk.at_work() as (session, by, at):
        decision.decide(session, reference, read(body, DecisionDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/reconsideration",
    openapi_extra=takes(StandsDocument, examples={"stands": {"reason": "The late return repeats what was known."}}),
    summary="Let the decision stand",
    **_ACTS,
)
def let_stand(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """A decision maker looked at a return that came after the decision, which stands. To change it, decide again."""
    with desk.at_work() as (session, by, at):
        reconsider.let_stand(session, reference, read(body, StandsDocument).reason, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)
