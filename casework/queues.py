"""What waits for an agency, what its representative needs to search, and reading what was kept (R05, R18, R41, R49)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework import clock_words, follow_up, ledger, quality, referrals, urgency
from casework.afterwards import Afterwards, became
from casework.checks import clarifications, returns
from casework.collation import kept
from casework.discussion import views_of
from casework.follow import CheckSeen, Seen, see_checks
from casework.follow_up import FollowUpSeen, FollowUpTask
from casework.ledger import Act
from casework.register import profile_of
from casework.urgency import CallSeen
from models.check import AgencyCheck
from models.profile_parts import SearchKey
from models.referral import Referral, Subject
from rules.errors import NotFound
from rules.people import Side
from rules.permissions import Actor, check_may_answer_for, check_may_read_assessment, check_may_run_process
from rules.stages import OPEN_CHECKS, CheckStatus

#: What an agency's queue shows: of a thousand checks, not a thousand times all that is sealed. What a secondary agency
#: is asked may be a question of its own (R20).
_SHOWN: tuple[Any, ...] = (
    col(AgencyCheck.reference), col(AgencyCheck.status), col(AgencyCheck.due_at), col(AgencyCheck.due_in_words),
    col(AgencyCheck.paused_at), col(Referral.urgency), col(Referral.urgency_rating),
    sa.func.coalesce(col(AgencyCheck.question), col(Referral.clarification_question)).label("question"),
)  # fmt: skip
#: How many settled checks an agency is shown: the newest.
_SETTLED_SHOWN = 100


class Task(Seen):
    """A check in an agency's queue."""

    reference: str
    status: CheckStatus
    urgency: str = Field(description="The urgency band, on whose clock it runs")
    urgency_rating: str = Field(description="Code set urgency_rating: how the MASH team rates the referral")
    due_at: datetime
    due_in_words: str
    paused_at: datetime | None = Field(description="Since when its clock stands still; null while it goes")
    question: str | None = Field(description="What the duty team needs clarified")


class Tasks(Seen):
    """An agency's queue: the most urgent first, then by due time."""

    checks: list[Task]
    follow_ups: list[FollowUpTask] = Field(default=[], description="Questions about its returns, by due time")


class CheckNow(Seen):
    """Where the agency's own check stands after what it just did."""

    reference: str
    agency: str
    status: CheckStatus
    due_at: datetime
    paused_at: datetime | None = Field(description="Since when its clock stands still; null while it goes")
    acknowledged_at: datetime | None
    settled_at: datetime | None
    breached_at: datetime | None


class SubjectToSearch(Seen):
    """The least that a representative needs to search for a person."""

    subject: str
    side: Side
    given_name: str
    family_name: str
    date_of_birth: date | None = Field(description="Null when it is not known, or your agency cannot use it")
    nhs_number: str | None = Field(description="Null when it is not known, or your agency cannot use it")
    address: str | None = Field(description="The same; and when anybody's address in the household is protected")
    address_is_protected: bool
    household: int
    household_role: str
    corrected_at: datetime | None = Field(description="When these were corrected, after you were asked")


class Question(Seen):
    """What the agency asked about its check, and the answer."""

    question: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


class OwnReturn(Seen):
    """One version of the agency's own return."""

    version: int
    recorded_at: datetime
    addendum: bool = Field(description="It came after the returns were joined")
    result: str
    summary: str | None
    items: list[dict[str, Any]]
    systems_searched: list[dict[str, Any]]
    not_searched_because: str | None
    consultations: list[dict[str, Any]]


class OwnView(Seen):
    """What the agency said about the threshold (R37)."""

    view: str
    threshold_met: bool | None
    level_of_need: str | None
    reason: str | None
    recorded_at: datetime


