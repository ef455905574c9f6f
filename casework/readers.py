"""Who has read what an agency gave: from the ledger, by role and organisation, never by name (R50)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field
from sqlmodel import Session, select

from casework import ledger, referrals
from casework.afterwards import name_at_the_time, released_of
from casework.follow import Seen
from casework.ledger import Act
from casework.register import profile_of
from models.account import Account
from models.decision import HandBack
from models.ledger import LedgerEntry
from models.profile import Profile
from models.referral import Referral
from rules.permissions import Actor, Role, check_may_answer_for

#: What an agency gives, and with which its readers begin.
_GIVES = frozenset({Act.CLARIFICATION_ASKED, Act.CHECK_RETURNED, Act.CHECK_DECLINED})


class Reading(Seen):
    """One look at what an agency gave."""

    at: datetime
    role: Role
    organisation: str
    act: str = Field(
        description="ASSESSMENT_READ: collated template; CHECK_READ: the check; OUTCOME_READ: what a duty team was told"
    )
    version: int | None = Field(description="Of a kept collated template or of an outcome; null for what stood then")


class Readings(Seen):
    """Everybody's looks, newest first; those of the agency's own people are only counted."""

    readings: list[Reading]
    own_times: int
    own_last_at: datetime | None


def readings(session: Session, reference: str, *, by: Actor) -> Readings:
    """Who has read what this actor's agency gave about a referral. Raises NotFound for anybody else's."""
    agency = by.agency or ""
    check_may_answer_for(by, agency)
    referrals.check_of(session, reference, agency)
    referral = referrals.find(session, reference)
    profile = profile_of(session, referral)
    chain = ledger.entries(session, reference)
    looks = [*_looks(chain, agency), *_outcomes_read(session, referral, chain, agency)]
    looks.sort(key=lambda entry: entry.number)
    accounts = {entry.actor: session.get(Account, entry.actor) for entry in looks}
    found = [(entry, account) for entry in looks if (account := accounts[entry.actor])]
    own = [entry.at for entry, account in found if account.agency == agency]
    others = [_reading(entry, account, profile) for entry, account in reversed(found) if account.agency != agency]
    return Readings(readings=others, own_times=len(own), own_last_at=own[-1] if own else None)


def _looks(chain: Sequence[LedgerEntry], agency: str) -> list[LedgerEntry]:
    """The entries of reading something that the agency had given by then."""
    first = next((e.number for e in chain if e.act in _GIVES and e.detail.get("agency") == agency), None)
    if first is None:
        return []
    kept = {e.detail["version"]: e.number for e in chain if e.act == Act.COLLATED}
    return [entry for entry in chain if entry.number > first and _is_look(entry, agency, first, kept)]


def _is_look(entry: LedgerEntry, agency: str, first: int, kept: dict[int, int]) -> bool:
    if entry.act == Act.CHECK_READ:
        return bool(entry.detail.get("agency") == agency)
    # A kept template holds nothing of an agency that answered after it was kept.
    return entry.act == Act.ASSESSMENT_READ and kept.get(entry.detail.get("version", 0), first + 1) > first


def _outcomes_read(
    session: Session, referral: Referral, chain: Sequence[LedgerEntry], agency: str
) -> list[LedgerEntry]:
    """The readings of an outcome in which something of this agency was told to a duty team."""
    name = name_at_the_time(session, referral, agency)
    query = select(HandBack).where(HandBack.reference == referral.reference)
    told = {(each.duty_team, each.version) for each in session.exec(query) if released_of(each, name)}
    return [
        entry for entry in chain
        if entry.act == Act.OUTCOME_READ and (entry.detail["duty_team"], entry.detail["version"]) in told
    ]  # fmt: skip


def _reading(entry: LedgerEntry, account: Account, profile: Profile) -> Reading:
    return Reading(
        at=entry.at,
        role=account.role,
        organisation=_organisation(account, profile),
        act=entry.act,
        version=entry.detail.get("version"),
    )


def _organisation(account: Account, profile: Profile) -> str:
    if account.duty_team:
        return profile.duty_team(account.duty_team).name
    # Which other agencies were asked is not for this one to learn (R49).
    return "Another agency" if account.agency else profile.wording.hub_name
