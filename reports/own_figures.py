"""What an agency is shown of its own part: how it answers, what it is asked, and how its view met the decision.

Nothing of another agency, and no referral (R66, R67).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from models.profile import Profile
from reports import figures
from reports.agreement import with_decision
from reports.figures import Asked, By, Figures, Table
from reports.workload import a_day, busiest, working_days

_QUALITY = sa.table(
    "quality",
    *(sa.column(name) for name in ("agency", "asked_on")),
    *(sa.column(name, sa.Boolean) for name in ("answers_question", "dated", "sourced")),
    schema="reports",
)


class Quality(NamedTuple):
    """How many returns were marked, and how many answer; of those with items, how many are dated, and sourced (R31)."""

    marked: int
    answer: int
    with_items: int
    dated: int
    sourced: int


@dataclass(frozen=True)
class OwnFigures:
    """One agency's, of the checks that it was asked on some days."""

    by_month: Table
    causes: list[Figures]
    #: How often its own view before the discussion was the decision's, and how often not.
    with_decision: tuple[int, int]
    quality: Quality
    working_days: int
    #: How many were asked in each hour of the area's day in which any was.
    by_hour: Mapping[int, int]

    @property
    def on_a_working_day(self) -> float:
        """How many were asked on a working day, on average."""
        return a_day(self.by_month.total.asked, self.working_days)

    @property
    def busiest_hour(self) -> int | None:
        """The hour in which most were asked, the earlier of two; None while nothing was."""
        return busiest(self.by_hour)


def own_figures(session: Session, agency: str, first: date, last: date, profile: Profile) -> OwnFigures:
    """The figures of an agency, of these local days, both included."""
    asked = Asked(first, last, agency=agency)
    causes = figures.table(session, asked, By.CAUSE).rows
    return OwnFigures(
        by_month=figures.table(session, asked, By.MONTH),
        causes=[row for row in causes if row.breached],
        with_decision=with_decision(session, first, last, agency=agency).get(agency, (0, 0)),
        quality=_quality(session, agency, first, last),
        working_days=working_days(first, last, profile),
        by_hour=figures.asked_by_hour(session, asked, profile.area.zone).get(agency, {}),
    )


def _quality(session: Session, agency: str, first: date, last: date) -> Quality:
    number, marks = sa.func.count(), _QUALITY.c
    counts = (
        number, number.filter(marks.answers_question), sa.func.count(marks.dated), number.filter(marks.dated),
        number.filter(marks.sourced),
    )  # fmt: skip
    query = sa.select(*counts).where(marks.agency == agency, marks.asked_on.between(first, last))
    return Quality(*session.execute(query).one())
