"""How far agencies agree on the threshold: before the discussion, with the decision, and where not (R37, R63)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from rules.concordance import Concordance, concordance

_VIEWS = sa.table(
    "agency_views",
    *(sa.column(name) for name in ("reference", "side", "decided_on", "agency", "last_view", "decided_met")),
    sa.column("own_met", sa.Boolean),
    schema="reports",
)
_DISSENTS = sa.table(
    "dissents", *(sa.column(name) for name in ("side", "stage", "since_on", "resolved")), schema="reports"
)


@dataclass(frozen=True)
class Agreement:
    """What the views of a period come to. Counts are as they are: a page for boards protects them first."""

    before: Concordance
    #: By agency: how often its own view, before the discussion, was the decision's; and how often it was not.
    with_decision: dict[str, tuple[int, int]]
    #: By agency: how often it agreed, disagreed, abstained at last.
    last_views: dict[str, Counter[str]]
    #: By stage: disagreements that rest now, and that still stand.
    dissents: dict[str, tuple[int, int]]


class Agreed(NamedTuple):
    """What the views of one period of several come to: disagreements that began in it, and of these that rest."""

    before: Concordance
    began: int
    rest: int


def agreement(session: Session, first: date, last: date, side: str | None = None) -> Agreement:
    """Of the referrals decided on these local days, and the disagreements that began on them; of one side, or of all.

    A referral about both sides is each side's. One that is restricted is not among them: its views cannot be told
    apart from another's without its reference.
    """
    query = sa.select(_VIEWS).where(*_wanted(first, last, side))
    said: dict[str, Counter[bool]] = defaultdict(Counter)
    told: dict[str, list[bool]] = defaultdict(list)
    last_views: dict[str, Counter[str]] = defaultdict(Counter)
    for row in session.execute(query):
        last_views[row.agency][row.last_view] += 1
        if row.own_met is not None:
            said[row.reference][row.own_met] += 1
            told[row.agency].append(row.own_met == row.decided_met)
    return Agreement(
        _judged(Counter((each[True], each[False]) for each in said.values())),
        {agency: (sum(same), len(same) - sum(same)) for agency, same in sorted(told.items())},
        dict(sorted(last_views.items())),
        _dissents(session, first, last, side),
    )


def over_time(session: Session, periods: Sequence[tuple[date, date]], side: str | None = None) -> list[Agreed]:
    """How far agencies agreed in each of these periods, which follow each other; of one side, or of all."""
    judged: list[Counter[tuple[int, int]]] = [Counter() for _ in periods]
    began, rest = [0] * len(periods), [0] * len(periods)
    starts, (first, last) = [start for start, _ in periods], (periods[0][0], periods[-1][1])
    for decided_on, met, not_met, times in session.execute(_patterns(first, last, side)):
        judged[bisect_right(starts, decided_on) - 1][met, not_met] += times
    query = sa.select(_DISSENTS.c.since_on, _DISSENTS.c.resolved).where(*_disagreed(first, last, side))
    for since_on, resolved in session.execute(query):
        place = bisect_right(starts, since_on) - 1
        began[place], rest[place] = began[place] + 1, rest[place] + resolved
    return [Agreed(*each) for each in zip(map(_judged, judged), began, rest, strict=True)]


def _patterns(first: date, last: date, side: str | None) -> sa.Select[tuple[date, int, int, int]]:
    """How many referrals of each day have so many views that it is met, and so many that it is not."""
    met, number = _VIEWS.c.own_met, sa.func.count()
    of_one = (
        sa.select(_VIEWS.c.decided_on, number.filter(met).label("met"), number.filter(~met).label("not_met"))
        .where(*_wanted(first, last, side), met.is_not(None))
        .group_by(_VIEWS.c.reference, _VIEWS.c.decided_on)
        .subquery()
    )
    return sa.select(*of_one.c, number).group_by(*of_one.c)


def _judged(patterns: Counter[tuple[int, int]]) -> Concordance:
    """In one order always, by which the interval is drawn."""
    return _concordance(tuple(sorted(patterns.items())))


@lru_cache(maxsize=256)
def _concordance(patterns: tuple[tuple[tuple[int, int], int], ...]) -> Concordance:
    """An interval costs a second where much was decided; and what is past is asked for again and again."""
    return concordance([True] * met + [False] * not_met for (met, not_met), times in patterns for _ in range(times))


def _wanted(first: date, last: date, side: str | None) -> list[sa.ColumnElement[bool]]:
    return [
        _VIEWS.c.decided_on.between(first, last), _VIEWS.c.reference.is_not(None), *_of_side(_VIEWS.c.side, side),
    ]  # fmt: skip


def _disagreed(first: date, last: date, side: str | None) -> list[sa.ColumnElement[bool]]:
    return [_DISSENTS.c.since_on.between(first, last), *_of_side(_DISSENTS.c.side, side)]


def _of_side(column: sa.ColumnElement[str], side: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if side is None else [column.in_((side, "both"))]


def _dissents(session: Session, first: date, last: date, side: str | None) -> dict[str, tuple[int, int]]:
    resolved = sa.func.count().filter(_DISSENTS.c.resolved)
    query = (
        sa.select(_DISSENTS.c.stage, resolved, sa.func.count() - resolved)
        .where(*_disagreed(first, last, side))
        .group_by(_DISSENTS.c.stage)
    )
    return {stage: (rests, stands) for stage, rests, stands in session.execute(query)}
