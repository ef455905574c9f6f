"""What a decision maker may not decide goes to a manager, who decides or sends it back (R39)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import drafts, to_manager
from casework.documents import SendBackDocument, ToManagerDocument
from portal.credentials import Work
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from portal.pages.one_referral import ONE, act, referral_page
from portal.routes.names import Reference
from rules.errors import NeedsManager

router = APIRouter(include_in_schema=False)
_PAGE = f"{ONE}/manager"
_MANAGER = "manager"


@router.get("/for-manager")
def tasks(door: AtDoor) -> Response:
    """What waits for a manager, the oldest first."""
    with door.at_work() as (session, by, _):
        waiting = to_manager.waiting(session, by=by).referrals
    return door.page("for_manager.html", waiting=waiting)


@router.get(_PAGE)
def manager_page(reference: Reference, door: AtDoor) -> Response:
    """Send a referral to a manager; or, when it is there, what was sent, and for the manager what to do with it."""
    return _page(door, reference)


@router.post(_PAGE)
def send(reference: Reference, door: AtDoor) -> Response:
    """The manager is told, and it stands among their tasks."""

    def to(work: Work) -> None:
        to_manager.send(work.session, reference, meant(door, ToManagerDocument), by=work.by, at=work.at)

    return act(door, reference, "to-manager", to, lambda form: _page(door, reference, 422, form), purpose=_MANAGER)


@router.post(f"{_PAGE}/back")
def send_back(reference: Reference, door: AtDoor) -> Response:
    """The manager does not decide, and the team is told why."""

    def back(work: Work) -> None:
        to_manager.send_back(work.session, reference, meant(door, SendBackDocument), by=work.by, at=work.at)
        drafts.discard(work.session, _MANAGER, reference, by=work.by, at=work.at)

    return act(door, reference, "sent-back", back, lambda form: _page(door, reference, 422, form))


def offer(door: Door, reference: str, needed: NeedsManager) -> Response:
    """Somebody tried to sign what is not theirs to sign: refused, and the way on (R39)."""
    return _page(door, reference, 403, Form({"outcome": needed.outcomes[0]}), needed.outcomes)


def _page(
    door: Door, reference: str, status: int = 200, form: Form | None = None, refused: tuple[str, ...] = ()
) -> Response:
    return referral_page(
        door, reference, "to_manager.html", status, form, purpose=_MANAGER, refused=refused,
        also=lambda work: {"choices": to_manager.choices(work.session, reference, by=work.by)},
    )  # fmt: skip
