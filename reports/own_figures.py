"""What an agency is shown of its own part: how it answers, what it is asked, and how its view met the decision.

Nothing of another agency, and no referral (R66, R67).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from models.profile import Profile
from reports import figures
from reports.agreement import agreement
from reports.figures import Asked, By, Figures, Table

_CHECKS = sa.table("checks", *(sa.column(name) for name in ("agency", "asked_on", "asked_at")), schema="reports")


@dataclass(frozen=True)
class OwnFigures:
    """One agency's, of the checks that it was asked on some days."""

    by_month: Table
    causes: list[Figures]
    #: How often its own view before the discussion was the decision's, and how often not.
    with_decision: tuple[int, int]
    working_days: int
    #: How many were asked in each hour of the area's day in which any was.
    by_hour: Mapping[int, int]

    @property
    def on_a_working_day(self) -> float:
        """How many were asked on a working day, on average."""
        return self.by_month.total.asked / self.working_days if self.working_days else 0.0

    @property
    def busiest_hour(self) -> int | None:
        """The hour in which most were asked, the earlier of two; None while nothing was."""
        return max(self.by_hour, key=lambda hour: (self.by_hour[hour], -hour), default=None)


def own_figures(session: Session, agency: str, first: date, last: date, profile: Profile) -> OwnFigures:
    """The figures of an agency, of these local days, both included."""
    asked = Asked(first, last, agency=agency)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    causes = figures.table(session, asked, By.CAUSE).rows
    return OwnFigures(
        by_month=figures.table(session, asked, By.MONTH),
        causes=[row for row in causes if row.breached],
        with_decision=agreement(session, first, last).with_decision.get(agency, (0, 0)),
        working_days=sum(map(profile.calendar().is_working_day, days)),
        by_hour=_by_hour(session, asked, profile),
    )


def _by_hour(session: Session, asked: Asked, profile: Profile) -> dict[int, int]:
    local = sa.func.timezone(profile.area.zone, _CHECKS.c.asked_at)
    hour = sa.cast(sa.extract("hour", local), sa.Integer).label("hour")
    of_it = (_CHECKS.c.agency == asked.agency, _CHECKS.c.asked_on.between(asked.first, asked.last))
    query = sa.select(hour, sa.func.count().label("number")).where(*of_it).group_by(hour)
    return {row.hour: row.number for row in session.execute(query)}
