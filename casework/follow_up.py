"""The MASH team asks an agency about its return, and the agency answers (R33)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.accounts import name_of
from casework.checks import follow_ups, returns
from casework.documents import PauseDocument
from casework.due_times import check_reason
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_agency
from casework.register import label_of, local_words, profile_of
from models.base import new_id
from models.check import AgencyCheck, FollowUp
from models.referral import Referral
from notifications.messages import MessageName
from rules import clock
from rules.clock import ClockPolicy
from rules.clock_changes import due_after_pause
from rules.errors import NotFound, WrongStage
from rules.permissions import Actor, check_may_answer_for, check_may_run_process
from rules.stages import Stage

#: Until the decision there is somebody who would read the answer; afterwards a return is corrected (R24).
_ASKABLE = frozenset({Stage.CHECKING, Stage.AWAITING_DECISION})


class FollowUpTask(Seen):
    """A question about an agency's return that waits for its answer: codes and times alone."""

    reference: str
    asked_at: datetime
    due_at: datetime
    paused_at: datetime | None = Field(description="Since when its clock stands still; null while it goes")


class FollowUpSeen(Seen):
    """A question about an agency's return, and its answer."""

    question: str
    asked_at: datetime
    due_at: datetime
    due_in_words: str = Field(description="Why it is due then")
    paused_at: datetime | None = Field(description="Since when its clock stands still; null while it goes")
    pause_reason: str | None = Field(description="Code set clock_reason")
    paused_by: str | None = Field(description="Who stopped it; for the MASH team alone")
    answer: str | None
    answered_at: datetime | None
    waits: bool = Field(description="Whether it can still be answered: not answered, and not decided yet")


def ask(session: Session, reference: str, agency: str, text: str, *, by: Actor, at: datetime) -> None:
    """Ask an agency about its return, on a clock like its check's; nothing waits for the answer but its reader (R33).

    Raises WrongStage before there is a return, after the decision, or while an earlier question waits.
    """
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    if not can_be_asked(session, referral, check):
        raise WrongStage(f"check {reference}/{agency}: there is no return to ask about now, or a question waits")
    profile = profile_of(session, referral)
    policy, calendar = profile.check_clock(referral.urgency), profile.calendar()
    row = FollowUp(
        id=new_id(), check_id=check.id, question=text, asked_at=at, asked_by=by.id,
        due_at=clock.due_at(at, policy, calendar), clock_policy=policy.policy, calendar_version=calendar.version,
        due_in_words=" ".join(clock.explain(at, policy, calendar)),
    )  # fmt: skip
    session.add(row)
    ledger.write(
        session, reference, Act.FOLLOW_UP_ASKED, by=by, at=at, content={"question": text}, agency=agency,
        due_at=row.due_at.isoformat(), policy=row.clock_policy, calendar=row.calendar_version,
    )  # fmt: skip
    say(session, MessageName.FOLLOW_UP_ASKED, to_agency(agency), at=at, reference=reference, occasion=str(row.id))


def pause(session: Session, reference: str, agency: str, document: PauseDocument, *, by: Actor, at: datetime) -> None:
    """Let the clock of a question stand still, for a coded reason, until a person lets it go on (R33).

    Raises WrongStage when no question waits, its time is up, or its clock stands still already; and NotAcceptable.
    """
    check_may_run_process(by)
    referral, row = _waiting_one(session, reference, agency)
    if row.paused_at is not None or at > row.due_at:
        raise WrongStage(f"the question to {agency} about {reference} is paused already, or its time is up")
    check_reason(session, referral, document.reason)
    row.paused_at, row.pause_reason, row.paused_by = at, document.reason, by.id
    why = label_of(session, referral, "clock_reason", document.reason)
    row.due_in_words += f" Paused {local_words(at, profile_of(session, referral))}: {why}."
    ledger.write(session, reference, Act.FOLLOW_UP_PAUSED, by=by, at=at, agency=agency, reason=document.reason)
    _tell_of_time(session, reference, agency, at)


