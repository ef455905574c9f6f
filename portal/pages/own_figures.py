"""An agency's own figures: how it answers, what it is asked, and how its view met the decision (R66, R67)."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from casework.register import current_profile
from portal.doors import AtDoor
from portal.pages.figures import minutes_in_words
from reports.definitions import definitions
from reports.own_figures import own_figures

router = APIRouter(include_in_schema=False)
#: The last year, and of its first month all.
_SHOWN = timedelta(days=365)
_COLUMNS = {
    "asked": "Asked", "on_time": "On time", "late": "Late", "silent": "No answer", "declined": "Declined",
    "breached": "Breached", "median_open_minutes": "Median, office time",
    "p90_open_minutes": "90th percentile, office time",
}  # fmt: skip


@router.get("/your-figures")
def page(door: AtDoor) -> Response:
    """Of this person's own agency alone, of the last year."""
    profile = current_profile()
    with door.at_work() as (session, by, at):
        last = at.astimezone(door.zone).date()
        first = (last - _SHOWN).replace(day=1)
        own = own_figures(session, by.agency or "", first, last, profile)
        meanings = definitions(session, "by_agency")["by_agency"]
    return door.page(
        "own_figures.html", own=own, first=first, last=last, columns=_COLUMNS, meanings=meanings,
        minutes=minutes_in_words, causes=profile.codes["breach_cause"],
    )  # fmt: skip
