"""An agency's representative: what is asked, and the answer (R05, R18, R19, R24, R33, R49, R57)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from casework import causes, checks, discussion, drafts, follow_up, queues, readers, restriction, urgency
from casework.documents import (
    AcknowledgeDocument,
    CauseDocument,
    DeclineDocument,
    QuestionDocument,
    ReturnDocument,
    ViewDocument,
)
from casework.urgency_documents import UrgentCallDocument
from portal import forms
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form, Raw
from portal.pages.documents import as_text, autosave, draft_of, drafted, meant, save_or_add
from portal.routes.names import Reference
from rules.errors import Conflict, NotAcceptable, WrongStage

router = APIRouter(include_in_schema=False)
_CHECK = "/checks/{reference}"
_RETURN = "return"
#: The pages whose text is kept while it is typed, as the return is, by their templates.
KEPT = frozenset({_RETURN, "question", "follow_up", "urgent", "decline", "own_view"})
#: How many open checks one page shows: the most urgent.
MOST_SHOWN = 100


@router.get("/tasks")
def tasks(door: AtDoor) -> Response:
    """What waits for the agency, the most urgent first, and what it answered lately."""
    with door.at_work() as (session, by, _):
        own = queues.tasks_of(session, most=MOST_SHOWN, by=by)
        waiting = own.checks
        count = len(waiting) if len(waiting) < MOST_SHOWN else queues.count_open(session, by=by)
        settled = queues.tasks_of(session, settled=True, by=by).checks
    return door.page("tasks.html", waiting=waiting, count=count, settled=settled[:20], asked=own.follow_ups)


@router.get(_CHECK)
def check(reference: Reference, door: AtDoor) -> Response:
    """One check: the question, the least to search for, what was answered."""
    return _check_page(door, reference)


@router.post(f"{_CHECK}/acknowledge")
def acknowledge(reference: Reference, door: AtDoor) -> Response:
    """Seen; perhaps with the quick answer."""
    known = door.field("known") or None
    return _act(
        door, reference, "acknowledged",
        lambda work: checks.acknowledge(
            work.session, reference, work.by.agency or "", AcknowledgeDocument(known=known), by=work.by, at=work.at
        ),
    )  # fmt: skip


@router.get(f"{_CHECK}/return")
def return_page(reference: Reference, door: AtDoor) -> Response:
    """The whole return: from the draft, or from the newest version when it is corrected, or empty."""
    return _return_form(door, reference, "return.html")


@router.get(f"{_CHECK}/nothing-known")
def nothing_known_page(reference: Reference, door: AtDoor) -> Response:
    """The short return, for nothing known."""
    return _return_form(door, reference, "nothing_known.html")


@router.post(f"{_CHECK}/draft")
def save_draft(reference: Reference, door: AtDoor) -> Response:
    """Keep the return, or what else is said to the MASH team, while it is being typed."""
    with door.at_work() as work:
        queues.check_now(work.session, reference, by=work.by)
        return autosave(door, draft_of(door, KEPT), reference, work)


@router.post(f"{_CHECK}/return")
def record_return(reference: Reference, door: AtDoor) -> Response:
    """The return, or its draft."""
    return _record(door, reference, "return.html")


@router.post(f"{_CHECK}/nothing-known")
def record_nothing_known(reference: Reference, door: AtDoor) -> Response:
    """The short return."""
    return _record(door, reference, "nothing_known.html")


@router.get(f"{_CHECK}/question")
def question_page(reference: Reference, door: AtDoor) -> Response:
    """Ask the MASH team what is meant."""
    return _check_page(door, reference, "question.html")


@router.post(f"{_CHECK}/question")
def ask(reference: Reference, door: AtDoor) -> Response:
    """The question goes to the MASH team; the agency's time goes on."""

    def act(work: Work) -> None:
        text = meant(door, QuestionDocument).text
        checks.ask_clarification(work.session, reference, work.by.agency or "", text, by=work.by, at=work.at)

    return _act(door, reference, "asked", act, "question.html")


@router.get(f"{_CHECK}/follow-up")
def follow_up_page(reference: Reference, door: AtDoor) -> Response:
    """What the MASH team asks about the agency's return."""
    return _check_page(door, reference, "follow_up.html")


@router.post(f"{_CHECK}/follow-up")
def answer_follow_up(reference: Reference, door: AtDoor) -> Response:
    """The answer goes to the MASH team (R33)."""

    def act(work: Work) -> None:
        text = meant(door, QuestionDocument).text
        follow_up.answer(work.session, reference, work.by.agency or "", text, by=work.by, at=work.at)

    return _act(door, reference, "told", act, "follow_up.html")


@router.post(f"{_CHECK}/cause")
def record_cause(reference: Reference, door: AtDoor) -> Response:
    """The agency's manager says why it was late (R25)."""

    def act(work: Work) -> None:
        document = meant(door, CauseDocument)
        causes.record_cause(work.session, reference, work.by.agency or "", document, by=work.by, at=work.at)

    return _act(door, reference, "cause-given", act, "check.html")


@router.get(f"{_CHECK}/urgent")
def urgent_page(reference: Reference, door: AtDoor) -> Response:
    """Ask the MASH team to discuss it now."""
    return _check_page(door, reference, "urgent.html")


@router.post(f"{_CHECK}/urgent")
def call_urgent(reference: Reference, door: AtDoor) -> Response:
    """The MASH team is told at once, and says when it knows (R10)."""

    def act(work: Work) -> None:
        document = meant(door, UrgentCallDocument)
        urgency.call(work.session, reference, work.by.agency or "", document, by=work.by, at=work.at)

    return _act(door, reference, "urgent", act, "urgent.html")


