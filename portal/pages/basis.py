"""Completing what the law wants before any agency is asked: a duty team's page, and the MASH team's (R54, R56)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import legal_basis, legal_gate, overrides
from casework.legal_basis import PersonSeen
from casework.legal_documents import CompletionDocument, OverrideDocument
from portal import forms
from portal.doors import AtDoor, Door
from portal.forms import Form, Raw
from portal.pages.documents import meant
from portal.pages.one_referral import act, referral_page
from portal.routes.names import Reference
from portal.words import error_sentence
from rules.errors import Conflict, FieldError, NotAcceptable
from rules.legal_gate import PARTS

router = APIRouter(include_in_schema=False)
_TEAM, _BOARD = "/referrals/{reference}/basis", "/board/{reference}/basis"
_OVERRIDE = "/board/{reference}/override"
_OVERRIDING = "override"
_VERSION = "version_seen:int"
_MEANWHILE = FieldError(
    "/subjects", "somebody changed this referral meanwhile: what you typed is still here, beside what is on record now"
)


@router.get(_TEAM)
def team_page(reference: Reference, door: AtDoor) -> Response:
    """What is on record and what is missing, for the originating duty team."""
    return _page(door, reference, f"/referrals/{reference}")


@router.post(_TEAM)
def team_completes(reference: Reference, door: AtDoor) -> Response:
    """The duty team completes it."""
    return _complete(door, reference, f"/referrals/{reference}")


@router.get(_BOARD)
def board_page(reference: Reference, door: AtDoor) -> Response:
    """The same for the MASH team."""
    return _page(door, reference, f"/board/{reference}")


@router.post(_BOARD)
def board_completes(reference: Reference, door: AtDoor) -> Response:
    """The MASH team completes it."""
    return _complete(door, reference, f"/board/{reference}")


@router.get(_OVERRIDE)
def override_page(reference: Reference, door: AtDoor) -> Response:
    """Have an agency asked without an agreement: a decision maker's page (R55)."""
    return _override_page(door, reference)


@router.post(_OVERRIDE)
def override(reference: Reference, door: AtDoor) -> Response:
    """The agency is asked, and information governance is told."""
    return act(
        door, reference, "overridden",
        lambda work: overrides.ask_without_agreement(
            work.session, reference, meant(door, OverrideDocument), by=work.by, at=work.at
        ),
        lambda form: _override_page(door, reference, 422, form), purpose=_OVERRIDING,
    )  # fmt: skip


def _override_page(door: Door, reference: str, status: int = 200, form: Form | None = None) -> Response:
    return referral_page(
        door, reference, "override.html", status, form, purpose=_OVERRIDING, reads=False,
        also=lambda work: {"candidates": overrides.candidates(work.session, reference, by=work.by, at=work.at)},
    )  # fmt: skip


def _complete(door: Door, reference: str, back: str) -> Response:
    try:
        with door.at_work() as (session, by, at):
            legal_gate.complete(session, reference, meant(door, CompletionDocument), by=by, at=at)
    except NotAcceptable as refused:
        return _page(door, reference, back, 422, Form(door.raw, refused.fields))
    except Conflict:
        # What was typed stays, to be sent again on top of what stands now.
        typed = {name: value for name, value in door.raw.items() if name != _VERSION}
        return _page(door, reference, back, 409, Form(typed, [_MEANWHILE]))
    return door.go(back, "basis")


def _page(door: Door, reference: str, back: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        basis = legal_basis.read(session, reference, by=by, at=at)
    typed = {"subjects": {str(n): _as_typed(person) for n, person in enumerate(basis.people)}}
    form = form or Form(typed)
    lacking = {
        person.subject: [error_sentence(FieldError(f"/{each.field}", each.why)) for each in person.missing]
        for person in basis.people
    }
    return door.page("basis.html", status, basis=basis, form=form, back=back, lacking=lacking, changed=status == 409)


def _as_typed(person: PersonSeen) -> Raw:
    """What is on record, as the fields of the form."""
    plain = ("informed", "informed_how", "consent", "consent_given_by", "consent_reason_code", "consent_reason")
    basis = {part: getattr(person, part) or "" for part in ("request_reason", *PARTS)}
    return {
        **{name: getattr(person, name) or "" for name in plain},
        "informed_on:date": forms.day_parts(person.informed_on) if person.informed_on else {},
        "consent_on:date": forms.day_parts(person.consent_on) if person.consent_on else {},
        "basis": {**basis, "confirmed_by": person.basis_confirmed_by or ""},
    }
