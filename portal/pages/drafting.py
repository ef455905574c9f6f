"""What is typed on a page is kept while it is typed, so that a time-out loses nothing (finding 14).

Pages of one check or one referral of the board's have a draft beside them; this is the one of all other pages.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from portal.doors import DRAFT_ABOUT, AtDoor
from portal.pages.documents import autosave, draft_of
from rules.errors import NotFound
from rules.reference import normalise

router = APIRouter(include_in_schema=False)
#: The pages that may be named, by the word before a colon.
PAGES = frozenset(
    {"agreement", "renew", "feedback", "answer", "hold", "lift", "harm", "details", "second-look", "restriction"}
)


@router.post("/draft")
def save_draft(door: AtDoor) -> Response:
    """Keep what somebody types, for them alone: nobody learns from it whether there is such a referral."""
    with door.at_work() as work:
        about = door.field(DRAFT_ABOUT)
        return autosave(door, draft_of(door, PAGES), _reference(about) if about else "", work)


def _reference(text: str) -> str:
    try:
        return normalise(text)
    except ValueError:
        raise NotFound("there is no such draft") from None
