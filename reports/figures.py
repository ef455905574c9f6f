"""Timeliness of agency checks over any days, for a board with filters; and which checks stand behind a figure (R25).

The columns are those of the views, and mean what docs/reports.md says of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session

from reports.spans import Spans, spans

_STATES = ("on_time", "late", "silent", "declined", "cancelled", "open")
_CHECKS = sa.table(
    "checks",
    *(
        sa.column(name)
        for name in (
            "reference", "agency", "side", "band", "state", "asked_on", "month", "asked_at", "due_at", "answered_at",
            "breached", "answer_minutes", "answer_open_minutes", "late_minutes", "late_open_minutes", "cause",
            "settled_at", "settled_late_minutes",
        )
    ),
    schema="reports",
)  # fmt: skip
_CELL = ("agency", "side", "band", "cause")


def _sums(table: str, *own: str) -> sa.TableClause:
    """A table of what is summed up already (migration 0039)."""
    return sa.table(table, *(sa.column(name) for name in (*own, *_CELL)), schema="reports")


_COUNTS = _sums("kept_count", "month", "asked", *_STATES, "breached")
_LENGTHS = _sums("kept_length", "span", "since", "in_office", "hour", "minutes", "checks")
_LENGTH_HOURS = _sums("kept_length_hour", "span", "since", "in_office", "hour", "checks")
_ASKED_HOURS = _sums("kept_asked_hour", "month", "hour", "checks")
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

    What lies in whole months is summed up from what is kept of them; only the days that are left are counted.
    """
    scope = _scope(session, asked, by)
    by_value: dict[Any, list[int]] = {}
    by_month: dict[date, list[int]] = {}
    for query in _count_queries(scope):
        for value, month, *counts in session.execute(query):
            by_value[value] = _added(by_value.get(value), counts)
            by_month[month] = _added(by_month.get(month), counts)
    left = _left_over(session, scope)
    times = [_middles(session, scope, in_office, left[in_office]) for in_office in (False, True)]
    total = [0] * (len(_STATES) + 2)
    for counts in by_value.values():
        total = _added(total, counts)
    return Table(
        [
            _figures(value, by_value[value], [found.get(value, _NEVER) for found, _ in times])
            for value in sorted(by_value, key=lambda value: (value is None, value))
        ],
        _figures(None, total, [of_all for _, of_all in times]),
        [(month, counts[-1], _counted(counts)) for month, counts in sorted(by_month.items())],
    )


def usual_first(today: date) -> date:
    """From which day on figures are shown unless somebody says otherwise: three months, the first of them whole."""
    return (today - timedelta(days=90)).replace(day=1)


def checks(session: Session, asked: Asked, state: str | None = None, limit: int = 100) -> list[CheckRow]:
    """The checks behind a figure, the longest late first, then the newest, at most `limit`; of one state, or of all.

    Three ways into the record, each in the order of an index: what grows late still, what was late, and all else.
    """
    columns, order = [_CHECKS.c[name] for name in CheckRow._fields], (_CHECKS.c.asked_at.desc(), _CHECKS.c.agency)
    wanted = [*_wanted(asked), *([] if state is None else [_CHECKS.c.state == state])]
    grows = sa.and_(_CHECKS.c.state == "silent", _CHECKS.c.settled_at.is_(None))
    was_late = _CHECKS.c.settled_late_minutes.is_not(None)
    ways = [
        sa.select(*columns).where(*wanted, grows).order_by(_CHECKS.c.due_at, *order),
        sa.select(*columns).where(*wanted, was_late).order_by(_CHECKS.c.settled_late_minutes.desc(), *order),
    ]
    late = [CheckRow(*row) for way in ways for row in session.execute(way.limit(limit))]
    late.sort(key=lambda row: (-(row.late_minutes or 0), -row.asked_at.timestamp(), row.agency))
    rest = sa.select(*columns).where(*wanted, ~was_late, ~grows).order_by(_CHECKS.c.asked_on.desc(), *order)
    others = session.execute(rest.limit(limit - len(late))) if len(late) < limit else ()
    return [*late[:limit], *(CheckRow(*row) for row in others)]


def as_of(session: Session) -> datetime | None:
    """When the figures were last worked out, by the hub's time; None before they ever were."""
    found: datetime | None = session.execute(sa.select(_FRESH.c.refreshed_at)).scalar()
    return found


