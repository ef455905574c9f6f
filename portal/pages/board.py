"""The MASH team: the board, one referral on one page, the discussion, the decision (R13, R24, R34-R39, R53)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from casework import board, checks, collation, decision, discussion, drafts, follow, queues, reconsider
from casework.documents import DecisionDocument, DiscussionDocument, QuestionDocument, StandsDocument, ViewDocument
from portal import bodies, forms
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import autosave, drafted, meant, save_or_add, sends_nothing
from portal.routes.names import AgencyCode, Reference
from rules.errors import Conflict, NotAcceptable, WrongStage

router = APIRouter(include_in_schema=False)
_ONE = "/board/{reference}"
_DECISION, _DISCUSSION = "decision", "discussion"


@router.get("/board")
def board_page(door: AtDoor) -> Response:
    """Every open referral by its clock: references and initials, for a screen on the wall."""
    with door.at_work() as (session, by, _):
        rows = board.rows(session, by=by)
    return door.page("board.html", rows=rows)


@router.get("/board-rows")
def board_rows(door: AtDoor) -> Response:
    """The board's table anew, for the page that shows it; it keeps nobody signed in."""
    with door.at_work(looked_at=False) as (session, by, _):
        rows = board.rows(session, by=by)
    return door.page("board_rows.html", rows=rows)


@router.get(_ONE)
def referral(reference: Reference, door: AtDoor) -> Response:
    """One referral: the concern, the returns as they come in, the chronology, and what is to be done."""
    return _referral_page(door, reference, "referral.html")


@router.get(f"{_ONE}/discuss-now")
def discuss_now_page(reference: Reference, door: AtDoor) -> Response:
    """Whether to end the wait."""
    return _referral_page(door, reference, "discuss_now.html")


@router.post(f"{_ONE}/discuss-now")
def discuss_now(reference: Reference, door: AtDoor) -> Response:
    """The wait ends; who has not answered is no longer awaited."""

    def act(work: Work) -> None:
        discussion.discuss_now(work.session, reference, by=work.by, at=work.at)

    return _act(door, reference, "called", act, "discuss_now.html")


@router.get(f"{_ONE}/discussion")
def discussion_page(reference: Reference, door: AtDoor) -> Response:
    """Record the team's discussion."""
    return _referral_page(door, reference, "discussion.html", purpose=_DISCUSSION)


@router.post(f"{_ONE}/discussion")
def record_discussion(reference: Reference, door: AtDoor) -> Response:
    """The discussion, or its draft."""

    def act(work: Work) -> None:
        document = meant(door, DiscussionDocument)
        discussion.record_discussion(work.session, reference, document, by=work.by, at=work.at)

    return _act(door, reference, "discussed", act, "discussion.html", purpose=_DISCUSSION)


@router.post(f"{_ONE}/discussion/draft")
def save_discussion(reference: Reference, door: AtDoor) -> Response:
    """Keep the discussion's text while it is being typed."""
    return _autosave(door, reference, _DISCUSSION)


@router.get(f"{_ONE}/view")
def view_page(reference: Reference, door: AtDoor) -> Response:
    """Record what an agency thinks of the threshold."""
    return _referral_page(door, reference, "view.html")


@router.post(f"{_ONE}/view")
def record_view(reference: Reference, door: AtDoor) -> Response:
    """An agency's view; a disagreement is never hidden."""

    def act(work: Work) -> None:
        discussion.record_view(work.session, reference, meant(door, ViewDocument), by=work.by, at=work.at)

    return _act(door, reference, "viewed", act, "view.html")


@router.get(f"{_ONE}/decision")
def decision_page(reference: Reference, door: AtDoor) -> Response:
    """Decide for each subject; nothing is selected beforehand."""
    return _referral_page(door, reference, "decision.html", purpose=_DECISION)


@router.post(f"{_ONE}/decision")
def decide(reference: Reference, door: AtDoor) -> Response:
    """The decision is signed, on the version of the referral that was on the screen."""

    def act(work: Work) -> None:
        decision.decide(work.session, reference, _decision(door), by=work.by, at=work.at)

    return _act(door, reference, "decided", act, "decision.html", purpose=_DECISION)


