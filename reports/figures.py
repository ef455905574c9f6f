"""Timeliness of agency checks over any days, for a board with filters; and which checks stand behind a figure (R25).

The columns are those of the views, and mean what docs/reports.md says of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

_STATES = ("on_time", "late", "silent", "declined", "cancelled", "open")
_CHECKS = sa.table(
    "checks",
    *(
        sa.column(name)
        for name in (
            "reference", "agency", "side", "band", "state", "asked_on", "month", "asked_at", "due_at", "answered_at",
            "breached", "answer_minutes", "answer_open_minutes", "late_minutes", "late_open_minutes", "cause",
        )
    ),
    schema="reports",
)  # fmt: skip
_FRESH = sa.table("as_of", sa.column("refreshed_at"), schema="reports")


class By(StrEnum):
    """What figures may be told apart by."""

    AGENCY = "agency"
    SIDE = "side"
    BAND = "band"
    MONTH = "month"
    CAUSE = "cause"


@dataclass(frozen=True)
class Asked:
    """Which checks: asked on these local days, both included; of everything else that is given, this alone."""

    first: date
    last: date
    agency: str | None = None
    side: str | None = None
    band: str | None = None
    cause: str | None = None


class Figures(NamedTuple):
    """The figures of some checks. `of` says of which: a code, a month, or None for all that were asked."""

    of: Any
    asked: int
    on_time: int
    late: int
    silent: int
    declined: int
    cancelled: int
    open: int
    counted: int
    breached: int
    breach_rate: Decimal | None
    median_minutes: int | None
    p90_minutes: int | None
    median_open_minutes: int | None
    p90_open_minutes: int | None


class CheckRow(NamedTuple):
    """One check behind a figure: its referral's reference where the reader may know it, and no more of it."""

    reference: str | None
    agency: str
    side: str
    band: str
    state: str
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    late_minutes: int | None
    late_open_minutes: int | None
    cause: str | None


class Table(NamedTuple):
    """The figures of some checks: told apart, all together, and by month how many breached of those that count."""

    rows: list[Figures]
    total: Figures
    months: list[tuple[date, int, int]]


def table(session: Session, asked: Asked, by: By) -> Table:
    """The figures of these checks, one row for each value of `by`, in order.

    Counted once for each value and month; and the middle of how long is taken from how often each length occurs, which
    PostgreSQL counts with several processes, where it would sort a million checks with one.
    """
    of = _CHECKS.c[by].label("of")
    query = sa.select(of, _CHECKS.c.month, *_counts()).where(*_wanted(asked)).group_by(of, _CHECKS.c.month)
    by_value: dict[Any, list[int]] = {}
    by_month: dict[date, list[int]] = {}
    for value, month, *counts in session.execute(query):
        by_value[value] = _added(by_value.get(value), counts)
        by_month[month] = _added(by_month.get(month), counts)
    times = [_middle(session, asked, of, _CHECKS.c[name]) for name in ("answer_minutes", "answer_open_minutes")]
    total = [0] * (len(_STATES) + 2)
    for counts in by_value.values():
        total = _added(total, counts)
    return Table(
        [
            _figures(value, by_value[value], [found[0].get(value, _NEVER) for found in times])
            for value in sorted(by_value, key=lambda value: (value is None, value))
        ],
        _figures(None, total, [found[1] for found in times]),
        [(month, counts[-1], _counted(counts)) for month, counts in sorted(by_month.items())],
    )


def usual_first(today: date) -> date:
    """From which day on figures are shown unless somebody says otherwise: three months, the first of them whole."""
    return (today - timedelta(days=90)).replace(day=1)


def checks(session: Session, asked: Asked, state: str | None = None, limit: int = 100) -> list[CheckRow]:
    """The checks behind a figure, the longest late first, then the newest, at most `limit`; of one state, or of all."""
    query = sa.select(*(_CHECKS.c[name] for name in CheckRow._fields)).where(*_wanted(asked))
    if state is not None:
        query = query.where(_CHECKS.c.state == state)
    query = query.order_by(sa.nulls_last(_CHECKS.c.late_minutes.desc()), _CHECKS.c.asked_at.desc(), _CHECKS.c.agency)
    return [CheckRow(*row) for row in session.execute(query.limit(limit))]


def as_of(session: Session) -> datetime | None:
    """When the figures were last worked out, by the hub's time; None before they ever were."""
    found: datetime | None = session.execute(sa.select(_FRESH.c.refreshed_at)).scalar()
    return found


def _wanted(asked: Asked) -> list[sa.ColumnElement[bool]]:
    one_of = [(_CHECKS.c[by], getattr(asked, by)) for by in By if by is not By.MONTH]
    return [
        _CHECKS.c.asked_on.between(asked.first, asked.last),
        *(column == value for column, value in one_of if value is not None),
    ]


def _counts() -> list[sa.ColumnElement[int]]:
    """All, of each state, and breached."""
    number = sa.func.count()
    return [number, *(number.filter(_CHECKS.c.state == each) for each in _STATES), number.filter(_CHECKS.c.breached)]


def _added(some: list[int] | None, more: list[int]) -> list[int]:
    return list(more) if some is None else [a + b for a, b in zip(some, more, strict=True)]


def _counted(counts: list[int]) -> int:
    return sum(counts[1 + place] for place, state in enumerate(_STATES) if state not in {"cancelled", "open"})


#: Median and ninth decile, in whole minutes.
_Middle = tuple[int | None, int | None]
_NEVER: _Middle = (None, None)


def _middle(
    session: Session, asked: Asked, of: sa.ColumnElement[Any], minutes: sa.ColumnElement[int]
) -> tuple[dict[Any, _Middle], _Middle]:
    """Of each value, and of all together: as percentile_disc would have them."""
    often = (
        sa.select(of, minutes.label("minutes"), sa.func.count().label("times"))
        .where(*_wanted(asked), minutes.is_not(None))
        .group_by(of, minutes)
        .cte("often")
    )
    each = sa.select(sa.literal(False).label("all_of_them"), often.c.of, often.c.minutes, often.c.times)
    every = sa.select(sa.true(), sa.null(), often.c.minutes, sa.func.sum(often.c.times)).group_by(often.c.minutes)
    both = sa.union_all(each, every).subquery()
    of_one, times = (both.c.all_of_them, both.c.of), sa.func.sum(both.c.times)
    reached = times.over(partition_by=of_one, order_by=both.c.minutes).label("reached")
    number = times.over(partition_by=of_one).label("number")
    ranked = sa.select(both.c.all_of_them, both.c.of, both.c.minutes, reached, number).subquery()
    shares = (ranked.c.reached * 2 >= ranked.c.number, ranked.c.reached * 10 >= ranked.c.number * 9)
    query = sa.select(
        ranked.c.all_of_them, ranked.c.of, *(sa.func.min(ranked.c.minutes).filter(share) for share in shares)
    ).group_by(ranked.c.all_of_them, ranked.c.of)
    found: dict[Any, _Middle] = {}
    total = _NEVER
    for all_of_them, value, median, p90 in session.execute(query):
        if all_of_them:
            total = (median, p90)
        else:
            found[value] = (median, p90)
    return found, total


def _figures(of: Any, counts: list[int], times: list[_Middle]) -> Figures:
    counted, breached = _counted(counts), counts[-1]
    rate = (Decimal(breached) / counted).quantize(_RATE, ROUND_HALF_UP) if counted else None
    asked, *of_states, _ = counts
    minutes = (each for pair in times for each in pair)
    return Figures._make((of, asked, *of_states, counted, breached, rate, *minutes))


#: As the views round it.
_RATE = Decimal("0.0001")
