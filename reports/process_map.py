"""The ways that referrals really took, from the ledger: how many went where, and how long that took (issue 6, point 6).

Drawn as a picture that prints, with the same as a table. Of the ledger only references, acts and times are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from models.ledger import LedgerEntry
from models.referral import Referral
from reports.charts import Chart, Shape

#: The acts that make a way, from first to last, and what a person calls them. What agencies do one by one is left out.
STEPS: Mapping[str, str] = {
    "RECEIVED": "Received", "QUEUED": "Queued out of hours", "BASIS_AWAITED": "Basis awaited",
    "ACCEPTED": "Agencies asked", "COLLATED": "Returns joined", "DISCUSSED": "Discussed", "DECIDED": "Decided",
    "RECONSIDER_OPENED": "To reconsider", "ENDED_EARLY": "Ended early", "HANDED_BACK": "Handed back",
    "ACKNOWLEDGED": "Acknowledged", "CLOSED": "Closed",
}  # fmt: skip
_ORDER = {act: place for place, act in enumerate(STEPS)}
_WIDE, _HIGH, _GAP, _LEFT, _RIGHT = 640, 32, 72, 240, 400
_MIDDLE = (_LEFT + _RIGHT) / 2
#: How many ways aside of the straight one are drawn on each side, the most taken first. The table holds them all.
DRAWN = 7
_LANE = 30


class Way(NamedTuple):
    """From one step to another: how often it was gone, and how many minutes half of those took at most."""

    since: str
    to: str
    times: int
    median_minutes: int

    @property
    def named(self) -> tuple[str, str]:
        """What the two steps are called."""
        return STEPS[self.since], STEPS[self.to]


def ways(session: Session, first: date, last: date, zone: ZoneInfo) -> list[Way]:
    """The ways of the referrals received on these local days, in the order of the steps; what is hidden is not there.

    The same step several times on end, such as two decisions of one referral, is one: it lasts until its last.
    """
    begin, end = (datetime.combine(day, datetime.min.time(), zone) for day in (first, last + timedelta(days=1)))
    its_ledger, order = col(LedgerEntry.reference), col(LedgerEntry.number)
    before = sa.func.lag(col(LedgerEntry.act)).over(partition_by=its_ledger, order_by=order)
    began = sa.func.lag(col(LedgerEntry.at)).over(partition_by=its_ledger, order_by=order)
    steps = (
        sa.select(
            col(LedgerEntry.act).label("to"),
            before.label("since"),
            (col(LedgerEntry.at) - began).label("took"),
        )
        .join(Referral, col(Referral.reference) == col(LedgerEntry.reference))
        .where(
            col(Referral.received_at) >= begin, col(Referral.received_at) < end, col(LedgerEntry.act).in_(list(STEPS))
        )
        .subquery()
    )
    median = sa.func.percentile_disc(0.5).within_group(steps.c.took)
    query = (
        sa.select(steps.c.since, steps.c.to, sa.func.count(), median)
        .where(steps.c.since != steps.c.to)
        .group_by(steps.c.since, steps.c.to)
    )
    found = [Way(since, to, times, took // timedelta(minutes=1)) for since, to, times, took in session.execute(query)]
    return sorted(found, key=lambda way: (_ORDER[way.since], _ORDER[way.to]))


def drawn(found: Sequence[Way], title: str, name: str) -> Chart | None:
    """The steps under each other with the ways between them, thicker where more went; None while there is none.

    A way to the next step goes straight down; one that leaves out steps goes round on the right, one back on the left.
    """
    there = sorted({act for way in found for act in (way.since, way.to)}, key=_ORDER.__getitem__)
    if not there:
        return None
    tops = {act: 8 + place * _GAP for place, act in enumerate(there)}
    most = max(way.times for way in found)
    straight = [way for way in found if there.index(way.to) == there.index(way.since) + 1]
    over = _most_taken(way for way in found if there.index(way.to) > there.index(way.since) + 1)
    back = _most_taken(way for way in found if there.index(way.to) < there.index(way.since))
    shapes: list[Shape] = []
    for way in straight:
        shapes += _down(way, tops, _thick(way, most))
    for side, round_about in ((1, over), (-1, back)):
        for lane, way in enumerate(round_about):
            shapes += _round(way, tops, side, 22 + lane * _LANE, _thick(way, most))
    for act in there:
        shapes += _step(STEPS[act], tops[act])
    words = "; ".join(f"{since} to {to}: {way.times:,}" for way in found for since, to in [way.named])
    return Chart(name, title, words, _WIDE, tops[there[-1]] + _HIGH + 8, shapes)


def _most_taken(some: Iterable[Way]) -> list[Way]:
    """The shortest innermost, so that lines cross little."""
    kept = sorted(some, key=lambda way: -way.times)[:DRAWN]
    return sorted(kept, key=lambda way: abs(_ORDER[way.to] - _ORDER[way.since]))


def _thick(way: Way, most: int) -> float:
    return round(1 + 5 * way.times / most, 1)


def _step(words: str, top: int) -> list[Shape]:
    look: dict[str, str | float] = {"fill": "#ffffff", "stroke": "#0b0c0c", "stroke-width": 2, "rx": 4}
    box = Shape("rect", {"x": _LEFT, "y": top, "width": _RIGHT - _LEFT, "height": _HIGH, **look})
    return [box, _text(_MIDDLE, top + 21, words, "middle")]


def _down(way: Way, tops: Mapping[str, int], thick: float) -> list[Shape]:
    start, end = tops[way.since] + _HIGH, tops[way.to]
    return [
        _line([(_MIDDLE, start), (_MIDDLE, end - 8)], thick),
        _arrow([(_MIDDLE - 7, end - 9), (_MIDDLE + 7, end - 9), (_MIDDLE, end)]),
        _text(_MIDDLE + 10, (start + end) / 2 + 2, f"{way.times:,}"),
    ]


def _round(way: Way, tops: Mapping[str, int], side: int, away: int, thick: float) -> list[Shape]:
    edge = _RIGHT if side > 0 else _LEFT
    # Where it leaves a step is above where others come to it, so that no arrow stands on a line.
    start, end, out = tops[way.since] + 24, tops[way.to] + 10, edge + side * away
    tip = edge + side * 9
    return [
        _line([(edge, start), (out, start), (out, end), (tip, end)], thick),
        _arrow([(tip, end - 6), (tip, end + 6), (edge, end)]),
        *_on_white(out, (start + end) / 2, f"{way.times:,}"),
    ]


def _on_white(x: float, y: float, words: str) -> list[Shape]:
    wide = 7.5 * len(words) + 4
    paper: dict[str, str | float] = {"fill": "#ffffff", "x": round(x - wide / 2, 1), "y": y - 9, "height": 17}
    return [Shape("rect", {**paper, "width": wide}), _text(x, y + 5, words, "middle")]


def _line(points: Sequence[tuple[float, float]], thick: float) -> Shape:
    return Shape("polyline", {"points": _points(points), "fill": "none", "stroke": "#505a5f", "stroke-width": thick})


def _arrow(points: Sequence[tuple[float, float]]) -> Shape:
    return Shape("polygon", {"points": _points(points), "fill": "#505a5f"})


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _text(x: float, y: float, words: str, anchor: str = "start") -> Shape:
    look: dict[str, Any] = {"x": x, "y": y, "text-anchor": anchor}
    return Shape("text", look, words)
