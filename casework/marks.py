"""What a referral's run is marked with in the engine: codes alone, by which operators find it and workers rank it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from casework import referrals
from casework.register import profile_of
from models.referral import Subject
from rules.urgency import UrgencyRating, lane


@dataclass(frozen=True)
class Marks:
    """The tags of a run, and how urgent its referral is among all that are due."""

    tags: list[str]
    lane: UrgencyRating


def marks(session: Session, reference: str) -> Marks:
    """A referral's originator, its side or both, and its band, by code (issue 7, item 1). Raises NotFound."""
    referral = referrals.find(session, reference)
    sides = session.exec(select(Subject.side).where(col(Subject.reference) == reference).distinct())
    return Marks(
        tags=[referral.duty_team, *sorted(sides), referral.urgency],
        lane=lane(referral.urgency_rating, referral.urgency, profile_of(session, referral).bands),
    )
