"""The team talks, each agency says what it thinks, and nobody's disagreement is hidden (R34, R37)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.checks import stop_awaiting
from casework.documents import DiscussionDocument, ResolutionDocument, ViewDocument
from casework.ledger import Act
from casework.notices import say
from casework.register import profile_of
from casework.wakes import forget, wake
from models.agency import Agency
from models.decision import Discussion, Dissent, View
from models.profile import Profile
from models.profile_parts import DissentStage
from models.referral import Referral
from models.wake import WakeKind
from notifications.messages import MessageName
from rules.errors import Conflict, FieldError, NotAcceptable, WrongStage
from rules.permissions import HUB, Actor, Role, check_may_answer_for, check_may_decide, check_may_run_process
from rules.stages import CheckStatus, Stage

DISAGREE = "DISAGREE"


def discuss_now(session: Session, reference: str, *, by: Actor, at: datetime) -> None:
    """Call the discussion early: the wait ends, and who has not answered is no longer awaited (R13)."""
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    if referral.stage is not Stage.CHECKING:
        raise WrongStage(f"referral {reference} is {referral.stage}: there is no wait to end")
    referral.discuss_now_at = at
    ledger.write(session, reference, Act.DISCUSSED_NOW, by=by, at=at)
    stop_awaiting(session, referral, CheckStatus.NOT_AWAITED, by=by, at=at)
    wake(session, reference, at)


def record_discussion(
    session: Session, reference: str, document: DiscussionDocument, *, by: Actor, at: datetime
) -> None:
    """Write down the discussion: when, how, who was present for each agency, and each agency's view (R34, R37)."""
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    if referral.stage not in (Stage.CHECKING, Stage.AWAITING_DECISION, Stage.AWAITING_ACK, Stage.CLOSED):
        raise WrongStage(f"referral {reference} is {referral.stage}: it is not for discussion")
    _check_discussion(document, profile_of(session, referral), at)
    session.add(
        Discussion(
            reference=reference, held_at=document.held_at, mode=document.mode, note=document.note,
            present=[p.model_dump(mode="json") for p in document.present], recorded_at=at, recorded_by=by.id,
        )
    )  # fmt: skip
    agencies = sorted({present.agency for present in document.present})
    ledger.write(
        session, reference, Act.DISCUSSED, by=by, at=at, content=document.model_dump(mode="json", exclude={"views"}),
        mode=document.mode, agencies=agencies,
    )  # fmt: skip
    for number, view in enumerate(document.views):
        _record_view(session, referral, view, f"/views/{number}", by=by, at=at)


def record_view(session: Session, reference: str, view: ViewDocument, *, by: Actor, at: datetime) -> None:
    """An agency, or MASH staff for it, says whether it agrees (R37)."""
    if by.role is Role.AGENCY:
        check_may_answer_for(by, view.agency)
    else:
        check_may_run_process(by)
    referral = referrals.lock(session, reference)
    referrals.check_of(session, reference, view.agency)
    _record_view(session, referral, view, "", by=by, at=at)


def views_of(session: Session, reference: str, agency: str) -> list[View]:
    """What one agency has said about the threshold, oldest first."""
    query = select(View).where(View.reference == reference, View.agency == agency)
    return list(session.exec(query.order_by(col(View.recorded_at))))


def held(session: Session, reference: str) -> bool:
    """Whether the team has discussed this referral."""
    return session.exec(select(Discussion.id).where(Discussion.reference == reference).limit(1)).first() is not None


def escalate_dissent(session: Session, reference: str, *, at: datetime) -> None:
    """An unresolved disagreement goes one stage up, to people who can resolve it (requirements §4.9)."""
    referral = referrals.lock(session, reference)
    dissent = session.get(Dissent, reference)
    if dissent is None or dissent.resolved_at is not None or dissent.next_at is None or at < dissent.next_at:
        return
    stages = profile_of(session, referral).clocks.dissent_stages
    following = stages[[stage.code for stage in stages].index(dissent.stage) + 1]
    dissent.stage = following.code
    ledger.write(session, reference, Act.DISSENT_ESCALATED, by=HUB, at=at, stage=following.code)
    _tell_of_dissent(session, dissent, following, at)
    dissent.next_at = _next_stage(session, referral, following.escalate_after_hours, at)


