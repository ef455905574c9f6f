"""A one-off request: to a secondary agency (R20), or to a core agency that the duty team's question left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from casework import asking, legal_gate, outgoing, referrals
from casework.checks import new_check, open_check
from casework.documents import SecondaryDocument
from casework.due_times import FARTHEST
from casework.register import local_words, profile_of
from casework.wakes import wake
from models.check import AgencyCheck
from models.profile import Agency
from models.profile_parts import AgencyKind
from models.referral import Referral
from rules.asking import WhyAsked, WhyNotAsked
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_run_process
from rules.stages import Stage

#: Until the decision, there is somebody who would read the answer.
_ASKABLE = frozenset({Stage.CHECKING, Stage.AWAITING_DECISION})
#: Why an agency was not asked when the others were, and may be all the same.
_BY_CHOICE = frozenset({WhyNotAsked.NOT_NEEDED, WhyNotAsked.ONE_AT_A_TIME})


def to_choose_from(session: Session, reference: str, *, by: Actor) -> list[Agency]:
    """The agencies that may still be asked about a referral: those whose scope fits, and not asked yet.

    That is secondary ones, and core ones that were left out because the question is not about what they hold: who
    reads the returns may know better.
    """
    check_may_run_process(by)
    referral = referrals.find(session, reference)
    if referral.stage not in _ASKABLE:
        return []
    asked = {check.agency for check in referrals.checks(session, reference)}
    left_out = {row.agency for row in asking.not_asked(session, reference) if row.reason in _BY_CHOICE}
    sides = {subject.side for subject in referrals.remaining(session, reference)}
    return [
        agency
        for agency in profile_of(session, referral).agencies
        if (agency.kind is AgencyKind.SECONDARY or agency.code in left_out)
        and agency.code not in asked
        and sides & set(agency.scope)
    ]


def ask(session: Session, reference: str, document: SecondaryDocument, *, by: Actor, at: datetime) -> None:
    """Ask one more agency, at once; the referral's run is woken to take note of it, and waits on.

    A request that is not blocking holds up nobody: the returns are joined without it, and it is shown as awaited.
    Raises WrongStage before the agencies are asked, after the decision, or for want of a lawful basis (R54), and
    NotAcceptable.
    """
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    if referral.stage not in _ASKABLE:
        raise WrongStage(f"referral {reference} is {referral.stage}: nobody would read the answer")
    if legal_gate.missing(session, reference):
        raise WrongStage(f"referral {reference} has no complete lawful basis any more: nobody may be asked")
    wrong = list(_problems(session, referral, document, by, at))
    if wrong:
        raise NotAcceptable(*wrong)
    check = new_check(session, referral, document.agency, at=at, because=WhyAsked.ONE_OFF)
    check.blocking, check.question, check.noted_by_run = document.blocking, document.question, False
    if document.until:
        _give_own_time(session, referral, check, document.until)
    open_check(session, referral, check, by=by, at=at)
    wake(session, reference, at)


def _problems(
    session: Session, referral: Referral, document: SecondaryDocument, by: Actor, at: datetime
) -> Iterator[FieldError]:
    allowed = [agency.code for agency in to_choose_from(session, referral.reference, by=by)]
    if document.agency not in allowed:
        yield FieldError("/agency", "choose one that is offered: it was not asked yet, and fits these people")
    elif not asking.has_agreement(session, document.agency, profile_of(session, referral), at):
        yield FieldError(
            "/agency", "no sharing agreement with it is in force: a decision maker may have it asked all the same"
        )
    yield from outgoing.in_a_question(
        document.question, outgoing.for_agency(session, referral, document.agency), "/question"
    )
    if document.blocking and referral.stage is not Stage.CHECKING:
        yield FieldError("/blocking", "the returns are joined already: nobody can wait for it any more")
    if document.until is not None:
        if not at < document.until <= at + FARTHEST:
            yield FieldError("/until", f"must be in the future, and at most {FARTHEST.days} days from now")
        elif not profile_of(session, referral).calendar().is_open(document.until):
            yield FieldError("/until", "the office is closed then")


def _give_own_time(session: Session, referral: Referral, check: AgencyCheck, until: datetime) -> None:
    profile = profile_of(session, referral)
    check.due_at = until
    check.due_in_words = (
        f"Asked {local_words(check.requested_at, profile)}, with a time of its own. Due {local_words(until, profile)}."
    )