@router.post(f"{_ONE}/decision/draft")
def save_decision(reference: Reference, door: AtDoor) -> Response:
    """Keep the decision's text while it is being typed."""
    return _autosave(door, reference, _DECISION)


@router.get(f"{_ONE}/reconsideration")
def reconsideration_page(reference: Reference, door: AtDoor) -> Response:
    """Something came after the decision: does it stand?"""
    return _referral_page(door, reference, "reconsideration.html")


@router.post(f"{_ONE}/reconsideration")
def let_stand(reference: Reference, door: AtDoor) -> Response:
    """The decision stands."""

    def act(work: Work) -> None:
        reason = meant(door, StandsDocument).reason
        reconsider.let_stand(work.session, reference, reason, by=work.by, at=work.at)

    return _act(door, reference, "stands", act, "reconsideration.html")


@router.get(f"{_ONE}/checks/{{agency}}")
def agency_check(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """What an agency asked, for the team to answer."""
    return _agency_page(door, reference, agency)


@router.post(f"{_ONE}/checks/{{agency}}")
def answer(reference: Reference, agency: AgencyCode, door: AtDoor) -> Response:
    """The team answers all open questions of an agency."""
    try:
        with door.at_work() as (session, by, at):
            text = meant(door, QuestionDocument).text
            checks.answer_clarification(session, reference, agency, text, by=by, at=at)
    except NotAcceptable as refused:
        return _agency_page(door, reference, agency, 422, Form(door.raw, refused.fields))
    return door.go(f"/board/{reference}", "answered")


def _act(
    door: Door, reference: str, done: str, act: Callable[[Work], None], template: str, *, purpose: str | None = None
) -> Response:
    """One act of the team's; what was typed outlives a refusal."""
    try:
        with door.at_work(takes=not (purpose and sends_nothing(door))) as work:
            if purpose:
                follow.see(work.session, reference, by=work.by, at=work.at)
                if kept := save_or_add(door, purpose, reference, work, door.request.url.path):
                    return kept
            act(work)
            if purpose:
                drafts.discard(work.session, purpose, reference, by=work.by, at=work.at)
    except NotAcceptable as refused:
        return _referral_page(door, reference, template, 422, Form(door.raw, refused.fields))
    except (Conflict, WrongStage) as changed:
        return _changed(door, reference, purpose, changed)
    return door.go(f"/board/{reference}", done)


def _decision(door: Door) -> DecisionDocument:
    """The decision that the form means: no row of an action filled in means that no action is needed."""
    value = forms.document(door.raw, door.zone)
    rows = value.get("decisions")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            row.setdefault("actions", [])
    return bodies.read_value(value, DecisionDocument)


def _changed(door: Door, reference: str, purpose: str | None, changed: Exception) -> Response:
    """Somebody else was faster: what was typed is kept as a draft, and the page says what to look at."""
    if purpose:
        with door.at_work() as work:
            drafts.save(work.session, purpose, reference, door.raw, by=work.by, at=work.at)
    return _referral_page(door, reference, "changed.html", 409, purpose=purpose, reason=str(changed))


def _autosave(door: Door, reference: str, purpose: str) -> Response:
    with door.at_work() as work:
        follow.see(work.session, reference, by=work.by, at=work.at)
        return autosave(door, purpose, reference, work)


def _referral_page(
    door: Door, reference: str, template: str, status: int = 200, form: Form | None = None, *,
    purpose: str | None = None, reason: str = "",
) -> Response:  # fmt: skip
    with door.at_work() as work:
        seen = follow.see(work.session, reference, by=work.by, at=work.at)
        content = collation.read(work.session, reference, by=work.by, at=work.at)
        if form is None and purpose:
            form = drafted(work, purpose, reference)
        form = form or Form({"held_at:moment": forms.moment_parts(work.at, door.zone)} if purpose else {})
    return door.page(
        template, status, seen=seen, content=content, form=form, purpose=purpose, reason=reason,
        may_decide=work.by.role == "DECISION_MAKER",
    )  # fmt: skip


def _agency_page(door: Door, reference: str, agency: str, status: int = 200, form: Form | None = None) -> Response:
    with door.at_work() as (session, by, at):
        seen = queues.read_check_for_team(session, reference, agency, by=by, at=at)
    return door.page("agency_check.html", status, check=seen, reference=reference, form=form or Form())
