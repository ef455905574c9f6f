"""Consent, informing and the lawful basis of each person, before any agency is asked (R54, R56)."""

from __future__ import annotations

from fastapi import APIRouter

from casework import follow, legal_basis, legal_gate, overrides
from casework.follow import ReferralSeen
from casework.legal_basis import BasisSeen
from casework.legal_documents import CompletionDocument, OverrideDocument
from portal import examples
from portal.bodies import Body, read
from portal.credentials import AtDesk
from portal.routes.names import Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals", tags=["Referrals"])
_BASIS = "/{reference}/basis"


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