class OwnCheck(CheckNow):
    """An agency's own check, with what it needs to answer, and what it has answered."""

    urgency: str
    urgency_rating: str
    requested_at: datetime
    due_in_words: str
    clock_in_words: list[str] = Field(description="How its clock ran, sentence by sentence, and how late it is (R25)")
    breach_cause: str | None = Field(description="Code set breach_cause, as somebody last said")
    question: str | None
    asked_because: str = Field(description="Code set asked_because")
    basis: dict[str, dict[str, str | None]] = Field(description="On what you are asked, by subject, in codes (R54)")
    searches_with: list[SearchKey] = Field(description="What of a person is shown to your agency beside the name")
    subjects: list[SubjectToSearch]
    known: str | None
    decline_reason: str | None
    decline_note: str | None
    clarifications: list[Question]
    follow_ups: list[FollowUpSeen] = Field(description="What the MASH team asked about its return")
    urgent_calls: list[CallSeen] = Field(description="When the agency said that it must be discussed now")
    returns: list[OwnReturn]
    views: list[OwnView]
    afterwards: Afterwards | None = Field(description="What became of the return; null when there is none")


class CheckForTeam(CheckSeen):
    """A check with the agency's questions, for the MASH team to answer."""

    clarifications: list[Question]
    follow_ups: list[FollowUpSeen]
    can_follow_up: bool = Field(description="Whether a question about its return can be asked now")
    clock_in_words: list[str] = Field(description="How its clock ran, sentence by sentence, and how late it is (R25)")
    breach_cause: str | None = Field(description="Code set breach_cause, as somebody last said")
    holds_items: bool = Field(description="Whether its return holds items, which have a date and a source")
    answers_question: bool | None = Field(description="Whether its return answers what was asked, as somebody said")
    dated: bool | None = Field(description="Whether its items are dated, as somebody said")
    sourced: bool | None = Field(description="Whether its items are sourced, as somebody said")
    marked_at: datetime | None = Field(description="When somebody said so; null while nobody has")
    urgent_calls: list[CallSeen]


def tasks_of(session: Session, *, settled: bool = False, most: int | None = None, by: Actor) -> Tasks:
    """An agency's open checks, the most urgent first, then by due time (R10); or its newest settled ones.

    The MASH team's rating comes first, then the band, by its place among the profile's bands. Of the open ones at most
    `most` are given. Raises NotFound for anybody but an agency.
    """
    agency = _own_agency(by)
    found = session.execute(_settled(agency) if settled else _waiting(agency).limit(most))
    checks = [Task(**row._mapping) for row in found]
    return Tasks(checks=checks, follow_ups=[] if settled else follow_up.waiting(session, by=by))


def count_open(session: Session, *, by: Actor) -> int:
    """How many checks wait for an agency. Raises NotFound for anybody but an agency."""
    is_open = col(AgencyCheck.status).in_(OPEN_CHECKS)
    return session.exec(
        select(sa.func.count()).select_from(AgencyCheck).where(AgencyCheck.agency == _own_agency(by), is_open)
    ).one()


def read_check(session: Session, reference: str, *, by: Actor, at: datetime) -> OwnCheck:
    """An agency reads its own check; the reading is in the ledger. Raises NotFound."""
    referral, check = _own_check(session, reference, by)
    ledger.write(session, reference, Act.CHECK_READ, by=by, at=at, agency=check.agency)
    keys = profile_of(session, referral).agency(check.agency).searches_with
    people = _subjects_to_search(session, check, keys)
    return OwnCheck.of(
        check,
        urgency=referral.urgency,
        urgency_rating=referral.urgency_rating,
        clock_in_words=clock_words.words(session, referral, check, at=at),
        question=_asked(check, referral),
        basis=_basis_shown(check, people),
        searches_with=list(keys),
        subjects=people,
        clarifications=_questions(session, check),
        follow_ups=follow_up.seen(session, referral, check, for_team=False),
        urgent_calls=urgency.seen(session, reference, check.agency),
        returns=[OwnReturn.of(each) for each in returns(session, check)],
        views=[OwnView.of(each) for each in views_of(session, reference, check.agency)],
        afterwards=became(session, referral, check),
    )


def check_now(session: Session, reference: str, *, by: Actor) -> CheckNow:
    """Where an agency's own check stands. Raises NotFound."""
    check = referrals.check_of(session, reference, _own_agency(by))
    return CheckNow.of(check)