def asked_by_hour(session: Session, asked: Asked, zone: str) -> Mapping[str, Counter[int]]:
    """How many were asked in each hour of the area's day, by agency. A cause makes no difference: it came later."""
    asked = replace(asked, cause=None)
    whole, number = _scope(session, asked, By.AGENCY).spans, sa.func.count()
    hour = sa.cast(sa.extract("hour", sa.func.timezone(zone, _CHECKS.c.asked_at)), sa.Integer).label("hour")
    kept = sa.select(_ASKED_HOURS.c.agency, _ASKED_HOURS.c.hour, sa.func.sum(_ASKED_HOURS.c.checks)).where(
        _ASKED_HOURS.c.month.in_(whole.months), *_of_these(_ASKED_HOURS, asked)
    )
    left = sa.select(_CHECKS.c.agency, hour, number).where(_on(whole), *_of_these(_CHECKS, asked))
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for query in (kept.group_by(_ASKED_HOURS.c.agency, _ASKED_HOURS.c.hour), left.group_by(_CHECKS.c.agency, hour)):
        for agency, of_day, checks_then in session.execute(query):
            found[agency][of_day] += checks_then
    return found


class _Scope(NamedTuple):
    """Which checks, what they are told apart by, and of which days the sums are kept."""

    asked: Asked
    by: By
    spans: Spans


def _scope(session: Session, asked: Asked, by: By) -> _Scope:
    """Between the first day on which anything was asked and the last: what lies beyond makes no month less whole."""
    first, last = (sa.select(of(_CHECKS.c.asked_on)).scalar_subquery() for of in (sa.func.min, sa.func.max))
    known = session.execute(sa.select(first, last)).one()
    return _Scope(asked, by, spans(asked.first, asked.last, None if known[0] is None else (known[0], known[1])))


def _wanted(asked: Asked) -> list[sa.ColumnElement[bool]]:
    return [_CHECKS.c.asked_on.between(asked.first, asked.last), *_of_these(_CHECKS, asked)]


def _of_these(table: sa.TableClause, asked: Asked) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name in _CELL if (value := getattr(asked, name)) is not None]


def _on(whole: Spans) -> sa.ColumnElement[bool]:
    """On the days that are in no whole month."""
    return sa.or_(sa.false(), *(_CHECKS.c.asked_on.between(*some) for some in whole.days))


def _of(table: sa.TableClause, by: By, month: str) -> sa.ColumnElement[Any]:
    """What the checks are told apart by. A cause that nobody has said is the empty text in the sums."""
    if by is By.CAUSE:
        return sa.func.nullif(table.c.cause, "").label("of")
    return table.c[month if by is By.MONTH else by].label("of")


def _count_queries(scope: _Scope) -> Iterator[sa.Select[Any]]:
    whole, asked = scope.spans, scope.asked
    if whole.months:
        sums = (sa.func.sum(_COUNTS.c[name]) for name in ("asked", *_STATES, "breached"))
        query = sa.select(_of(_COUNTS, scope.by, "month"), _COUNTS.c.month, *sums)
        yield query.where(_COUNTS.c.month.in_(whole.months), *_of_these(_COUNTS, asked)).group_by("of", _COUNTS.c.month)
    if whole.days:
        query = sa.select(_of(_CHECKS, scope.by, "month"), _CHECKS.c.month, *_counts())
        yield query.where(_on(whole), *_of_these(_CHECKS, asked)).group_by("of", _CHECKS.c.month)


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
#: The same as shares of all: how many of how many.
_SHARES = ((1, 2), (9, 10))
#: How often each length occurs.
_Often = Counter[int]
_ByValue = dict[Any, _Often]
#: In which hours of length a value's minutes are looked for.
_HoursOf = Mapping[Any, set[int]]