@router.get(f"{_CHECK}/decline")
def decline_page(reference: Reference, door: AtDoor) -> Response:
    """Decline to share, and why."""
    return _check_page(door, reference, "decline.html")


@router.post(f"{_CHECK}/decline")
def decline(reference: Reference, door: AtDoor) -> Response:
    """The agency will not share."""

    def act(work: Work) -> None:
        document = meant(door, DeclineDocument)
        checks.decline(work.session, reference, work.by.agency or "", document, by=work.by, at=work.at)

    return _act(door, reference, "declined", act, "decline.html")


@router.get(f"{_CHECK}/view")
def view_page(reference: Reference, door: AtDoor) -> Response:
    """What the agency thinks of the threshold."""
    return _check_page(door, reference, "own_view.html")


@router.post(f"{_CHECK}/view")
def record_view(reference: Reference, door: AtDoor) -> Response:
    """The agency's own view, recorded by its representative (R37)."""

    def act(work: Work) -> None:
        view = meant(door, ViewDocument, {**door.raw, "agency": work.by.agency or ""})
        discussion.record_view(work.session, reference, view, by=work.by, at=work.at)

    return _act(door, reference, "viewed", act, "own_view.html")


@router.get(f"{_CHECK}/readers")
def readers_page(reference: Reference, door: AtDoor) -> Response:
    """Who has read what the agency gave (R50)."""
    with door.at_work() as (session, by, _):
        found = readers.readings(session, reference, by=by)
    return door.page("readers.html", reference=reference, found=found)


def _act(door: Door, reference: str, done: str, act: Callable[[Work], None], template: str = "check.html") -> Response:
    try:
        with door.at_work() as work:
            act(work)
            drafts.discard(work.session, _page_of(template), reference, by=work.by, at=work.at)
    except NotAcceptable as refused:
        return _check_page(door, reference, template, 422, Form(door.raw, refused.fields))
    except (Conflict, WrongStage):
        return _over(door, reference)
    return door.go(f"/checks/{reference}", done)


def _check_page(
    door: Door, reference: str, template: str = "check.html", status: int = 200, form: Form | None = None
) -> Response:
    with door.at_work() as work:
        seen = queues.read_check(work.session, reference, by=work.by, at=work.at)
        has_draft = drafts.find(work.session, _RETURN, reference, work.by.id) is not None
        restricted = restriction.in_force(work.session, reference) is not None
        form = form or drafted(work, _page_of(template), reference)
    return door.page(template, status, check=seen, form=form or Form(), has_draft=has_draft, restricted=restricted)


def _page_of(template: str) -> str:
    """What a page's draft is kept as: its template without the ending."""
    return template.removesuffix(".html")


def _record(door: Door, reference: str, template: str) -> Response:
    try:
        with door.at_work() as work:
            queues.check_now(work.session, reference, by=work.by)
            if answer := save_or_add(door, _RETURN, reference, work, f"/checks/{reference}/return"):
                return answer
            document = meant(door, ReturnDocument)
            checks.record_return(work.session, reference, work.by.agency or "", document, by=work.by, at=work.at)
            drafts.discard(work.session, _RETURN, reference, by=work.by, at=work.at)
    except NotAcceptable as refused:
        return _return_form(door, reference, template, 422, Form(door.raw, refused.fields))
    except (Conflict, WrongStage):
        return _over(door, reference)
    return door.go(f"/checks/{reference}", "returned")


def _over(door: Door, reference: str) -> Response:
    """The check went on without this: what was typed is given back, with the way that is left (R24, finding 14)."""
    with door.at_work() as work:
        seen = queues.read_check(work.session, reference, by=work.by, at=work.at)
    return door.page("check_over.html", 409, check=seen, typed=as_text(forms.document(door.raw, door.zone)))


def _return_form(door: Door, reference: str, template: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as work:
        seen = queues.read_check(work.session, reference, by=work.by, at=work.at)
        form = form or drafted(work, _RETURN, reference)
        if form is None:
            newest = seen.returns[-1].model_dump() if seen.returns else None
            form = Form(_as_typed(newest, door) if newest else _fresh(work.at, door))
    return door.page(template, status, check=seen, form=form, correcting=bool(seen.returns))


def _fresh(at: datetime, door: Door) -> Raw:
    """An empty return, but for the moment of the search: it is now."""
    return {"systems_searched": {"0": {"searched_at:moment": forms.moment_parts(at, door.zone)}}}


def _as_typed(newest: dict[str, Any], door: Door) -> Raw:
    """An earlier version as the fields of the form, to be corrected."""
    return {
        "result": newest["result"],
        "summary": newest["summary"] or "",
        "not_searched_because": newest["not_searched_because"] or "",
        "items": {str(n): _item_as_typed(item) for n, item in enumerate(newest["items"])},
        "systems_searched": {
            str(n): {**row, "searched_at:moment": _moment_as_typed(row.get("searched_at"), door)}
            for n, row in enumerate(newest["systems_searched"])
        },
        "consultations": {
            str(n): {**row, "consulted_at:moment": _moment_as_typed(row.get("consulted_at"), door)}
            for n, row in enumerate(newest["consultations"])
        },
    }


def _item_as_typed(item: dict[str, Any]) -> Raw:
    typed: Raw = {**item, "about:list": item["about"]}
    if item["event_date"]:
        year, month, day = item["event_date"].split("-")
        typed["event_date:date"] = {".day": day.lstrip("0"), ".month": month.lstrip("0"), ".year": year}
    for answer in ("relevant", "necessary", "proportionate"):
        typed[f"{answer}:bool"] = "" if item.get(answer) is None else str(item[answer]).lower()
    return typed


def _moment_as_typed(text: str | None, door: Door) -> Raw:
    return forms.moment_parts(datetime.fromisoformat(text), door.zone) if text else {}
