"""How far agencies agree on the threshold, quarter by quarter, and what the number means (R37, R63)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from portal.doors import AtDoor
from portal.words import options
from reports import agreement, charts
from reports.charts import Estimate
from reports.packs import until_now
from rules.concordance import Concordance

router = APIRouter(include_in_schema=False)
#: What an address may hold of a side; anything else is both.
_ONE_SIDE = {"child": "Children", "adult": "Adults"}


@router.get("/threshold-agreement")
def agreement_page(door: AtDoor) -> Response:
    """Agreement on the threshold in this quarter and the eight before, of both sides or of one."""
    side = door.request.query_params.get("side")
    side = side if side in _ONE_SIDE else None
    with door.at_work() as (session, _, at):
        quarters = until_now(at.astimezone(door.zone).date())
        found = agreement.over_time(session, [(quarter.first, quarter.last) for quarter in quarters], side)
    agreed = [(quarter.short, each) for quarter, each in zip(quarters, found, strict=True)]
    estimates = [Estimate(name, _estimate(each.before)) for name, each in agreed]
    return door.page(
        "threshold_agreement.html", agreed=agreed, side=side or "", sides=options(_ONE_SIDE),
        chart=charts.estimate_chart(estimates, "Agreement on the threshold, by quarter", "agreement"),
    )  # fmt: skip


def _estimate(found: Concordance) -> tuple[float, float, float] | None:
    if found.alpha is None or found.low is None or found.high is None:
        return None
    return found.alpha, found.low, found.high