def _middles(session: Session, scope: _Scope, in_office: bool, left: _ByValue) -> tuple[dict[Any, _Middle], _Middle]:
    """Of each value, and of all together, as percentile_disc would have them: first the hour, then the minute in it."""
    by_hour = _often(session, scope, in_office)
    for value, minute, times in _each(left):
        by_hour[value][minute // 60] += times
    of_all = sum(by_hour.values(), _Often())
    hours = {value: {hour for each in (often, of_all) for hour, _ in _places(each)} for value, often in by_hour.items()}
    by_minute = _often(session, scope, in_office, hours) if hours else {}
    for value, minute, times in _each(left):
        by_minute[value][minute] += times
    found = {value: _middle(often, by_minute[value]) for value, often in by_hour.items()}
    return found, _middle(of_all, sum(by_minute.values(), _Often()))


def _each(left: _ByValue) -> Iterator[tuple[Any, int, int]]:
    return ((value, minute, times) for value, often in left.items() for minute, times in often.items())


def _left_over(session: Session, scope: _Scope) -> dict[bool, _ByValue]:
    """On the days that are in no whole month, how often each length occurs, in office time and not: counted at once."""
    found: dict[bool, _ByValue] = {in_office: defaultdict(_Often) for in_office in (False, True)}
    if scope.spans.days:
        of, plain, open_ = _of(_CHECKS, scope.by, "month"), _CHECKS.c.answer_minutes, _CHECKS.c.answer_open_minutes
        query = (
            sa.select(of, sa.func.grouping(plain) == 1, sa.func.coalesce(plain, open_), sa.func.count())
            .where(_on(scope.spans), plain.is_not(None), *_of_these(_CHECKS, scope.asked))
            .group_by(sa.func.grouping_sets(sa.tuple_(of.element, plain), sa.tuple_(of.element, open_)))
        )
        for value, in_office, minute, times in session.execute(query):
            if minute is not None:
                found[in_office][value][minute] += times
    return found


def _middle(by_hour: _Often, by_minute: _Often) -> _Middle:
    found = [
        _reached(_Often({minute: times for minute, times in by_minute.items() if minute // 60 == hour}), rank)[0]
        for hour, rank in _places(by_hour)
    ]
    return (found[0], found[1]) if found else _NEVER


def _places(by_hour: _Often) -> list[tuple[int, int]]:
    """In which hour each share of all is reached, and as the how-manieth of it; nothing where nothing is."""
    number = by_hour.total()
    ranks = [-(-number * part // whole) for part, whole in _SHARES] if number else []
    return [_reached(by_hour, rank) for rank in ranks]


def _reached(often: _Often, rank: int) -> tuple[int, int]:
    """The length of the one with this rank, from 1, and its rank among those of the same length."""
    for length in sorted(often):
        if rank <= often[length]:
            break
        rank -= often[length]
    return length, rank


def _often(session: Session, scope: _Scope, in_office: bool, hours: _HoursOf | None = None) -> _ByValue:
    """In whole months, how often each hour of length occurs, of each value; or each minute of hours that are wanted."""
    found: _ByValue = defaultdict(_Often)
    if scope.spans.months:
        for value, length, times in session.execute(_lengths(scope, in_office, hours)):
            found[value][length] += times
    return found


_ARRAYS: dict[str, sa.types.TypeEngine[Any]] = {
    "span": ARRAY(sa.Text), "since": ARRAY(sa.Date), "hour": ARRAY(sa.Integer),
}  # fmt: skip


def _lengths(scope: _Scope, in_office: bool, hours: _HoursOf | None) -> sa.Select[Any]:
    kept, name = (_LENGTH_HOURS, "hour") if hours is None else (_LENGTHS, "minutes")
    wanted = _kept_rows(scope, hours)
    query = sa.select(_of(kept, scope.by, "since"), kept.c[name], sa.func.sum(kept.c.checks)).where(
        *(kept.c[column.name] == column for column in wanted.c),
        kept.c.in_office == in_office,
        *_of_these(kept, scope.asked),
    )
    return query.group_by("of", kept.c[name])


def _kept_rows(scope: _Scope, hours: _HoursOf | None) -> sa.TableValuedAlias:
    """Of which years and months what is kept is read, and of which hours in each: to be looked up one by one."""
    whole = scope.spans
    years, months = ((), whole.months) if scope.by is By.MONTH else (whole.years, whole.other_months)
    since = [*(("year", year) for year in years), *(("month", month) for month in months)]
    columns: dict[str, list[Any]]
    if hours is None:
        columns = {"span": [span for span, _ in since], "since": [day for _, day in since]}
    else:
        every = set[int]().union(*hours.values())
        # Of each month its own hours: all that any of them wants, in all of them, are several times as many.
        own = hours if scope.by is By.MONTH else dict.fromkeys((day for _, day in since), every)
        rows = [(span, day, hour) for span, day in since for hour in sorted(own.get(day, ()))]
        columns = {name: [row[place] for row in rows] for place, name in enumerate(("span", "since", "hour"))}
    arrays = (sa.literal(values, _ARRAYS[name]) for name, values in columns.items())
    return sa.func.unnest(*arrays).table_valued(*columns, name="wanted").render_derived()


def _figures(of: Any, counts: list[int], times: list[_Middle]) -> Figures:
    counted, breached = _counted(counts), counts[-1]
    rate = (Decimal(breached) / counted).quantize(_RATE, ROUND_HALF_UP) if counted else None
    asked, *of_states, _ = counts
    minutes = (each for pair in times for each in pair)
    return Figures._make((of, asked, *of_states, counted, breached, rate, *minutes))


#: As the views round it.
_RATE = Decimal("0.0001")
