"""What information governance looks at: refusals to share, and samples of the formal record (R57, R58)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from casework import governance
from portal.doors import AtDoor

router = APIRouter(include_in_schema=False)
#: The number of a sample: whoever enters it sees the same referrals.
Draw = Annotated[int | None, Query(ge=1, le=99_999_999)]


@router.get("/declines")
def declines_page(door: AtDoor) -> Response:
    """Which agencies would not share, how often, and for what kind of reason."""
    with door.at_work() as (session, by, at):
        found = governance.declines(session, by=by, at=at)
    return door.page("declines.html", found=found)


@router.get("/record-sample")
def sample_page(door: AtDoor, draw: Draw = None) -> Response:
    """A few referrals by lot, basis and ledger alone; the first sample of a day is the same for everybody."""
    with door.at_work() as (session, by, at):
        number = draw or int(f"{at.astimezone(door.zone):%Y%m%d}")
        found = governance.sample(session, number, by=by, at=at)
    return door.page("record_sample.html", draw=number, found=found)
