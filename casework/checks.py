"""Each agency is asked, on a clock of its own, and answers: known or not, late or not, or not at all (R15-R24)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import asking, due_times, items, ledger, legal_gate, outgoing, reconsider, referrals
from casework.documents import AcknowledgeDocument, DeclineDocument, ReturnDocument
from casework.due_times import JUST_AFTER
from casework.ledger import Act
from casework.notices import INFORMATION_GOVERNANCE, MASH_TEAM, say, to_agency
from casework.once import reading
from casework.register import profile_of
from casework.wakes import forget_deadline, wake, wake_at_deadline
from models.base import new_id
from models.check import AgencyCheck, Clarification, FollowUp, Return
from models.referral import Referral
from notifications.messages import MessageName
from rules import clock
from rules.asking import WhyAsked
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.permissions import HUB, Actor, check_may_answer_for, check_may_run_process
from rules.stages import OPEN_CHECKS, CheckStatus, Stage
from rules.urgency import place

NOT_SEARCHED = "NOT_SEARCHED"


def agencies_to_ask(session: Session, reference: str) -> list[str]:
    """Whom the referral's run is to ask: the agencies whose scope fits the subjects, once each (R15).

    And those that a person asked meanwhile, so that the run takes note of them (R20). Once consent is withdrawn,
    nobody else (R56).
    """
    referral, asked = referrals.find(session, reference), referrals.checks(session, reference)
    by_hand = [check.agency for check in asked if not check.noted_by_run]
    if referral.stage is not Stage.CHECKING:
        return by_hand if referral.stage is Stage.AWAITING_DECISION else []
    if legal_gate.missing(session, reference):
        return by_hand
    sides = {subject.side for subject in referrals.remaining(session, reference)}
    known = {check.agency for check in asked}
    rows = asking.not_asked(session, reference)
    known |= {row.agency for row in rows if not row.overridden_at}
    profile, overridden = profile_of(session, referral), {row.agency for row in rows if row.overridden_at}
    due = profile.agencies_to_ask(sides, overridden)
    return [agency.code for agency in due if agency.code not in known] + by_hand


def request_check(session: Session, reference: str, agency: str, *, at: datetime) -> None:
    """Ask one agency, and start its own clock (R21, R22). Already asked: nothing to do but to take note of it."""
    referral = referrals.lock(session, reference)
    with reading(session):
        if agency not in agencies_to_ask(session, reference):
            return
        asked = {check.agency: check for check in referrals.checks(session, reference)}
        if agency in asked:
            asked[agency].noted_by_run = True
            return
        because = asking.because(session, referral, agency)
        check = new_check(session, referral, agency, at=at, because=because)
    open_check(session, referral, check, by=HUB, at=at)


def new_check(session: Session, referral: Referral, agency: str, *, at: datetime, because: WhyAsked) -> AgencyCheck:
    """A check of an agency's that is asked at `at`, on the clock of the referral's urgency; not in the record yet.

    It holds the basis of the people in the agency's scope as it stands now (R54).
    """
    profile = profile_of(session, referral)
    policy, calendar = profile.check_clock(referral.urgency), profile.calendar()
    scope = profile.agency(agency).scope
    people = [each for each in referrals.remaining(session, referral.reference) if each.side in scope]
    return AgencyCheck(
        reference=referral.reference,
        agency=agency,
        sides=",".join(sorted({each.side for each in people})),
        place=place(referral.urgency_rating, referral.urgency, profile.bands),
        asked_because=because,
        basis={each.code: legal_gate.on_record(each) for each in people},
        requested_at=at,
        due_at=clock.due_at(at, policy, calendar),
        clock_policy=policy.policy,
        calendar_version=calendar.version,
        due_in_words=" ".join(clock.explain(at, policy, calendar)),
    )


def open_check(session: Session, referral: Referral, check: AgencyCheck, *, by: Actor, at: datetime) -> None:
    """The agency is asked, and its clock goes. The caller holds the referral's row."""
    session.add(check)
    reference = referral.reference
    ledger.write(
        session, reference, Act.CHECK_REQUESTED, by=by, at=at, content=_asked(referral, check), agency=check.agency,
        due_at=check.due_at.isoformat(), band=referral.urgency, policy=check.clock_policy,
        calendar=check.calendar_version, blocking=check.blocking, because=check.asked_because, basis=check.basis,
    )  # fmt: skip
    say(session, MessageName.CHECK_REQUESTED, to_agency(check.agency), at=at, reference=reference)
    due_times.start(session, check, profile_of(session, referral), at=at)
    if check.blocking:
        wake_at_deadline(session, reference, check.due_at + JUST_AFTER)


