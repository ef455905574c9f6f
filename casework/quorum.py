"""Whether everybody who should be was part of a decision; it is made all the same, with a reason, and counted (R38)."""

from __future__ import annotations

from sqlmodel import Session, select

from casework.register import profile_of
from models.decision import Discussion, View
from models.referral import Referral
from rules import quorum
from rules.people import Side


def took_part(session: Session, reference: str) -> set[str]:
    """The agencies that were present at a discussion, or said what they think of the threshold."""
    talks = session.exec(select(Discussion).where(Discussion.reference == reference))
    present = {str(person["agency"]) for talk in talks for person in talk.present}
    return present | set(session.exec(select(View.agency).where(View.reference == reference)))


def missing(session: Session, referral: Referral) -> dict[Side, list[str]]:
    """For each side, the agencies for want of which a decision would be below quorum now."""
    rules, there = profile_of(session, referral).quorum_rules(), took_part(session, referral.reference)
    return {side: quorum.missing(rules.get(side), there) for side in Side}
