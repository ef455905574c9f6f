"""A duty team: refer, follow, read the outcome and acknowledge it (R02-R06, R42, R43, R45, R69)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from casework import drafts, early_end, follow, intake, legal_basis, outcome, restriction
from casework.documents import EarlyEndDocument, Eligibility
from models.account import Account
from portal import bodies, forms
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import drafted, meant, save_or_add
from portal.routes.names import Reference
from portal.words import error_sentence
from rules import eligibility
from rules.errors import FieldError, NotAcceptable, NotFound
from rules.stages import UNDECIDED

router = APIRouter(include_in_schema=False)
_REFERRAL = "referral"
_ONE = "/referrals/{reference}"
#: Both must be answered with yes before there is more to ask.
_BOTH = ("safeguarding_concern", "extent_unclear")
#: One person of a choice: the page shows what is wrong with it beside the choice.
_CHOICE = re.compile(r"^/subjects/\d+$")


@router.get("/referrals")
def referrals(door: AtDoor) -> Response:
    """The team's own referrals, the open ones first."""
    with door.at_work() as (session, by, _):
        own = follow.of_team(session, by=by)
    return door.page("referrals.html", still=own.still, over=own.over)


@router.get("/refer")
def eligibility_page(door: AtDoor) -> Response:
    """Is this one for the MASH? Asked before anything else."""
    with door.at_work() as work:
        form = drafted(work, _REFERRAL, "")
    return door.page("refer.html", form=form or Form())


@router.post("/refer")
def answer_eligibility(door: AtDoor) -> Response:
    """On to the details; or at once what to do instead, with nothing sent (R05, R06)."""
    try:
        with door.at_work() as work:
            answers = _eligibility(door)
            code = eligibility.exit_for_referral(
                safeguarding_concern=answers.safeguarding_concern, extent_unclear=answers.extent_unclear
            )
            if code is None:
                _begin(door, work)
    except NotAcceptable as refused:
        return door.page("refer.html", 422, form=Form(door.raw, refused.fields))
    return (
        door.page("not_for_mash.html", clear=code == eligibility.CLEAR_CONCERN) if code else door.go("/refer/details")
    )


@router.get("/refer/details")
def details_page(door: AtDoor) -> Response:
    """The rest of the referral, once it is for the MASH at all."""
    with door.at_work() as work:
        form = drafted(work, _REFERRAL, "")
    if form is None or any(form.value(f"eligibility-{answer}:bool") != "true" for answer in _BOTH):
        return door.go("/refer")
    return door.page("refer_details.html", form=form)


@router.post("/refer/draft")
def save_draft(door: AtDoor) -> Response:
    """Keep the referral while it is being typed."""
    with door.at_work() as work:
        # Each of the two pages sends its own part, and must not lose the other's.
        drafts.save(work.session, _REFERRAL, "", _draft_so_far(door, work) | door.raw, by=work.by, at=work.at)
    return Response(status_code=204)


@router.post("/refer/details")
def refer(door: AtDoor) -> Response:
    """The referral goes to the hub, once, however often the button is pressed."""
    try:
        with door.at_work() as work:
            if kept := save_or_add(door, _REFERRAL, "", work, "/refer/details"):
                return kept
            document = forms.document(door.raw, door.zone)
            # A part of which nothing was filled in: each of its fields is named, not the part.
            empty: dict[str, Any] = {"concern": {}, "decision_to_refer": {}, "sending_officer": {}, "subjects": [{}]}
            document = empty | document | {"duty_team": work.by.duty_team}
            received = intake.receive(work.session, bodies.storable(document), by=work.by, at=work.at)
            drafts.discard(work.session, _REFERRAL, "", by=work.by, at=work.at)
    except NotAcceptable as refused:
        return door.page("refer_details.html", 422, form=Form(door.raw, refused.fields))
    return door.go(f"/referrals/{received.reference}", "referred")


@router.get(_ONE)
def referral(reference: Reference, door: AtDoor) -> Response:
    """Where a referral stands, and why it waits."""
    with door.at_work() as (session, by, at):
        seen = follow.see(session, reference, by=by, at=at)
        restricted = restriction.in_force(session, reference) is not None
        own_and_open = seen.duty_team == by.duty_team and seen.stage in UNDECIDED
        lacking = legal_basis.lacking(session, reference, by=by, at=at) if own_and_open else {}
    said = {subject: [error_sentence(field) for field in fields] for subject, fields in lacking.items()}
    return door.page("my_referral.html", seen=seen, lacking=said, restricted=restricted)


