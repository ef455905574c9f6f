"""The board of open referrals, and one referral on one page (R13, R30, R53)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from casework import board
from portal.doors import AtDoor
from portal.pages.one_referral import ONE, referral_page
from portal.routes.names import Reference

router = APIRouter(include_in_schema=False)


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


@router.get(ONE)
def referral(reference: Reference, door: AtDoor) -> Response:
    """One referral: the concern, the returns as they come in, the chronology, and what is to be done."""
    return referral_page(door, reference, "referral.html")