def resume(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> None:
    """A person lets the clock of a question go on, with as much time left as there was. Raises WrongStage."""
    check_may_run_process(by)
    referral, row = _waiting_one(session, reference, agency)
    if row.paused_at is None:
        raise WrongStage(f"the clock of the question to {agency} about {reference} is going")
    _go_on(session, referral, row, agency, by=by, at=at)
    _tell_of_time(session, reference, agency, at)


def answer(session: Session, reference: str, agency: str, text: str, *, by: Actor, at: datetime) -> None:
    """The agency answers what it was asked about its return; the team is told (R33).

    Raises NotFound for anybody else's check, and WrongStage when nothing waits for an answer.
    """
    check_may_answer_for(by, agency)
    try:
        referral, row = _waiting_one(session, reference, agency)
    except NotFound:
        # Whether there is such a referral, or this agency was not asked, looks the same from outside.
        raise NotFound("there is no such check") from None
    _go_on(session, referral, row, agency, by=by, at=at)
    row.answer, row.answered_at, row.answered_by = text, at, by.id
    # Whoever is deciding has not seen this answer: their decision must meet a conflict (F18).
    referral.version += 1
    late = max(at - row.due_at, timedelta())
    ledger.write(
        session, reference, Act.FOLLOW_UP_ANSWERED, by=by, at=at, content={"answer": text}, agency=agency,
        late_ms=round(late.total_seconds() * 1000),
    )  # fmt: skip
    say(session, MessageName.FOLLOW_UP_ANSWERED, MASH_TEAM, at=at, reference=reference, occasion=str(row.id))


def can_be_asked(session: Session, referral: Referral, check: AgencyCheck) -> bool:
    """Whether there is a return to ask about, somebody to read the answer, and no earlier question that waits."""
    asked = follow_ups(session, check)
    waits = any(each.answer is None for each in asked)
    return referral.stage in _ASKABLE and not waits and bool(returns(session, check))


def seen(session: Session, referral: Referral, check: AgencyCheck, *, for_team: bool) -> list[FollowUpSeen]:
    """What an agency was asked about its return, oldest first; the caller has checked who reads."""
    return [
        FollowUpSeen.of(
            row,
            paused_by=name_of(session, row.paused_by) if for_team and row.paused_by else None,
            waits=row.answer is None and referral.stage in _ASKABLE,
        )
        for row in follow_ups(session, check)
    ]


def waiting(session: Session, *, by: Actor) -> list[FollowUpTask]:
    """The questions that wait for an agency's answer, by due time. Raises NotFound for anybody but an agency."""
    check_may_answer_for(by, by.agency or "")
    query = (
        sa.select(col(AgencyCheck.reference), col(FollowUp.asked_at), col(FollowUp.due_at), col(FollowUp.paused_at))
        .join(FollowUp, col(FollowUp.check_id) == col(AgencyCheck.id))
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(
            col(AgencyCheck.agency) == by.agency, col(FollowUp.answered_at).is_(None), col(Referral.stage).in_(_ASKABLE)
        )
        .order_by(col(FollowUp.due_at), col(AgencyCheck.reference))
    )
    return [FollowUpTask(**row._mapping) for row in session.execute(query)]


def _waiting_one(session: Session, reference: str, agency: str) -> tuple[Referral, FollowUp]:
    referral = referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    query = select(FollowUp).where(FollowUp.check_id == check.id, col(FollowUp.answered_at).is_(None))
    row = session.exec(query.execution_options(populate_existing=True)).first()
    if row is None or referral.stage not in _ASKABLE:
        raise WrongStage(f"check {reference}/{agency} has no question that waits: correct the return instead")
    return referral, row


def _go_on(session: Session, referral: Referral, row: FollowUp, agency: str, *, by: Actor, at: datetime) -> None:
    """Its due time after a pause; not paused: nothing."""
    if row.paused_at is None:
        return
    profile = profile_of(session, referral)
    row.due_at = due_after_pause(row.due_at, row.paused_at, at, ClockPolicy(row.clock_policy), profile.calendar())
    row.paused_at, row.pause_reason, row.paused_by = None, None, None
    row.due_in_words += f" Went on {local_words(at, profile)}. Due {local_words(row.due_at, profile)}."
    ledger.write(
        session, referral.reference, Act.FOLLOW_UP_RESUMED, by=by, at=at, agency=agency, due_at=row.due_at.isoformat()
    )


def _tell_of_time(session: Session, reference: str, agency: str, at: datetime) -> None:
    say(
        session, MessageName.CHECK_TIME_CHANGED, to_agency(agency),
        at=at, reference=reference, occasion=at.isoformat(),
    )  # fmt: skip
