"""What became of what an agency gave: the outcome's category, and nothing that others said (R44)."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from casework import referrals
from casework.checks import counts_of_each, returns
from casework.follow import Seen
from casework.notices import say_all, to_agency
from casework.register import profile_of
from models.check import AgencyCheck
from models.decision import HandBack
from models.referral import Referral
from notifications.messages import MessageName
from rules import release


class OutcomeCategory(Seen):
    """How it ended for one of the people whom the agency was asked about."""

    subject: str
    outcome: str = Field(description="Code set outcome or early_end")
    label: str


class Afterwards(Seen):
    """What happened to an agency's return, and what it led to."""

    joined_at: datetime | None = Field(description="When it became part of the collated template; null for not yet")
    given: int = Field(description="Items of the newest version that the MASH team may read")
    withheld: int
    released: int = Field(description="Items of it that the duty teams were told, as the outcome stands")
    outcomes: list[OutcomeCategory] = Field(description="Empty until the duty teams have been told")


def became(session: Session, referral: Referral, check: AgencyCheck) -> Afterwards | None:
    """What became of the return to a check; None when there is none. The caller has checked who reads."""
    versions = returns(session, check)
    if not versions:
        return None
    withheld = sum(release.is_withheld(item) for item in versions[-1].items)
    joined = max(referral.joined_at, versions[0].recorded_at) if referral.joined_at else None
    return Afterwards(
        joined_at=joined,
        given=len(versions[-1].items) - withheld,
        withheld=withheld,
        released=_released(session, referral, check),
        outcomes=_outcomes(session, check),
    )


def tell_agencies(session: Session, reference: str, *, at: datetime) -> None:
    """Tell each agency that returned something that the outcome is there, once for each version of it (R44)."""
    told = referrals.hand_backs(session, reference)
    occasion = ".".join(str(told[team].version) for team in sorted(told))
    checks = referrals.checks(session, reference)
    counts = counts_of_each(session, checks)
    returned = [(reference, to_agency(check.agency)) for check in checks if counts[check.id][0]]
    say_all(session, MessageName.OUTCOME_SHARED, returned, at=at, occasion=occasion)


def released_of(told: HandBack, agency: str) -> set[tuple[str, str, str]]:
    """The items of an agency, by its name at the time, that one hand-back told a duty team: date, text and source."""
    return {
        (item["event_date"], item["text"], item["source"])
        for outcome in told.outcomes
        for item in outcome.get("released", [])
        if item["agency"] == agency
    }


def name_at_the_time(session: Session, referral: Referral, agency: str) -> str:
    """What an agency was called when a referral was received (R16)."""
    profile = profile_of(session, referral)
    return profile.agency(agency).name_on(referral.received_at.astimezone(profile.zone_info).date())


def _released(session: Session, referral: Referral, check: AgencyCheck) -> int:
    name = name_at_the_time(session, referral, check.agency)
    hand_backs = referrals.hand_backs(session, referral.reference).values()
    return len(set().union(*(released_of(told, name) for told in hand_backs)))


def _outcomes(session: Session, check: AgencyCheck) -> list[OutcomeCategory]:
    sides = set(check.sides.split(","))
    found = [
        OutcomeCategory(subject=outcome["subject"], outcome=outcome["outcome"], label=outcome["label"])
        for told in referrals.hand_backs(session, check.reference).values()
        for outcome in told.outcomes
        if outcome["side"] in sides
    ]
    return sorted(found, key=lambda outcome: int(outcome.subject[1:]))