def acknowledge(
    session: Session, reference: str, agency: str, document: AcknowledgeDocument, *, by: Actor, at: datetime
) -> None:
    """The representative has seen the check; perhaps with the quick answer, known or not."""
    referral, check = _answering(session, reference, agency, by)
    _check_code(session, referral, "return_result", document.known, "/known")
    check.move_to(CheckStatus.ACKNOWLEDGED, at)
    check.acknowledged_at, check.known = at, document.known
    ledger.write(session, reference, Act.CHECK_ACKNOWLEDGED, by=by, at=at, agency=agency, known=document.known)


def ask_clarification(session: Session, reference: str, agency: str, text: str, *, by: Actor, at: datetime) -> None:
    """The agency asks what is meant; its clock goes on (R33)."""
    _, check = _answering(session, reference, agency, by)
    if check.status is not CheckStatus.CLARIFY:
        check.move_to(CheckStatus.CLARIFY, at)
    question = Clarification(id=new_id(), check_id=check.id, question=text, asked_at=at, asked_by=by.id)
    session.add(question)
    ledger.write(session, reference, Act.CLARIFICATION_ASKED, by=by, at=at, content={"question": text}, agency=agency)
    say(session, MessageName.CLARIFICATION_ASKED, MASH_TEAM, at=at, reference=reference, occasion=str(question.id))


def answer_clarification(session: Session, reference: str, agency: str, text: str, *, by: Actor, at: datetime) -> None:
    """The MASH answers the agency's open questions (R33).

    Raises WrongStage when there is none, and NotAcceptable for an answer that holds what must not leave (R29).
    """
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    if check.status is not CheckStatus.CLARIFY:
        raise WrongStage(f"check {reference}/{agency} has no open question")
    if found := outgoing.in_a_question(text, outgoing.for_agency(session, referral, agency), "/text"):
        raise NotAcceptable(*found)
    check.move_to(CheckStatus.ACKNOWLEDGED, at)
    check.acknowledged_at = check.acknowledged_at or at
    for question in clarifications(session, check):
        if question.answer is None:
            question.answer, question.answered_at, question.answered_by = text, at, by.id
            say(
                session, MessageName.CLARIFICATION_ANSWERED, to_agency(agency),
                at=at, reference=reference, occasion=str(question.id),
            )  # fmt: skip
    ledger.write(session, reference, Act.CLARIFICATION_ANSWERED, by=by, at=at, content={"answer": text}, agency=agency)
    # Whatever it was paused for: with the answer in hand the agency can go on (R33).
    due_times.go_on(session, check, by=by, at=at)


def record_return(
    session: Session, reference: str, agency: str, document: ReturnDocument, *, by: Actor, at: datetime
) -> None:
    """Take an agency's answer, write it to the ledger, and wake the referral if that was the last one (R13, R24).

    A second return is a new version of the first; one that comes after the join is kept as an addendum; one after
    the decision opens a reconsideration. Raises NotAcceptable, NotFound or WrongStage.
    """
    referral, check = _answering(session, reference, agency, by)
    _check_return(session, referral, document)
    # A breach that was written down while this return waited for its turn stands: there is one truth (F20).
    at = max(at, check.breach_noticed_at or at)
    version = len(returns(session, check)) + 1
    if version == 1:
        due_times.end_pause(session, check, by=by, at=at)
        record_breach(session, check, at=at)
        check.record_return(at)
        due_times.stop(session, check)
    addendum = referral.stage is not Stage.CHECKING
    # Whoever is deciding has not seen this return: their decision must meet a conflict (F18).
    referral.version += 1
    session.add(
        Return(
            check_id=check.id, version=version, recorded_at=at, recorded_by=by.id, addendum=addendum,
            **document.model_dump(mode="json"),
        )
    )  # fmt: skip
    late = check.late_by
    ledger.write(
        session, reference, Act.CHECK_RETURNED, by=by, at=at, content=document.model_dump(mode="json"), agency=agency,
        version=version, result=document.result, status=check.status,
        late_ms=round(late.total_seconds() * 1000) if late else 0, addendum=addendum,
        items=len(document.items), withheld=len(document.items) - len(items.given(document.items)),
        basis=check.basis,
    )  # fmt: skip
    if referral.decided_at is not None:
        reconsider.open_reconsideration(session, referral, check, at=at)
    _wake_when_all_settled(session, referral, at)


