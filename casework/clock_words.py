"""Why a check is, or was, due when it is, and how late: the ledger's own account of its clock, in words (R21, R25)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from casework import ledger, referrals
from casework.register import codes_of, profile_of
from models.check import AgencyCheck
from models.referral import Referral
from rules.clock_story import ClockStory, in_words, story
from rules.errors import NotFound
from rules.permissions import Actor, check_may_answer_for, check_may_run_process


def explain(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> list[str]:
    """The story of one agency's clock up to `at`, for the MASH profile, or the agency itself.

    Raises NotFound; to the MASH profile it says which agencies were asked.
    """
    if by.agency is not None:
        check_may_answer_for(by, agency)
    else:
        check_may_run_process(by)
    referral = referrals.find(session, reference)
    if by.agency is None and agency not in (asked := [check.agency for check in referrals.checks(session, reference)]):
        raise NotFound(f"{agency} was not asked; these were: {', '.join(asked) or 'none yet'}")
    return words(session, referral, referrals.check_of(session, reference, agency), at=at)


def words(session: Session, referral: Referral, check: AgencyCheck, *, at: datetime) -> list[str]:
    """The same, for a page of the check; the caller has seen to it who reads."""
    calendar = profile_of(session, referral).calendar()
    return in_words(
        story_of(session, referral, check), calendar, at,
        reasons=codes_of(session, referral, "clock_reason"), causes=codes_of(session, referral, "breach_cause"),
    )  # fmt: skip


def story_of(session: Session, referral: Referral, check: AgencyCheck) -> ClockStory:
    """How the clock of a check ran, worked out from the referral's entries alone."""
    profile = profile_of(session, referral)
    entries = (entry.as_entry() for entry in ledger.changes(session, referral.reference))
    return story(entries, check.agency, profile.check_clock(referral.urgency), profile.calendar())