def resolve_dissent(session: Session, reference: str, document: ResolutionDocument, *, by: Actor, at: datetime) -> None:
    """A decision maker says how the disagreement was resolved, and it is escalated no further (R37).

    Raises WrongStage when the agencies do not disagree, and Conflict when the referral changed since it was looked at:
    a new view may be what is disagreed about now.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    dissent = session.get(Dissent, reference)
    if dissent is None or dissent.resolved_at is not None:
        raise WrongStage(f"referral {reference} has no open disagreement")
    if referral.version != document.version_seen:
        raise Conflict(f"referral {reference} changed since you looked at it")
    dissent.resolved_at, dissent.resolved_by, dissent.resolution = at, by.id, document.resolution
    dissent.next_at = None
    forget(session, reference, WakeKind.ESCALATE_DISSENT)
    said = {"resolution": document.resolution}
    ledger.write(session, reference, Act.DISSENT_RESOLVED, by=by, at=at, content=said, stage=dissent.stage)


def _check_discussion(document: DiscussionDocument, profile: Profile, at: datetime) -> None:
    known = {agency.code for agency in profile.agencies}
    named = {
        "present": [present.agency for present in document.present],
        "views": [view.agency for view in document.views],
    }
    wrong = [
        FieldError(f"/{part}/{number}/agency", "not an agency of this area")
        for part, agencies in named.items()
        for number, agency in enumerate(agencies)
        if agency not in known
    ]
    if document.mode not in profile.codes["discussion_mode"]:
        wrong.append(FieldError("/mode", f"use one of {', '.join(profile.codes['discussion_mode'])}"))
    if document.held_at > at + timedelta(minutes=5):
        wrong.append(FieldError("/held_at", "is in the future"))
    if wrong:
        raise NotAcceptable(*wrong)


def _record_view(
    session: Session, referral: Referral, view: ViewDocument, pointer: str, *, by: Actor, at: datetime
) -> None:
    profile = profile_of(session, referral)
    if view.view not in profile.codes["view"]:
        raise NotAcceptable(FieldError(f"{pointer}/view", f"use one of {', '.join(profile.codes['view'])}"))
    levels = profile.codes["need_level"]
    if view.level_of_need is not None and view.level_of_need not in levels:
        raise NotAcceptable(FieldError(f"{pointer}/level_of_need", f"use one of {', '.join(levels)}"))
    if view.view == DISAGREE and not view.reason:
        raise NotAcceptable(FieldError(f"{pointer}/reason", "a disagreement needs its reason"))
    if session.get(Agency, view.agency) is None:
        raise NotAcceptable(FieldError(f"{pointer}/agency", "not an agency of this area"))
    session.add(
        View(
            reference=referral.reference, recorded_at=at, recorded_by=by.id, **view.model_dump(),
        )
    )  # fmt: skip
    # Whoever is deciding has not seen this view: their decision must meet a conflict (F18, R37).
    referral.version += 1
    ledger.write(
        session, referral.reference, Act.VIEW_RECORDED, by=by, at=at, content=view.model_dump(mode="json"),
        agency=view.agency, view=view.view,
    )  # fmt: skip
    if view.view == DISAGREE:
        _open_dissent(session, referral, profile, at)


def _open_dissent(session: Session, referral: Referral, profile: Profile, at: datetime) -> None:
    earlier = session.get(Dissent, referral.reference)
    if earlier is not None and earlier.resolved_at is None:
        return
    first = profile.clocks.dissent_stages[0]
    dissent = earlier or Dissent(reference=referral.reference, stage=first.code, since=at)
    # A disagreement that comes after one was resolved begins at the first stage; what was said before is in the ledger.
    dissent.stage, dissent.since = first.code, at
    dissent.resolved_at, dissent.resolved_by, dissent.resolution = None, None, None
    dissent.next_at = _next_stage(session, referral, first.escalate_after_hours, at)
    session.add(dissent)
    ledger.write(session, referral.reference, Act.DISSENT_RECORDED, by=HUB, at=at, stage=first.code)
    _tell_of_dissent(session, dissent, first, at)


def _tell_of_dissent(session: Session, dissent: Dissent, stage: DissentStage, at: datetime) -> None:
    """Once for each stage of each disagreement."""
    occasion = f"{stage.code}.{dissent.since.isoformat()}"
    say(session, MessageName.DISSENT, stage.tell, at=at, reference=dissent.reference, occasion=occasion)


def _next_stage(session: Session, referral: Referral, hours: float | None, at: datetime) -> datetime | None:
    if hours is None:
        return None
    next_at = profile_of(session, referral).calendar().opens_after(at + timedelta(hours=hours))
    wake(session, referral.reference, next_at, WakeKind.ESCALATE_DISSENT)
    return next_at