@router.get(f"{_ONE}/outcome")
def outcome_page(reference: Reference, door: AtDoor) -> Response:
    """What the team is told of its own subjects, and words for whoever told the team."""
    with door.at_work() as (session, by, at):
        told = outcome.read(session, reference, by=by, at=at)
    return door.page("outcome.html", told=told, reference=reference)


@router.post(f"{_ONE}/acknowledgement")
def acknowledge(reference: Reference, door: AtDoor) -> Response:
    """The team knows the version that was on the screen."""
    version = door.field("version")
    with door.at_work() as (session, by, at):
        if not (version.isascii() and version.isdigit() and len(version) < 6):
            raise NotFound("there is no such version")
        outcome.acknowledge(session, reference, int(version), by=by, at=at)
    return door.go(f"/referrals/{reference}", "outcome-acknowledged")


@router.get(f"{_ONE}/withdraw")
def withdraw_page(reference: Reference, door: AtDoor) -> Response:
    """Take a referral back, or some of its people."""
    return _end_form(door, reference, "withdraw.html")


@router.post(f"{_ONE}/withdraw")
def withdraw(reference: Reference, door: AtDoor) -> Response:
    """The people chosen go back to the team; with the last of them open checks are cancelled."""
    return _end(door, reference, early_end.withdraw, "withdraw.html", "withdrawn")


@router.get(f"{_ONE}/clear-concern")
def clear_concern_page(reference: Reference, door: AtDoor) -> Response:
    """The concern is clear and agreed now, and about whom: what that means, before it is said."""
    return _end_form(door, reference, "clear_concern.html")


@router.post(f"{_ONE}/clear-concern")
def clear_concern(reference: Reference, door: AtDoor) -> Response:
    """They come back at once, for the existing procedure; with the last of them open checks are cancelled (R06)."""
    return _end(door, reference, early_end.clear_concern, "clear_concern.html", "clear")


def _eligibility(door: Door) -> Eligibility:
    """The three answers. Raises NotAcceptable with every one that is missing."""
    value = forms.document(door.raw, door.zone).get("eligibility", {})
    found = eligibility.problems({"eligibility": value})
    try:
        answers = bodies.read_value(value, Eligibility)
    except NotAcceptable as refused:
        within = [type(field)(f"/eligibility{field.pointer}", field.detail) for field in refused.fields]
        raise NotAcceptable(*within, *found) from None
    if found:
        raise NotAcceptable(*found)
    return answers


def _begin(door: Door, work: Work) -> None:
    """The answers into the draft, beside what it holds already; a new one knows who writes it, and when."""
    content = _draft_so_far(door, work) | {"eligibility": door.raw["eligibility"]}
    drafts.save(work.session, _REFERRAL, "", content, by=work.by, at=work.at)


def _draft_so_far(door: Door, work: Work) -> dict[str, Any]:
    kept = drafts.find(work.session, _REFERRAL, "", work.by.id)
    return dict(kept.content) if kept else _new_draft(door, work)


def _new_draft(door: Door, work: Work) -> dict[str, Any]:
    account = work.session.get(Account, work.by.id)
    officer = {"name": (account and account.display_name) or "", "reply_to": (account and account.email) or ""}
    return {
        "sender_id": f"portal-{uuid4().hex}",
        "sending_officer": officer,
        "decision_to_refer": {"at:moment": forms.moment_parts(work.at, door.zone)},
    }


def _end(door: Door, reference: str, verb: Callable[..., None], template: str, done: str) -> Response:
    """The people chosen leave. Where there is more than one, a page's empty choice does not mean all of them."""
    try:
        with door.at_work() as (session, by, at):
            document = meant(door, EarlyEndDocument)
            if early_end.are_several(session, reference, by=by) and not document.subjects:
                raise NotAcceptable(FieldError("/subjects", "choose at least one person"))
            verb(session, reference, document, by=by, at=at)
            over = follow.see(session, reference, by=by, at=at).stage not in UNDECIDED
    except NotAcceptable as refused:
        beside = [FieldError(_CHOICE.sub("/subjects", each.pointer), each.detail) for each in refused.fields]
        return _end_form(door, reference, template, 422, Form(door.raw, beside))
    return door.go(f"/referrals/{reference}", done if over else f"some-{done}")


def _end_form(door: Door, reference: str, template: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        seen = follow.see(session, reference, by=by, at=at)
        people = early_end.still_here(session, reference, by=by, at=at)
    return door.page(template, status, seen=seen, people=people, form=form or Form())
