"""What the MASH team's pages about one referral have in common: showing it, and acting on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from casework import collation, decided, drafts, follow, outcome, radar, restriction, to_manager, urgency
from portal import forms
from portal.credentials import Work
from portal.doors import Door
from portal.forms import Form
from portal.pages.documents import autosave, draft_of, drafted, save_or_add, sends_nothing
from rules.errors import Conflict, NotAcceptable, WrongStage
from rules.permissions import Role, check_may_run_process

#: A page about one referral of the MASH team's.
ONE = "/board/{reference}"
#: The pages with little to type, which is kept while it is typed all the same.
SHORT = frozenset(
    {
        "view", "dissent", "reconsideration", "urgency", "manager", "ask", "override", "restrict", "evidence", "reply",
        "follow-up",
    }
)  # fmt: skip


def referral_page(
    door: Door, reference: str, template: str, status: int = 200, form: Form | None = None, *,
    purpose: str | None = None, reads: bool = True, looked_at: bool = True, marked: bool = False,
    also: Callable[[Work], Mapping[str, Any]] | None = None, **more: Any,
) -> Response:  # fmt: skip
    """One referral on a page. With `reads` the assessment stands on it, and the reading is kept (R48, R50).

    `purpose` names the draft that the page's form may hold. With `marked` the page says up to which change it goes,
    and whoever has it so far is sent nothing and reads nothing of the assessment. What `also` finds stands on it too,
    as it was at the same moment.
    """
    with door.at_work(looked_at=looked_at) as work:
        check_may_run_process(work.by)
        # The mark is taken before the page: what happens in between is shown, and shown once more.
        mark = f'"{follow.newest_change(work.session, reference, by=work.by, at=work.at)}"' if marked else ""
        if mark and door.request.headers.get("If-None-Match") == mark:
            return Response(status_code=304)
        seen = follow.see(work.session, reference, by=work.by, at=work.at)
        content = collation.read(work.session, reference, by=work.by, at=work.at) if reads else None
        pressing = urgency.read(work.session, reference, by=work.by, at=work.at) if reads else None
        sent = to_manager.read(work.session, reference, by=work.by, at=work.at) if reads else None
        decisions = decided.read(work.session, reference, by=work.by, at=work.at) if reads else []
        earlier = radar.read(work.session, reference, by=work.by, at=work.at) if reads else None
        stopped = outcome.why_stopped(work.session, reference, by=work.by, at=work.at) if reads else []
        besides = also(work) if also else {}
        restricted = restriction.in_force(work.session, reference) is not None
        if form is None and purpose:
            form = drafted(work, purpose, reference)
        form = form or Form({"held_at:moment": forms.moment_parts(work.at, door.zone)} if purpose else {})
    shown = door.page(
        template, status, mark=mark, seen=seen, content=content, decisions=decisions, form=form, purpose=purpose,
        pressing=pressing, sent=sent, restricted=restricted, stopped=stopped, earlier=earlier,
        may_decide=work.by.role is Role.DECISION_MAKER, is_manager=work.by.manager_authority, **besides, **more,
    )  # fmt: skip
    if mark:
        shown.headers["ETag"] = mark
    return shown


def again(door: Door, reference: str, template: str, **more: Any) -> Callable[[Form], Response]:
    """The page again with what was typed, and what is wrong with it; `more` as for `referral_page`."""
    return lambda form: referral_page(door, reference, template, 422, form, **more)


def act(
    door: Door, reference: str, done: str, verb: Callable[[Work], None],
    refused: Callable[[Form], Response], *, purpose: str | None = None, back: str = "",
) -> Response:  # fmt: skip
    """One act of the team's, then on to the referral, or `back`. What was typed outlives a refusal."""
    try:
        with door.at_work(takes=not (purpose and sends_nothing(door))) as work:
            if purpose:
                check_may_run_process(work.by)
                follow.see(work.session, reference, by=work.by, at=work.at)
                if kept := save_or_add(door, purpose, reference, work, door.request.url.path):
                    return kept
            verb(work)
            if purpose:
                drafts.discard(work.session, purpose, reference, by=work.by, at=work.at)
    except NotAcceptable as found:
        return refused(Form(door.raw, found.fields))
    except (Conflict, WrongStage):
        return _changed(door, reference, purpose)
    return door.go(back or f"/board/{reference}", done)


def keep_draft(door: Door, reference: str, purpose: str | None = None) -> Response:
    """Keep what is typed while somebody is typing; without a `purpose`, on the short page that the form names."""
    with door.at_work() as work:
        check_may_run_process(work.by)
        follow.see(work.session, reference, by=work.by, at=work.at)
        return autosave(door, purpose or draft_of(door, SHORT), reference, work)


def _changed(door: Door, reference: str, purpose: str | None) -> Response:
    """Somebody else was faster: what was typed is kept as a draft, and the page says what to look at."""
    if purpose:
        with door.at_work() as work:
            drafts.save(work.session, purpose, reference, door.raw, by=work.by, at=work.at)
    return referral_page(door, reference, "changed.html", 409, Form(), purpose=purpose, reads=False)
