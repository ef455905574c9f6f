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
_JUDGEMENTS = sa.table(
    "judgements", *(sa.column(name) for name in ("reference", "side", "decided_on", "met", "not_met")), schema="reports"
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
    patterns: Counter[tuple[int, int]] = Counter()
    for _, met, not_met, times in session.execute(_patterns(first, last, side)):
        patterns[met, not_met] += times
    return Agreement(
        _judged(patterns),
        with_decision(session, first, last, side),
        _last_views(session, first, last, side),
        _dissents(session, first, last, side),
    )


def with_decision(
    session: Session, first: date, last: date, side: str | None = None, agency: str | None = None
) -> dict[str, tuple[int, int]]:
    """By agency, or of one: how often its own view, before the discussion, was the decision's; and how often not."""
    same = sa.func.count().filter(_VIEWS.c.own_met == _VIEWS.c.decided_met)
    query = sa.select(_VIEWS.c.agency, same, sa.func.count() - same).where(
        *_wanted(_VIEWS, first, last, side), _VIEWS.c.own_met.is_not(None)
    )
    query = query if agency is None else query.where(_VIEWS.c.agency == agency)
    found = session.execute(query.group_by(_VIEWS.c.agency).order_by(_VIEWS.c.agency))
    return {of: (as_decided, otherwise) for of, as_decided, otherwise in found}


def _last_views(session: Session, first: date, last: date, side: str | None) -> dict[str, Counter[str]]:
    said = (_VIEWS.c.agency, _VIEWS.c.last_view)
    query = sa.select(*said, sa.func.count()).where(*_wanted(_VIEWS, first, last, side)).group_by(*said).order_by(*said)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for agency, last_view, times in session.execute(query):
        found[agency][last_view] = times
    return dict(found)


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
    said = (_JUDGEMENTS.c.decided_on, _JUDGEMENTS.c.met, _JUDGEMENTS.c.not_met)
    wanted = [*_wanted(_JUDGEMENTS, first, last, side), _JUDGEMENTS.c.met + _JUDGEMENTS.c.not_met > 0]
    return sa.select(*said, sa.func.count()).where(*wanted).group_by(*said)


def _judged(patterns: Counter[tuple[int, int]]) -> Concordance:
    """In one order always, by which the interval is drawn."""
    return _concordance(tuple(sorted(patterns.items())))


@lru_cache(maxsize=256)
def _concordance(patterns: tuple[tuple[tuple[int, int], int], ...]) -> Concordance:
    """An interval costs a second where much was decided; and what is past is asked for again and again."""
    return concordance([True] * met + [False] * not_met for (met, not_met), times in patterns for _ in range(times))


def _wanted(table: sa.TableClause, first: date, last: date, side: str | None) -> list[sa.ColumnElement[bool]]:
    of_these = (table.c.decided_on.between(first, last), table.c.reference.is_not(None))
    return [*of_these, *_of_side(table.c.side, side)]


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
