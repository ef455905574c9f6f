"""The MASH team's part: call the discussion, record it, hear each view, decide, and look again (R13, R34-R37, R24)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from casework import decision, discussion, follow, reconsider, to_manager
from casework.documents import (
    DecisionDocument,
    DiscussionDocument,
    ResolutionDocument,
    SendBackDocument,
    StandsDocument,
    ToManagerDocument,
    ViewDocument,
)
from casework.follow import ReferralSeen
from casework.to_manager import ManagerTasks
from portal import examples
from portal.bodies import Body, expect_nothing, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals/{reference}", tags=["Discussion and decision"])
for_manager = APIRouter(prefix="/api/v1/for-manager", tags=["Discussion and decision"])
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
    "/manager",
    openapi_extra=takes(ToManagerDocument, examples={"transfer": examples.TO_MANAGER}),
    summary="Send a referral to a manager",
    **_ACTS,
)
def send_to_manager(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """For an outcome that the area keeps for a manager: deciding on it yourself is 403, of type needs-manager.

    The manager is told, and decides by `decisions`, or sends it back.
    """
    with desk.at_work() as (session, by, at):
        to_manager.send(session, reference, read(body, ToManagerDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/manager/back",
    openapi_extra=takes(SendBackDocument, examples={"back": {"reason": "Ask the other authority first."}}),
    summary="Send a referral back from the manager",
    **_ACTS,
)
def send_back(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """By somebody with a manager's authority: undecided, and why. The team is told."""
    with desk.at_work() as (session, by, at):
        to_manager.send_back(session, reference, read(body, SendBackDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/dissent",
    openapi_extra=takes(ResolutionDocument, examples={"resolved": examples.RESOLUTION}),
    summary="Say how a disagreement was resolved",
    **_ACTS,
)
def resolve_dissent(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """A decision maker says what was agreed, on the version that they saw; it is escalated no further."""
    with desk.at_work() as (session, by, at):
        discussion.resolve_dissent(session, reference, read(body, ResolutionDocument), by=by, at=at)
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


@for_manager.get("", responses=refuses(), summary="What waits for a manager")
def tasks_of_manager(desk: AtDesk) -> ManagerTasks:
    """Referrals that were sent to a manager and are not decided yet, the oldest first."""
    with desk.at_work() as (session, by, _):
        return to_manager.waiting(session, by=by)