def decline(
    session: Session, reference: str, agency: str, document: DeclineDocument, *, by: Actor, at: datetime
) -> None:
    """The agency will not share, with a coded reason. Neither a return nor a breach; information governance is told."""
    referral, check = _answering(session, reference, agency, by)
    _check_code(session, referral, "decline_reason", document.reason, "/reason")
    due_times.end_pause(session, check, by=by, at=at)
    record_breach(session, check, at=at)
    check.move_to(CheckStatus.DECLINED, at)
    check.decline_reason, check.decline_note = document.reason, document.note
    referral.version += 1
    due_times.stop(session, check)
    ledger.write(
        session, reference, Act.CHECK_DECLINED, by=by, at=at, content={"note": document.note}, agency=agency,
        reason=document.reason,
    )  # fmt: skip
    say(session, MessageName.CHECK_DECLINED, INFORMATION_GOVERNANCE, at=at, reference=reference, occasion=agency)
    _wake_when_all_settled(session, referral, at)


def stop_awaiting(session: Session, referral: Referral, status: CheckStatus, *, by: Actor, at: datetime) -> None:
    """Open checks are cancelled, or no longer awaited; their agencies are told, and none is a breach (R06, R13)."""
    forget_deadline(session, referral.reference)
    for check in referrals.checks(session, referral.reference):
        if check.status in OPEN_CHECKS:
            _stop(session, check, status, by=by, at=at)


def stop_asking_about(session: Session, referral: Referral, gone: Collection[str], *, by: Actor, at: datetime) -> None:
    """Open checks about nobody but these subjects, who left, are cancelled; their agencies are told (R06, R29)."""
    for check in referrals.checks(session, referral.reference):
        if check.status in OPEN_CHECKS and check.basis and not check.basis.keys() - set(gone):
            _stop(session, check, CheckStatus.CANCELLED, by=by, at=at)
    _wake_when_all_settled(session, referral, at)


def _stop(session: Session, check: AgencyCheck, status: CheckStatus, *, by: Actor, at: datetime) -> None:
    due_times.end_pause(session, check, by=by, at=at)
    record_breach(session, check, at=at)
    check.move_to(status, at)
    due_times.stop(session, check)
    act = Act.CHECK_CANCELLED if status is CheckStatus.CANCELLED else Act.CHECK_NOT_AWAITED
    ledger.write(session, check.reference, act, by=by, at=at, agency=check.agency)
    say(session, MessageName.CHECK_STOPPED, to_agency(check.agency), at=at, reference=check.reference)


def record_breach(session: Session, check: AgencyCheck, *, at: datetime) -> None:
    """Write down that a check went unanswered past its due time, once, by whoever notices first (INV5, F20).

    Nothing happens when it is settled, paused, not overdue at `at`, or already written down.
    """
    if check.breached_at is not None or not check.is_overdue(at):
        return
    check.record_breach(at)
    ledger.write(
        session, check.reference, Act.CHECK_BREACHED, by=HUB, at=at,
        agency=check.agency, breached_at=check.due_at.isoformat(),
    )  # fmt: skip
    say(session, MessageName.CHECK_OVERDUE, to_agency(check.agency), at=at, reference=check.reference)


