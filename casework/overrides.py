"""An agency is asked although no sharing agreement with it is in force: named, reasoned and reported (R55)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from casework import asking, ledger, legal_gate, referrals
from casework.checks import new_check, open_check
from casework.follow import Seen
from casework.ledger import Act
from casework.legal_documents import OverrideDocument
from casework.notices import INFORMATION_GOVERNANCE, say
from casework.register import profile_of
from casework.wakes import wake
from models.check import AgencyNotAsked
from models.profile import Agency, Profile
from models.referral import Referral
from notifications.messages import MessageName
from rules.administration import check_may_read_register
from rules.asking import LEAST_REASON, WhyAsked, WhyNotAsked
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_decide
from rules.stages import Stage

#: The newest so many stand on the report.
_SHOWN = 200
_ASKABLE = frozenset({Stage.AWAITING_BASIS, Stage.CHECKING, Stage.AWAITING_DECISION})


class OverrideSeen(Seen):
    """An agency was asked without an agreement."""

    reference: str
    agency: str
    overridden_at: datetime
    overridden_by: str
    override_reason: str


def ask_without_agreement(
    session: Session, reference: str, document: OverrideDocument, *, by: Actor, at: datetime
) -> None:
    """A decision maker has an agency asked about this referral although no agreement with it is in force (R55).

    It is in the ledger, and the information-governance lead is told. Raises NotPermitted, WrongStage before or after
    agencies are asked or for want of a lawful basis, and NotAcceptable with every bad field at once.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    if referral.stage not in _ASKABLE:
        raise WrongStage(f"referral {reference} is {referral.stage}: no agency is asked about it now")
    if referral.stage is not Stage.AWAITING_BASIS and legal_gate.missing(session, reference):
        raise WrongStage(f"referral {reference} has no complete lawful basis any more: nobody may be asked")
    _check(session, referral, document, at)
    row = next((each for each in asking.not_asked(session, reference) if each.agency == document.agency), None)
    row = row or AgencyNotAsked(reference=reference, agency=document.agency, reason=WhyNotAsked.NO_AGREEMENT, at=at)
    row.reason = WhyNotAsked.NO_AGREEMENT
    row.overridden_at, row.overridden_by, row.override_reason = at, by.id, document.reason
    session.add(row)
    ledger.write(
        session, reference, Act.AGREEMENT_OVERRIDDEN, by=by, at=at, content={"reason": document.reason},
        agency=document.agency,
    )  # fmt: skip
    say(
        session, MessageName.AGREEMENT_OVERRIDDEN, INFORMATION_GOVERNANCE,
        at=at, reference=reference, occasion=document.agency,
    )  # fmt: skip
    if referral.stage is Stage.AWAITING_BASIS:
        legal_gate.go_on_if_complete(session, referral, by=by, at=at)
        return
    check = new_check(session, referral, document.agency, at=at, because=WhyAsked.OVERRIDE)
    check.blocking, check.noted_by_run = referral.stage is Stage.CHECKING, False
    open_check(session, referral, check, by=by, at=at)
    wake(session, reference, at)


def candidates(session: Session, reference: str, *, by: Actor, at: datetime) -> list[Agency]:
    """The agencies that fit a referral's people, are not asked and have no agreement. Raises NotPermitted."""
    check_may_decide(by)
    referral = referrals.find(session, reference)
    profile = profile_of(session, referral)
    return [
        agency
        for agency in _fitting(session, referral, profile)
        if not asking.has_agreement(session, agency.code, profile, at)
    ]


def report(session: Session, *, by: Actor, at: datetime) -> list[OverrideSeen]:
    """Every override up to `at`, the newest first, for whoever reads the register. Raises NotPermitted."""
    check_may_read_register(by)
    query = (
        select(AgencyNotAsked)
        .where(col(AgencyNotAsked.overridden_at) <= at)
        .order_by(col(AgencyNotAsked.overridden_at).desc())
        .limit(_SHOWN)
    )
    return [OverrideSeen.of(row) for row in session.exec(query)]


def _check(session: Session, referral: Referral, document: OverrideDocument, at: datetime) -> None:
    profile, found = profile_of(session, referral), []
    if document.agency not in {agency.code for agency in _fitting(session, referral, profile)}:
        found.append(FieldError("/agency", "choose an agency that has not been asked yet and fits these people"))
    elif asking.has_agreement(session, document.agency, profile, at):
        found.append(FieldError("/agency", "has an agreement in force: ask it in the ordinary way"))
    if len(document.reason) < LEAST_REASON:
        found.append(FieldError("/reason", f"say more: at least {LEAST_REASON} characters"))
    if found:
        raise NotAcceptable(*found)


def _fitting(session: Session, referral: Referral, profile: Profile) -> list[Agency]:
    sides = {subject.side for subject in referrals.remaining(session, referral.reference)}
    asked = {check.agency for check in referrals.checks(session, referral.reference)}
    return [agency for agency in profile.agencies if sides & set(agency.scope) and agency.code not in asked]
