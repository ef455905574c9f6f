"""Finding a referral and what belongs to it; locking it before a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlmodel import Session, col, select

from casework.once import known, once
from models.check import AgencyCheck
from models.decision import HandBack, ManagerRequest, ThresholdDecision
from models.referral import Referral, Subject
from rules.errors import NotFound
from rules.permissions import Actor
from rules.stages import Stage

_SUBJECTS = select(Subject).order_by(col(Subject.number))
_CHECKS = select(AgencyCheck).order_by(col(AgencyCheck.requested_at), col(AgencyCheck.agency))
_WITH_A_MANAGER = select(ManagerRequest).where(col(ManagerRequest.settled_at).is_(None))
_HAND_BACKS = select(HandBack).order_by(col(HandBack.version))


class Housed(Protocol):
    """Somebody of a household: a subject, or one in a referral that is being sent."""

    @property
    def household(self) -> int:
        """Whose number is the same live together."""

    @property
    def protected_address(self) -> bool:
        """Whether where they live is kept from others."""


def lock(session: Session, reference: str) -> Referral:
    """The referral, its row locked until the transaction ends: the first thing that every change does.

    Raises NotFound, for one that was erased too: nothing is added to it, and there is nothing to read.
    """
    query = select(Referral).where(Referral.reference == reference).with_for_update()
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found and found.erased_at is None:
        return found
    raise NotFound("there is no such referral")


@once
def find(session: Session, reference: str) -> Referral:
    """The referral, to read. Raises NotFound, for one that was erased too."""
    found = session.get(Referral, reference)
    if found and found.erased_at is None:
        return found
    raise NotFound("there is no such referral")


@once
def subjects(session: Session, reference: str) -> Sequence[Subject]:
    """Its subjects, by number."""
    return list(session.exec(_SUBJECTS.where(Subject.reference == reference)))


def remaining(session: Session, reference: str) -> list[Subject]:
    """The subjects on whom a decision is (or was) wanted: those who did not leave early."""
    return [subject for subject in subjects(session, reference) if subject.exit_code is None]


@once
def checks(session: Session, reference: str) -> Sequence[AgencyCheck]:
    """Its agency checks, in the order in which they were asked."""
    return list(session.exec(_CHECKS.where(AgencyCheck.reference == reference)))


def check_of(session: Session, reference: str, agency: str) -> AgencyCheck:
    """One agency's check. Raises NotFound."""
    query = select(AgencyCheck).where(AgencyCheck.reference == reference, AgencyCheck.agency == agency)
    if found := session.exec(query.execution_options(populate_existing=True)).first():
        return found
    raise NotFound("there is no such check")


def lock_with_check(session: Session, reference: str, agency: str) -> tuple[Referral, AgencyCheck]:
    """The referral, locked, and one agency's check of it.

    Raises NotFound: whether there is such a referral, or this agency was not asked, looks the same from outside.
    """
    try:
        return lock(session, reference), check_of(session, reference, agency)
    except NotFound:
        raise NotFound("there is no such check") from None


def protected_households(people: Iterable[Housed]) -> set[int]:
    """One protected person protects the address for all who live there: a child's address is its mother's."""
    return {person.household for person in people if person.protected_address}


@once
def decisions(session: Session, reference: str) -> Mapping[UUID, ThresholdDecision]:
    """The effective decision, the newest version, by subject id."""
    query = (
        select(ThresholdDecision)
        .where(ThresholdDecision.reference == reference)
        .order_by(col(ThresholdDecision.version))
    )
    return {decision.subject_id: decision for decision in session.exec(query)}


@once
def manager_request(session: Session, reference: str) -> ManagerRequest | None:
    """What was sent to a manager and waits there; None when nothing does (R39)."""
    return session.exec(_WITH_A_MANAGER.where(ManagerRequest.reference == reference)).first()


def settle_manager_request(session: Session, reference: str, conclusion: str, *, by: Actor, at: datetime) -> None:
    """What was sent to a manager needs no manager any more; the caller's own act is in the ledger. None: nothing."""
    if row := manager_request(session, reference):
        row.settled_at, row.settled_by, row.conclusion = at, by.id, conclusion


@once
def hand_backs(session: Session, reference: str) -> Mapping[str, HandBack]:
    """The newest hand-back by duty team."""
    query = _HAND_BACKS.where(HandBack.reference == reference)
    return {hand_back.duty_team: hand_back for hand_back in session.exec(query)}


def read_together(session: Session, page: Collection[Referral]) -> None:
    """What a page of referrals waits for at its stages, and no more, in four statements for them all.

    Where the transaction only reads, it is not asked for anew.
    """
    held, checked, decided, told_of = (
        [referral.reference for referral in page if referral.stage in stages]
        for stages in (
            {Stage.AWAITING_BASIS}, {Stage.CHECKING}, {Stage.CHECKING, Stage.AWAITING_DECISION}, {Stage.AWAITING_ACK},
        )
    )  # fmt: skip
    people: dict[str, list[Subject]] = {reference: [] for reference in held}
    for subject in session.exec(_SUBJECTS.where(col(Subject.reference).in_(held))):
        people[subject.reference].append(subject)
    of_checks: dict[str, list[AgencyCheck]] = {reference: [] for reference in checked}
    for check in session.exec(_CHECKS.where(col(AgencyCheck.reference).in_(checked))):
        of_checks[check.reference].append(check)
    requests: dict[str, ManagerRequest | None] = dict.fromkeys(decided)
    waiting = session.exec(_WITH_A_MANAGER.where(col(ManagerRequest.reference).in_(decided)))
    requests |= {request.reference: request for request in waiting}
    told: dict[str, dict[str, HandBack]] = {reference: {} for reference in told_of}
    for hand_back in session.exec(_HAND_BACKS.where(col(HandBack.reference).in_(told_of))):
        told[hand_back.reference][hand_back.duty_team] = hand_back
    known(session, subjects, people)
    known(session, checks, of_checks)
    known(session, manager_request, requests)
    known(session, hand_backs, told)
