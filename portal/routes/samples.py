"""Dip samples and second looks, for programs (R63)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response

from casework import dip_samples, second_looks
from casework.dip_samples import SampleRead
from casework.sample_documents import LookDocument, SampleDocument
from casework.second_looks import SecondLooks, ToLookAt
from portal import examples
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1", tags=["Second looks"])
SampleId = Annotated[UUID, Path(description="The sample's id")]
_LOOK: dict[str, Any] = {"responses": refuses(404, body=True)}


@router.post(
    "/samples",
    status_code=201,
    responses=refuses(body=True),
    openapi_extra=takes(SampleDocument, examples={"quarter": examples.SAMPLE}),
    summary="Draw a dip sample",
)
def draw(body: Body, desk: AtDesk) -> SampleRead:
    """Of what was decided in a period, by side and outcome. The same seed draws the same from the same decisions."""
    with desk.at_work() as (session, by, at):
        drawn = dip_samples.draw(session, read(body, SampleDocument), by=by, at=at)
        return dip_samples.one(session, drawn, by=by)


@router.get("/samples/{sample_id}", responses=refuses(404), summary="Read a dip sample")
def read_sample(sample_id: SampleId, desk: AtDesk) -> SampleRead:
    """References and codes: what was decided, what a second look would have, and how far the two agree."""
    with desk.at_work() as (session, by, _):
        return dip_samples.one(session, sample_id, by=by)


@router.get("/second-looks", responses=refuses(), summary="What waits for a second look")
def waiting(desk: AtDesk) -> SecondLooks:
    """Referrals that were drawn, apart from those on which the caller decided. Nothing of what was decided."""
    with desk.at_work() as (session, by, _):
        return second_looks.waiting(session, by=by)


@router.get("/second-looks/{reference}", responses=refuses(404), summary="Read what was known at the decision")
def read_look(reference: Reference, desk: AtDesk) -> ToLookAt:
    """The collated template as the decider saw it, without views, discussions and the decision. Each reading is kept.

    Whoever decided it, or has read the assessment since, gets 403.
    """
    with desk.at_work() as (session, by, at):
        return second_looks.read(session, reference, by=by, at=at)


@router.post(
    "/second-looks/{reference}",
    status_code=204,
    openapi_extra=takes(LookDocument, examples={"look": examples.LOOK}),
    summary="Record a second look",
    **_LOOK,
)
def record(reference: Reference, body: Body, desk: AtDesk) -> Response:
    """What the caller would have decided, for each subject drawn. The decision itself stands as it is."""
    with desk.at_work() as (session, by, at):
        second_looks.record(session, reference, read(body, LookDocument), by=by, at=at)
    return Response(status_code=204)
