"""Consent, informing, the lawful basis and the details of each person (R41, R54, R56)."""

from __future__ import annotations

from fastapi import APIRouter

from casework import corrections, follow, legal_basis, legal_gate, overrides
from casework.correction_documents import CorrectionDocument
from casework.corrections import DetailsSeen
from casework.follow import ReferralSeen
from casework.legal_basis import BasisSeen
from casework.legal_documents import CompletionDocument, OverrideDocument
from portal import examples
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals", tags=["Referrals"])
_BASIS, _DETAILS = "/{reference}/basis", "/{reference}/details"


@router.get(_BASIS, responses=refuses(404), summary="Read the lawful basis")
def read_basis(reference: Reference, desk: AtDesk) -> BasisSeen:
    """For each person what is on record, what is missing, and what the area's profile allows. Each reading is kept."""
    with desk.at_work() as (session, by, at):
        return legal_basis.read(session, reference, by=by, at=at)


@router.post(
    _BASIS,
    openapi_extra=takes(CompletionDocument, examples={"completed": examples.COMPLETION}),
    responses=refuses(404, 409, body=True),
    summary="Complete the lawful basis",
)
def complete_basis(reference: Reference, body: Body, desk: AtDesk) -> BasisSeen:
    """Record what was missing or has changed. Once nothing is missing the agencies are asked, without another call."""
    with desk.at_work() as (session, by, at):
        legal_gate.complete(session, reference, read(body, CompletionDocument), by=by, at=at)
        return legal_basis.read(session, reference, by=by, at=at)


@router.get(_DETAILS, responses=refuses(404), summary="Read the people's details, every version")
def read_details(reference: Reference, desk: AtDesk) -> DetailsSeen:
    """Who everybody is, and what stood there before each correction. A protected address is not in it."""
    with desk.at_work() as (session, by, at):
        return corrections.read(session, reference, by=by, at=at)


@router.post(
    _DETAILS,
    openapi_extra=takes(CorrectionDocument, examples={"corrected": examples.CORRECTION}),
    responses=refuses(404, 409, body=True),
    summary="Correct a person's details",
)
def correct_details(reference: Reference, body: Body, desk: AtDesk) -> DetailsSeen:
    """A new version of one person's details; what is left out stays. Agencies that were asked are told of it."""
    with desk.at_work() as (session, by, at):
        corrections.correct(session, reference, read(body, CorrectionDocument), by=by, at=at)
        return corrections.read(session, reference, by=by, at=at)


@router.post(
    "/{reference}/overrides",
    openapi_extra=takes(OverrideDocument, examples={"no_agreement": examples.OVERRIDE}),
    responses=refuses(404, 409, body=True),
    response_model_exclude_unset=True,
    summary="Have an agency asked without an agreement",
)
def override(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """A decision maker's word that one agency cannot wait for an agreement. The information-governance lead is told."""
    with desk.at_work() as (session, by, at):
        overrides.ask_without_agreement(session, reference, read(body, OverrideDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)