def returns(session: Session, check: AgencyCheck) -> list[Return]:
    """The versions of an agency's return, oldest first."""
    query = select(Return).where(Return.check_id == check.id).order_by(col(Return.version))
    return list(session.exec(query))


class Said(NamedTuple):
    """What an agency has returned, and what it was asked about that; each oldest first."""

    versions: list[Return]
    asked: list[FollowUp]


def said_on_each(session: Session, checks: Collection[AgencyCheck]) -> dict[UUID, Said]:
    """What was said on each of these checks, by the check's id."""
    said = {check.id: Said([], []) for check in checks}
    for version in session.exec(select(Return).where(col(Return.check_id).in_(said)).order_by(col(Return.version))):
        said[version.check_id].versions.append(version)
    asked = select(FollowUp).where(col(FollowUp.check_id).in_(said)).order_by(col(FollowUp.asked_at))
    for question in session.exec(asked):
        said[question.check_id].asked.append(question)
    return said


def counts_of_each(session: Session, checks: Collection[AgencyCheck]) -> dict[UUID, tuple[int, int]]:
    """By check: how many versions of its return there are, and how many of the agency's questions are open."""
    wanted = [check.id for check in checks]
    versions = sa.select(sa.func.count()).where(col(Return.check_id) == col(AgencyCheck.id)).scalar_subquery()
    questions = (
        sa.select(sa.func.count())
        .where(col(Clarification.check_id) == col(AgencyCheck.id), col(Clarification.answered_at).is_(None))
        .scalar_subquery()
    )
    query = sa.select(col(AgencyCheck.id), versions, questions).where(col(AgencyCheck.id).in_(wanted))
    return {check_id: (given, unanswered) for check_id, given, unanswered in session.execute(query)}


def clarifications(session: Session, check: AgencyCheck) -> list[Clarification]:
    """What the agency asked about its check, oldest first."""
    query = select(Clarification).where(Clarification.check_id == check.id).order_by(col(Clarification.asked_at))
    return list(session.exec(query))


def told(session: Session, referral: Referral, check: AgencyCheck) -> list[str]:
    """All that an agency was asked and answered in words, by the duty team or the MASH team."""
    return [
        check.question or referral.clarification_question or "",
        *(each.answer for each in clarifications(session, check) if each.answer),
        *(each.question for each in follow_ups(session, check)),
    ]


def follow_ups(session: Session, check: AgencyCheck) -> list[FollowUp]:
    """What the agency was asked about its return, oldest first."""
    query = select(FollowUp).where(FollowUp.check_id == check.id).order_by(col(FollowUp.asked_at))
    return list(session.exec(query))


def _asked(referral: Referral, check: AgencyCheck) -> dict[str, Any]:
    question = check.question or referral.clarification_question
    return {"question": question, "sides": check.sides.split(","), "due": check.due_in_words}


def _answering(session: Session, reference: str, agency: str, by: Actor) -> tuple[Referral, AgencyCheck]:
    check_may_answer_for(by, agency)
    return referrals.lock_with_check(session, reference, agency)


def _check_return(session: Session, referral: Referral, document: ReturnDocument) -> None:
    _check_code(session, referral, "return_result", document.result, "/result")
    searched = bool(document.systems_searched)
    if not searched and not document.not_searched_because:
        raise NotAcceptable(
            FieldError("/systems_searched", "name at least one system searched, or say why in not_searched_because")
        )
    if searched and document.result == NOT_SEARCHED:
        raise NotAcceptable(FieldError("/result", "NOT_SEARCHED does not go with systems searched"))
    items.check(session, referral, document.items)


def _check_code(session: Session, referral: Referral, code_set: str, value: str | None, pointer: str) -> None:
    codes = profile_of(session, referral).codes[code_set]
    if value is not None and value not in codes:
        raise NotAcceptable(
            FieldError(pointer, f"not a code of the set {code_set}: use one of {', '.join(sorted(codes))}")
        )


def _wake_when_all_settled(session: Session, referral: Referral, at: datetime) -> None:
    session.flush()
    if referral.stage is Stage.CHECKING and all(
        c.status.settled or not c.blocking for c in referrals.checks(session, referral.reference)
    ):
        wake(session, referral.reference, at)
