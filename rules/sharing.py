"""Whether an information sharing agreement is in force on a day, and whether somebody should look at it (R55, R62)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

#: So long before its end or its review somebody is warned (R55).
WARNING = timedelta(days=60)


class Force(StrEnum):
    """How an agreement stands on a day."""

    NOT_YET = "NOT_YET"
    IN_FORCE = "IN_FORCE"
    ENDS_SOON = "ENDS_SOON"
    REVIEW_DUE = "REVIEW_DUE"
    OVER = "OVER"

    @property
    def holds(self) -> bool:
        """Whether the parties may share under it."""
        return self in {Force.IN_FORCE, Force.ENDS_SOON, Force.REVIEW_DUE}


@dataclass(frozen=True)
class Term:
    """From which local date to which an agreement is in force, both included, and when it is to be reviewed."""

    first_day: date
    last_day: date | None
    review_on: date
    ended_on: date | None = None

    def on(self, day: date) -> Force:
        """How it stands on a local date. From the day on which somebody ended it, it is over."""
        if (self.ended_on and day >= self.ended_on) or (self.last_day and day > self.last_day):
            return Force.OVER
        if day < self.first_day:
            return Force.NOT_YET
        if self.last_day and day > self.last_day - WARNING:
            return Force.ENDS_SOON
        return Force.REVIEW_DUE if day > self.review_on - WARNING else Force.IN_FORCE
