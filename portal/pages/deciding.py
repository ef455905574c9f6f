"""The MASH team: the discussion, each agency's view, the decision, and whether it stands (R24, R34-R39)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from casework import decision, discussion, reconsider, to_manager
from casework.documents import DecisionDocument, DiscussionDocument, ResolutionDocument, StandsDocument, ViewDocument
from portal import bodies, forms
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages import managing
from portal.pages.documents import meant
from portal.pages.one_referral import ONE, act, again, keep_draft, referral_page
from portal.routes.names import Reference
from rules.errors import FieldError, NeedsManager, NotAcceptable

router = APIRouter(include_in_schema=False)
_DECISION, _DISCUSSION, _VIEW, _DISSENT, _STANDS = "decision", "discussion", "view", "dissent", "reconsideration"
#: The choice that lets an item go to the duty team; every other one is a reason to withhold it.
_RELEASE = "RELEASE"
_ITEM = re.compile(r"/decisions/(?P<subject>\d+)/items/(?P<item>\d+)")


@router.get(f"{ONE}/discussion")
def discussion_page(reference: Reference, door: AtDoor) -> Response:
    """Record the team's discussion."""
    return referral_page(door, reference, "discussion.html", purpose=_DISCUSSION)


@router.post(f"{ONE}/discussion")
def record_discussion(reference: Reference, door: AtDoor) -> Response:
    """The discussion, or its draft."""

    def record(work: Work) -> None:
        document = meant(door, DiscussionDocument)
        discussion.record_discussion(work.session, reference, document, by=work.by, at=work.at)

    refused = again(door, reference, "discussion.html", purpose=_DISCUSSION)
    return act(door, reference, "discussed", record, refused, purpose=_DISCUSSION)


@router.post(f"{ONE}/discussion/draft")
def save_discussion(reference: Reference, door: AtDoor) -> Response:
    """Keep the discussion's text while it is being typed."""
    return keep_draft(door, reference, _DISCUSSION)


@router.get(f"{ONE}/view")
def view_page(reference: Reference, door: AtDoor) -> Response:
    """Record what an agency thinks of the threshold."""
    return referral_page(door, reference, "view.html", purpose=_VIEW)


@router.post(f"{ONE}/view")
def record_view(reference: Reference, door: AtDoor) -> Response:
    """An agency's view; a disagreement is never hidden."""

    def record(work: Work) -> None:
        discussion.record_view(work.session, reference, meant(door, ViewDocument), by=work.by, at=work.at)

    return act(door, reference, "viewed", record, again(door, reference, "view.html", purpose=_VIEW), purpose=_VIEW)


@router.get(f"{ONE}/decision")
def decision_page(reference: Reference, door: AtDoor) -> Response:
    """Decide for each subject; nothing is selected beforehand."""
    return _decision_page(door, reference)


@router.post(f"{ONE}/decision")
def decide(reference: Reference, door: AtDoor) -> Response:
    """The decision is signed, on the version of the referral that was on the screen."""

    def sign(work: Work) -> None:
        document = _decision(door)
        try:
            decision.decide(work.session, reference, document, by=work.by, at=work.at)
        except NotAcceptable as refused:
            raise NotAcceptable(*(_beside_its_choice(problem, document) for problem in refused.fields)) from None

    try:
        return act(
            door, reference, "decided", sign, lambda form: _decision_page(door, reference, form), purpose=_DECISION
        )  # fmt: skip
    except NeedsManager as needed:
        keep_draft(door, reference, _DECISION)
        return managing.offer(door, reference, needed)


@router.post(f"{ONE}/decision/draft")
def save_decision(reference: Reference, door: AtDoor) -> Response:
    """Keep the decision's text while it is being typed."""
    return keep_draft(door, reference, _DECISION)


@router.get(f"{ONE}/dissent")
def dissent_page(reference: Reference, door: AtDoor) -> Response:
    """How the agencies' disagreement was resolved."""
    return referral_page(door, reference, "dissent.html", purpose=_DISSENT)


@router.post(f"{ONE}/dissent")
def resolve_dissent(reference: Reference, door: AtDoor) -> Response:
    """The disagreement is resolved, and goes no further."""

    def resolve(work: Work) -> None:
        document = meant(door, ResolutionDocument)
        discussion.resolve_dissent(work.session, reference, document, by=work.by, at=work.at)

    refused = again(door, reference, "dissent.html", purpose=_DISSENT)
    return act(door, reference, "resolved", resolve, refused, purpose=_DISSENT)


@router.get(f"{ONE}/reconsideration")
def reconsideration_page(reference: Reference, door: AtDoor) -> Response:
    """Something came after the decision: does it stand?"""
    return referral_page(door, reference, "reconsideration.html", purpose=_STANDS)


@router.post(f"{ONE}/reconsideration")
def let_stand(reference: Reference, door: AtDoor) -> Response:
    """The decision stands."""

    def stands(work: Work) -> None:
        reason = meant(door, StandsDocument).reason
        reconsider.let_stand(work.session, reference, reason, by=work.by, at=work.at)

    refused = again(door, reference, "reconsideration.html", purpose=_STANDS)
    return act(door, reference, "stands", stands, refused, purpose=_STANDS)


def _decision_page(door: Door, reference: str, form: Form | None = None) -> Response:
    """With what is on offer for the duty team, and who took no part; both as they stand now."""

    def with_choices(work: Work) -> Mapping[str, Any]:
        return {
            "on_offer": decision.offers(work.session, reference, by=work.by),
            "absent": decision.absent(work.session, reference, by=work.by),
            "beyond": to_manager.choices(work.session, reference, by=work.by),
        }

    status = 200 if form is None else 422
    return referral_page(door, reference, "decision.html", status, form, purpose=_DECISION, also=with_choices)


def _choices(chosen: object) -> list[dict[str, object]]:
    """What the page's choices mean: POLICE_1_2, the second item of the first return of POLICE, goes or is withheld."""
    found: list[dict[str, object]] = []
    for name, choice in chosen.items() if isinstance(chosen, dict) else ():
        agency, version, number = (["", "", *name.rsplit("_", 2)])[-3:]
        places = {"version": _number(version), "number": _number(number)}
        reason = {} if choice == _RELEASE else {"withheld_because": choice}
        found.append({"agency": agency, "release": choice == _RELEASE, **places, **reason})
    return found


def _beside_its_choice(problem: FieldError, document: DecisionDocument) -> FieldError:
    """What is wrong with an item stands beside the choice that the page made of it."""
    found = _ITEM.match(problem.pointer)
    if not found:
        return problem
    choice = document.decisions[int(found["subject"])].items[int(found["item"])]
    name = f"{choice.agency}_{choice.version}_{choice.number}"
    return FieldError(f"/decisions/{found['subject']}/choices/{name}", problem.detail)


def _number(text: str) -> object:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _decision(door: Door) -> DecisionDocument:
    """The decision that the form means: no row of an action filled in means that no action is needed."""
    value = forms.document(door.raw, door.zone)
    rows = value.get("decisions")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            row.setdefault("actions", [])
            row["items"] = _choices(row.pop("choices", {}))
    return bodies.read_value(value, DecisionDocument)
