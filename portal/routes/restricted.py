"""Hiding a referral from everybody but named people, stepping back from one, and opening one in an emergency."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from casework import break_glass, follow, interests, restriction
from casework.break_glass import BreakDocument, GlassBroken
from casework.follow import ReferralSeen
from casework.restriction import RestrictionSeen
from casework.restriction_documents import (
    InterestDocument,
    NamedDocument,
    RemovedDocument,
    RestrictionDocument,
    WhyDocument,
)
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes
from rules.permissions import check_may_decide

router = APIRouter(prefix="/api/v1", tags=["Restricted referrals"])
_RESTRICTION = "/referrals/{reference}/restriction"
_ACTS: dict[str, Any] = {"responses": refuses(404, 409, body=True)}
_HIDDEN = {"ground": "STAFF_CONFLICT", "reason": "A colleague's child.", "named": ["officer@duty.bnes.example"]}
_WHY = {"reason": "She has left the office."}
_EMERGENCY = {"reference": "7KQ2-XW9S", "reason": "The child is missing, and nobody named can be reached."}


@router.get(_RESTRICTION, responses=refuses(404), summary="Read a restriction")
def read_restriction(reference: Reference, desk: AtDesk) -> RestrictionSeen:
    """Why a referral is restricted and who may know of it, for those who are named in it."""
    with desk.at_work() as (session, by, at):
        return restriction.read(session, reference, by=by, at=at)


@router.post(
    _RESTRICTION,
    openapi_extra=takes(RestrictionDocument, examples={"restriction": _HIDDEN}),
    summary="Restrict a referral",
    **_ACTS,
)
def restrict(reference: Reference, body: Body, desk: AtDesk) -> RestrictionSeen:
    """From their next request on there is no such referral for anybody but you and those whom you name."""
    with desk.at_work() as (session, by, at):
        restriction.restrict(session, reference, read(body, RestrictionDocument), by=by, at=at)
        return restriction.read(session, reference, by=by, at=at)


@router.post(
    f"{_RESTRICTION}/people",
    openapi_extra=takes(NamedDocument, examples={"person": {"who": "mash@police.bnes.example"}}),
    summary="Name one more person",
    **_ACTS,
)
def name(reference: Reference, body: Body, desk: AtDesk) -> RestrictionSeen:
    """One more person may know of a restricted referral, and is told so."""
    with desk.at_work() as (session, by, at):
        restriction.name(session, reference, read(body, NamedDocument), by=by, at=at)
        return restriction.read(session, reference, by=by, at=at)


@router.post(
    f"{_RESTRICTION}/people/remove",
    openapi_extra=takes(RemovedDocument, examples={"person": {"person": "police-2"}}),
    status_code=204,
    summary="Remove a person",
    **_ACTS,
)
def remove(reference: Reference, body: Body, desk: AtDesk) -> None:
    """A person may know of it no longer: yourself, too, as long as somebody is left to look after it."""
    with desk.at_work() as (session, by, at):
        restriction.remove(session, reference, read(body, RemovedDocument), by=by, at=at)


@router.post(
    f"{_RESTRICTION}/review",
    openapi_extra=takes(WhyDocument, examples={"why": {"reason": "He still works here."}}),
    summary="A restriction is still needed",
    **_ACTS,
)
def review(reference: Reference, body: Body, desk: AtDesk) -> RestrictionSeen:
    """Somebody named has looked; the next look is due in 90 days."""
    with desk.at_work() as (session, by, at):
        restriction.review(session, reference, read(body, WhyDocument), by=by, at=at)
        return restriction.read(session, reference, by=by, at=at)


@router.post(
    f"{_RESTRICTION}/lift",
    openapi_extra=takes(WhyDocument, examples={"why": _WHY}),
    response_model_exclude_unset=True,
    summary="Lift a restriction",
    **_ACTS,
)
def lift(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """From now on the referral is seen as any other. It takes a fresh second factor."""
    with desk.at_work() as (session, by, at):
        restriction.lift(session, reference, read(body, WhyDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/referrals/{reference}/interest",
    openapi_extra=takes(InterestDocument, examples={"too_near": {"ground": "RELATIVE"}}),
    status_code=204,
    summary="Declare a conflict of interest",
    **_ACTS,
)
def declare(reference: Reference, body: Body, desk: AtDesk) -> None:
    """You are too near to somebody in it. From your next request on there is no such referral for you."""
    with desk.at_work() as (session, by, at):
        interests.declare(session, reference, read(body, InterestDocument), by=by, at=at)


@router.post(
    "/break-glass",
    openapi_extra=takes(BreakDocument, examples={"emergency": _EMERGENCY}),
    responses=refuses(body=True),
    summary="Open a restricted referral in an emergency",
)
def break_it(body: Body, desk: AtDesk) -> GlassBroken:
    """For an hour, for a decision maker with an authenticator app and a fresh second factor: never for a system.

    Information governance is told of each use at once, of one that opened nothing too.
    """
    with desk.at_work() as (session, by, at):
        check_may_decide(by)
        document = read(body, BreakDocument)
        return GlassBroken(reference=break_glass.break_glass(session, document, desk.credential, by=by, at=at))
