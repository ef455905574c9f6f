"""Whom a referral's run is to ask, written down with a reason for every agency before anybody is asked (R15, R55)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.ledger import Act
from casework.notices import MASH_TEAM, say
from casework.once import once
from casework.register import profile_of
from models.agreement import SharingAgreement
from models.check import AgencyNotAsked
from models.profile import Profile
from models.referral import Referral
from notifications.messages import MessageName
from rules import asking
from rules.asking import Candidate, Plan, WhyAsked, WhyNotAsked
from rules.permissions import Actor
from rules.sharing import Term


def agreed(session: Session, on: date) -> set[str]:
    """The parties to an agreement that is in force on a local date."""
    return {
        party
        for row in session.exec(select(SharingAgreement))
        if Term(row.in_force_from, row.in_force_to, row.review_on, row.ended_on).on(on).holds
        for party in row.parties
    }


def has_agreement(session: Session, agency: str, profile: Profile, at: datetime) -> bool:
    """Whether an agency may be asked on the local day of `at` without anybody's override (R55)."""
    return agency in agreed(session, at.astimezone(profile.zone_info).date())


def next_agreement(session: Session, profile: Profile, at: datetime) -> date | None:
    """The local date after that of `at` on which the next agreement begins; None when the register has none."""
    later = select(SharingAgreement).where(
        col(SharingAgreement.in_force_from) > at.astimezone(profile.zone_info).date(),
        col(SharingAgreement.ended_on).is_(None),
    )
    first = session.exec(later.order_by(col(SharingAgreement.in_force_from))).first()
    return first.in_force_from if first else None


def plan(session: Session, referral: Referral, at: datetime) -> Plan:
    """Whom to ask at `at`, by the profile, the agreements in force, and what people have overridden."""
    profile = profile_of(session, referral)
    sides = {subject.side for subject in referrals.remaining(session, referral.reference)}
    overridden = [row.agency for row in not_asked(session, referral.reference) if row.overridden_at]
    agencies = [Candidate(each.code, frozenset(each.scope), each.default_checks) for each in profile.agencies]
    on = at.astimezone(profile.zone_info).date()
    return asking.plan(
        agencies, sides, agreed(session, on), overridden, profile.asking.narrowed(referral.question_about)
    )


def because(session: Session, referral: Referral, agency: str) -> WhyAsked:
    """Why the referral's run asks an agency that it is to ask."""
    if any(row.agency == agency and row.overridden_at for row in not_asked(session, referral.reference)):
        return WhyAsked.OVERRIDE
    narrowed = profile_of(session, referral).asking.narrowed(referral.question_about)
    return asking.need_of(agency, narrowed) or WhyAsked.IN_SCOPE


def settle(session: Session, referral: Referral, planned: Plan, *, by: Actor, at: datetime) -> None:
    """Write the plan down: a row for each agency that is not asked, and one entry. The caller holds the referral's row.

    A plan by which nobody is asked is tried again, so that it leaves the entry alone. The MASH team is told when an
    agency is not asked for want of an agreement.
    """
    reference, known = referral.reference, {row.agency: row for row in not_asked(session, referral.reference)}
    for agency, why in planned.not_asked.items() if planned.asked else ():
        if agency in known:
            known[agency].reason = why
        else:
            session.add(AgencyNotAsked(reference=reference, agency=agency, reason=why, at=at))
    detail: dict[str, Any] = {"asked": dict(planned.asked), "not_asked": dict(planned.not_asked)}
    detail["question_about"] = referral.question_about
    ledger.write(session, reference, Act.ASKING_PLANNED, by=by, at=at, **detail)
    if WhyNotAsked.NO_AGREEMENT in planned.not_asked.values():
        say(session, MessageName.AGREEMENT_MISSING, MASH_TEAM, at=at, reference=reference)


@once
def not_asked(session: Session, reference: str) -> Sequence[AgencyNotAsked]:
    """The agencies that were not asked when the others were, with the reason, and who has overridden it since."""
    query = select(AgencyNotAsked).where(AgencyNotAsked.reference == reference).order_by(col(AgencyNotAsked.agency))
    return list(session.exec(query.execution_options(populate_existing=True)))
