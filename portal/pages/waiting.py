"""The MASH team looks after the wait: an agency's question, its clock, urgency, ending it (R10, R13, R21, R23, R33)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from casework import causes, checks, discussion, due_times, follow, follow_up, quality, queues, secondary, urgency
from casework.documents import (
    CauseDocument,
    ExtendDocument,
    PauseDocument,
    QualityDocument,
    QuestionDocument,
    SecondaryDocument,
)
from casework.urgency_documents import RatingDocument
from portal import forms
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant, sent, typed
from portal.pages.one_referral import ONE, act, again, keep_draft, referral_page
from portal.routes.names import AgencyCode, Reference

router = APIRouter(include_in_schema=False)
_CHECK = f"{ONE}/checks/{{agency}}"
_CHECK_PAGE = "agency_check.html"
_URGENCY, _ASK = "urgency", "ask"


@router.post(f"{ONE}/draft")
def save_draft(reference: Reference, door: AtDoor) -> Response:
    """Keep the text of a short page while it is being typed."""
    return keep_draft(door, reference)


@router.get(f"{ONE}/discuss-now")
def discuss_now_page(reference: Reference, door: AtDoor) -> Response:
    """Whether to end the wait."""
    return referral_page(door, reference, "discuss_now.html", reads=False)


@router.post(f"{ONE}/discuss-now")
def discuss_now(reference: Reference, door: AtDoor) -> Response:
    """The wait ends; who has not answered is no longer awaited."""

    def call(work: Work) -> None:
        discussion.discuss_now(work.session, reference, by=work.by, at=work.at)

    return act(door, reference, "called", call, again(door, reference, "discuss_now.html", reads=False))


@router.get(f"{ONE}/urgency")
def urgency_page(reference: Reference, door: AtDoor) -> Response:
    """Rate how urgent the referral is."""
    return referral_page(door, reference, "urgency.html", purpose=_URGENCY)


@router.post(f"{ONE}/urgency")
def rate(reference: Reference, door: AtDoor) -> Response:
    """The referral's new rating; every queue follows (R10)."""

    def change(work: Work) -> None:
        urgency.rate(work.session, reference, meant(door, RatingDocument), by=work.by, at=work.at)

    refused = again(door, reference, "urgency.html", purpose=_URGENCY)
    return act(door, reference, "rated", change, refused, purpose=_URGENCY)


@router.get(f"{ONE}/ask")
def ask_page(reference: Reference, door: AtDoor) -> Response:
    """Ask one more agency."""
    return _ask_page(door, reference)


@router.post(f"{ONE}/ask")
def ask(reference: Reference, door: AtDoor) -> Response:
    """One more agency is asked, at once."""

    def one_more(work: Work) -> None:
        secondary.ask(work.session, reference, meant(door, SecondaryDocument), by=work.by, at=work.at)

    return act(door, reference, "asked-another", one_more, lambda form: _ask_page(door, reference, form), purpose=_ASK)