def read_check_for_team(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> CheckForTeam:
    """The MASH team reads a check and what its agency asked, to answer it; the reading is in the ledger (R33)."""
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    ledger.write(session, reference, Act.CHECK_READ, by=by, at=at, agency=agency)
    [seen] = see_checks(session, [check], profile_of(session, referral), referral.received_at)
    return CheckForTeam(
        clarifications=_questions(session, check),
        follow_ups=follow_up.seen(session, referral, check, for_team=True),
        can_follow_up=follow_up.can_be_asked(session, referral, check),
        clock_in_words=clock_words.words(session, referral, check, at=at),
        breach_cause=check.breach_cause,
        holds_items=quality.holds_items(returns(session, check)),
        answers_question=check.answers_question,
        dated=check.dated,
        sourced=check.sourced,
        marked_at=check.marked_at,
        urgent_calls=urgency.seen(session, reference, agency),
        **seen.model_dump(),
    )


def read_kept(session: Session, reference: str, version: int, *, by: Actor, at: datetime) -> dict[str, Any]:
    """A kept version of the collated template, as it was; the reading is in the ledger (R41, R48). Raises NotFound."""
    check_may_read_assessment(by)
    referrals.lock(session, reference)
    for template in kept(session, reference):
        if template.version == version:
            ledger.write(session, reference, Act.ASSESSMENT_READ, by=by, at=at, version=version)
            return template.content
    raise NotFound("there is no such version")


def _own_agency(by: Actor) -> str:
    check_may_answer_for(by, by.agency or "")
    return by.agency or ""


def _own_check(session: Session, reference: str, by: Actor) -> tuple[Referral, AgencyCheck]:
    agency = _own_agency(by)
    referral = referrals.lock(session, reference)
    return referral, referrals.check_of(session, reference, agency)


def _settled(agency: str) -> sa.Select[Any]:
    """An agency's newest settled checks."""
    settled = _of(agency, col(AgencyCheck.status).not_in(OPEN_CHECKS))
    return settled.order_by(col(AgencyCheck.settled_at).desc()).limit(_SETTLED_SHOWN)


def _waiting(agency: str) -> sa.Select[Any]:
    """An agency's open checks in their order."""
    return _of(agency, col(AgencyCheck.status).in_(OPEN_CHECKS)).order_by(
        col(AgencyCheck.place), col(AgencyCheck.due_at), col(AgencyCheck.reference)
    )


def _of(agency: str, status: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(*_SHOWN)
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(col(AgencyCheck.agency) == agency, status)
    )


def _asked(check: AgencyCheck, referral: Referral) -> str | None:
    """What a secondary agency is asked may be a question of its own (R20)."""
    return check.question or referral.clarification_question


def _questions(session: Session, check: AgencyCheck) -> list[Question]:
    return [Question.of(each) for each in clarifications(session, check)]


def _basis_shown(check: AgencyCheck, people: Iterable[SubjectToSearch]) -> dict[str, dict[str, str | None]]:
    """On what an agency is asked about whom it is to search for; why somebody was not asked would tell the concern."""
    kept = {person.subject: check.basis.get(person.subject, {}) for person in people}
    return {
        subject: {name: code for name, code in codes.items() if name != "consent_reason_code"}
        for subject, codes in kept.items()
    }


def _subjects_to_search(session: Session, check: AgencyCheck, keys: Collection[SearchKey]) -> list[SubjectToSearch]:
    """The subjects still here whose side the agency was asked about; who left need not be searched for."""
    sides = set(check.sides.split(","))
    everybody = referrals.subjects(session, check.reference)
    protected = referrals.protected_households(everybody)
    return [
        _to_search(subject, keys, check.requested_at, address_is_protected=subject.household in protected)
        for subject in referrals.remaining(session, check.reference)
        if subject.side in sides
    ]


def _to_search(
    subject: Subject, keys: Collection[SearchKey], asked_at: datetime, *, address_is_protected: bool
) -> SubjectToSearch:
    shown = SubjectToSearch.of(
        subject, subject=subject.code, date_of_birth=subject.born_on, address_is_protected=address_is_protected,
        corrected_at=subject.corrected_at if subject.corrected_at and subject.corrected_at > asked_at else None,
    )  # fmt: skip
    hidden = set(SearchKey) - set(keys)
    if address_is_protected:
        hidden.add(SearchKey.ADDRESS)
    return shown.model_copy(update=dict.fromkeys(hidden))
