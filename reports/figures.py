"""Timeliness of agency checks over any days, for a board with filters; and which checks stand behind a figure (R25).

The columns are those of the views, and mean what docs/reports.md says of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
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


def sla(session: Session, asked: Asked, by: By | None = None) -> list[Figures]:
    """The figures of these checks, one row for each value of `by`, in order; without it one row for all."""
    of: sa.ColumnElement[Any] = sa.literal(None) if by is None else _CHECKS.c[by]
    query = sa.select(of, *_figures()).where(*_wanted(asked))
    if by is not None:
        query = query.group_by(of).order_by(sa.nulls_last(of.asc()))
    return [Figures(*row) for row in session.execute(query)]


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


def _figures() -> list[sa.ColumnElement[Any]]:
    state, breached = _CHECKS.c.state, sa.func.count().filter(_CHECKS.c.breached)
    counted = sa.func.count().filter(state.not_in(("cancelled", "open")))
    rate = sa.func.round(sa.cast(breached, sa.Numeric) / sa.func.nullif(counted, 0), 4)
    deciles = [
        sa.func.percentile_disc(share).within_group(_CHECKS.c[minutes])
        for minutes in ("answer_minutes", "answer_open_minutes")
        for share in (0.5, 0.9)
    ]
    of_state = [sa.func.count().filter(state == each) for each in _STATES]
    return [sa.func.count(), *of_state, counted, breached, rate, *deciles]