@router.get(_CHECK)
def agency_check(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """One agency's check: what it asked, its clock and why it is due then, and what can be done about it."""
    return _check_page(door, reference, agency)


@router.post(_CHECK)
def answer(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The team answers all open questions of an agency; a clock that stands still goes on."""

    def tell(work: Work) -> None:
        text = meant(door, QuestionDocument).text
        checks.answer_clarification(work.session, reference, agency, text, by=work.by, at=work.at)
        sent(work, f"reply:{agency}", reference)

    return act(door, reference, "answered", tell, _check_again(door, reference, agency))


@router.post(f"{_CHECK}/follow-up")
def ask_about_return(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The team asks the agency about its return (R33)."""

    def to_agency(work: Work) -> None:
        text = meant(door, QuestionDocument).text
        follow_up.ask(work.session, reference, agency, text, by=work.by, at=work.at)
        sent(work, f"follow-up:{agency}", reference)

    def refused(form: Form) -> Response:
        return _check_page(door, reference, agency, asking=form)

    return act(door, reference, "followed-up", to_agency, refused, back=f"/board/{reference}/checks/{agency}")


@router.post(f"{_CHECK}/follow-up/pause")
def pause_follow_up(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The clock of that question stands still."""

    def stop(work: Work) -> None:
        follow_up.pause(work.session, reference, agency, meant(door, PauseDocument), by=work.by, at=work.at)

    return _on_check(door, reference, agency, "paused", stop)


@router.post(f"{_CHECK}/follow-up/resume")
def resume_follow_up(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """It goes on."""

    def go_on(work: Work) -> None:
        follow_up.resume(work.session, reference, agency, by=work.by, at=work.at)

    return _on_check(door, reference, agency, "resumed", go_on)


@router.post(f"{_CHECK}/chase")
def chase(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The agency is reminded now."""

    def remind(work: Work) -> None:
        due_times.chase(work.session, reference, agency, by=work.by, at=work.at)

    return _on_check(door, reference, agency, "chased", remind)


@router.post(f"{_CHECK}/cause")
def record_cause(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """Why the check breached, of a code set (R25)."""

    def give(work: Work) -> None:
        causes.record_cause(work.session, reference, agency, meant(door, CauseDocument), by=work.by, at=work.at)

    return _on_check(door, reference, agency, "cause-given", give)


@router.post(f"{_CHECK}/quality")
def mark_return(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """How good the agency's return is (R31)."""

    def mark(work: Work) -> None:
        quality.mark(work.session, reference, agency, meant(door, QualityDocument), by=work.by, at=work.at)

    return _on_check(door, reference, agency, "return-marked", mark)


@router.post(f"{_CHECK}/urgent")
def know_that_it_is_urgent(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The agency is told that the team knows of its call (R10)."""

    def know(work: Work) -> None:
        urgency.acknowledge(work.session, reference, agency, by=work.by, at=work.at)

    return _on_check(door, reference, agency, "urgent-known", know)


@router.get(f"{_CHECK}/extend")
def extend_page(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """Give the agency until a later time."""
    return _check_page(door, reference, agency, "extend.html")


@router.post(f"{_CHECK}/extend")
def extend(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The agency's new due time."""

    def later(work: Work) -> None:
        due_times.extend(work.session, reference, agency, meant(door, ExtendDocument), by=work.by, at=work.at)

    return _on_check(door, reference, agency, "extended", later, template="extend.html")


@router.get(f"{_CHECK}/pause")
def pause_page(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """Let the agency's clock stand still."""
    return _check_page(door, reference, agency, "pause.html")


@router.post(f"{_CHECK}/pause")
def pause(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The agency's clock stands still."""

    def stop(work: Work) -> None:
        due_times.pause(work.session, reference, agency, meant(door, PauseDocument), by=work.by, at=work.at)

    return _on_check(door, reference, agency, "paused", stop, template="pause.html")


@router.post(f"{_CHECK}/resume")
def resume(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The agency's clock goes on."""

    def go_on(work: Work) -> None:
        due_times.resume(work.session, reference, agency, by=work.by, at=work.at)

    return _on_check(door, reference, agency, "resumed", go_on)


def _ask_page(door: Door, reference: str, form: Form | None = None) -> Response:
    status = 200 if form is None else 422
    with door.at_work() as work:
        seen = follow.see(work.session, reference, by=work.by, at=work.at)
        choices = secondary.to_choose_from(work.session, reference, by=work.by)
        form = form or typed(work, _ASK, reference)
    return door.page("ask.html", status, seen=seen, choices=choices, form=form)


def _on_check(
    door: Door, reference: str, agency: str, done: str, verb: Callable[[Work], None], *, template: str = _CHECK_PAGE
) -> Response:
    """One act on an agency's check, then on to the check's own page."""
    refused = _check_again(door, reference, agency, template)
    return act(door, reference, done, verb, refused, back=f"/board/{reference}/checks/{agency}")


def _check_again(door: Door, reference: str, agency: str, template: str = _CHECK_PAGE) -> Callable[[Form], Response]:
    return lambda form: _check_page(door, reference, agency, template, form=form)


def _check_page(
    door: Door, reference: str, agency: str, template: str = _CHECK_PAGE, *,
    form: Form | None = None, asking: Form | None = None,
) -> Response:  # fmt: skip
    """`asking` is the form for a question about the return, which stands beside the answer to the agency's own."""
    status = 200 if form is None and asking is None else 422
    with door.at_work() as work:
        seen = queues.read_check_for_team(work.session, reference, agency, by=work.by, at=work.at)
        if template == _CHECK_PAGE:
            form = form or typed(work, f"reply:{agency}", reference)
            asking = asking or typed(work, f"follow-up:{agency}", reference)
    form = form or Form({"until:moment": forms.moment_parts(seen.due_at, door.zone)})
    asking = (asking or Form()).at("asking")
    return door.page(template, status, check=seen, reference=reference, form=form, asking=asking)
