"""The board of open referrals, and one referral on one page, live (R13, R30, R53)."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from casework import board, sessions
from portal.doors import AtDoor, Door, SignedOut
from portal.pages.one_referral import ONE, referral_page
from portal.rendering import page
from portal.routes.names import Reference

router = APIRouter(include_in_schema=False)
LOCKED = "/board-locked"
#: A board that nobody has touched for so long may hang in a room that everybody has left.
LOCKS_AFTER = timedelta(minutes=10)


@router.get("/board")
def board_page(door: AtDoor) -> Response:
    """Every open referral by its clock: references and initials, for a screen on the wall.

    Without a script it leads to the locked page by itself, a little after it locks.
    """
    with door.at_work() as (session, by, _):
        rows, oldest = board.rows(session, by=by), board.oldest(session, by=by)
    shown = door.page("board.html", rows=rows, oldest=oldest)
    shown.headers["Refresh"] = f"{LOCKS_AFTER.seconds + 60};url={LOCKED}"
    return shown


@router.get("/board-rows")
def board_rows(door: AtDoor) -> Response:
    """The board's table anew, for the page that shows it; it keeps nobody signed in, and locks what is left alone."""
    with door.at_work(looked_at=False) as (session, by, _):
        locked = _lock_if_left_alone(door, session)
        rows, oldest = board.rows(session, by=by), board.oldest(session, by=by)
    if locked:
        return RedirectResponse(LOCKED, 303)
    return door.page("board_rows.html", rows=rows, oldest=oldest)


@router.get(LOCKED)
def locked_board(door: AtDoor) -> Response:
    """Nothing of any referral, and the way to sign in again. A board that somebody uses is not locked."""
    try:
        with door.at_work(looked_at=False) as (session, _, _):
            locked = _lock_if_left_alone(door, session)
    except SignedOut:
        locked = True
    return page("board_locked.html") if locked else door.go("/board")


@router.get(ONE)
def referral(reference: Reference, door: AtDoor) -> Response:
    """One referral: the concern, the returns as they come in, the chronology, and what is to be done."""
    return referral_page(door, reference, "referral.html", marked=True)


@router.get(f"{ONE}/news")
def news(reference: Reference, door: AtDoor) -> Response:
    """What the referral's page shows, anew, when something has happened since; it keeps nobody signed in.

    A look that finds nothing new reads nothing of the assessment.
    """
    return referral_page(door, reference, "referral_parts.html", looked_at=False, marked=True)


def _lock_if_left_alone(door: Door, session: Session) -> bool:
    """End the stay of whoever has not touched a page for a while. Drafts and kept forms outlive it."""
    at = sessions.real_now(session)
    if door.visitor.seen_at > at - LOCKS_AFTER:
        return False
    sessions.end(session, door.stay, at=at)
    return True
