"""A check's clock: its warning and its deadline, and the people who extend it, stop it or let it go on (R21, R33)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from casework import ledger, referrals
from casework.documents import ExtendDocument, PauseDocument
from casework.ledger import Act
from casework.notices import say, to_agency
from casework.register import codes_of, label_of, local_words, profile_of
from casework.wakes import forget, move_deadline, wake_for_each
from models.check import AgencyCheck
from models.profile import Profile
from models.referral import Referral
from models.wake import WakeKind
from notifications.messages import MessageName
from rules import clock
from rules.clock import ClockPolicy
from rules.clock_changes import due_after_pause
from rules.errors import Conflict, FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_run_process
from rules.stages import OPEN_CHECKS, Stage

#: A return at the very moment of the due time is on time, so lateness begins just after it (F19).
JUST_AFTER = timedelta(milliseconds=1)
#: How far ahead a due time may be put.
FARTHEST = timedelta(days=28)


def start(session: Session, check: AgencyCheck, profile: Profile, *, at: datetime) -> None:
    """Plan the warning and the breach of a check whose clock goes from now on (R23)."""
    warning = clock.office_hours_before(check.due_at, profile.clocks.warning_before_hours, profile.calendar())
    planned = {WakeKind.BREACH: check.due_at + JUST_AFTER}
    if warning > at:
        planned[WakeKind.WARN] = warning
    wake_for_each(session, check.reference, planned, about=check.agency)


def stop(session: Session, check: AgencyCheck) -> None:
    """Nothing is to be warned of, or breached, any more."""
    for kind in (WakeKind.WARN, WakeKind.BREACH):
        forget(session, check.reference, kind, check.agency)


def extend(session: Session, reference: str, agency: str, document: ExtendDocument, *, by: Actor, at: datetime) -> None:
    """Give an agency until a later time, for a coded reason (R21).

    Raises Conflict when the due time moved since it was looked at, WrongStage when the check is settled, paused or
    overdue (a breach is not undone), and NotAcceptable.
    """
    referral, check = _changing(session, reference, agency, by, at)
    if check.paused_at is not None:
        raise WrongStage(f"check {reference}/{agency} is paused: let its clock go on first")
    if check.due_at != document.due_seen:
        raise Conflict(f"the due time of check {reference}/{agency} has moved meanwhile")
    profile = profile_of(session, referral)
    _check_extension(session, referral, check, document, at)
    check.due_at, check.warned_at = document.until, None
    words = f"Extended {local_words(at, profile)}: {label_of(session, referral, 'clock_reason', document.reason)}."
    _add_words(check, words, f"Due {local_words(check.due_at, profile)}.")
    ledger.write(
        session, reference, Act.CLOCK_EXTENDED, by=by, at=at, agency=agency, reason=document.reason,
        due_at=check.due_at.isoformat(), role=by.role,
    )  # fmt: skip
    _start_anew(session, referral, check, at)


def pause(session: Session, reference: str, agency: str, document: PauseDocument, *, by: Actor, at: datetime) -> None:
    """Let an agency's clock stand still, for a coded reason, until a person lets it go on (R33).

    The returns are not joined meanwhile, unless somebody calls the discussion. Raises as `extend` does.
    """
    referral, check = _changing(session, reference, agency, by, at)
    if check.paused_at is not None:
        raise WrongStage(f"check {reference}/{agency} is paused already")
    check_reason(session, referral, document.reason)
    check.paused_at, check.pause_reason = at, document.reason
    profile = profile_of(session, referral)
    why = label_of(session, referral, "clock_reason", document.reason)
    _add_words(check, f"Paused {local_words(at, profile)}: {why}.")
    ledger.write(
        session, reference, Act.CLOCK_PAUSED, by=by, at=at, agency=agency, reason=document.reason, role=by.role
    )
    stop(session, check)
    _plan_join(session, referral)
    _tell(session, check, at)


def resume(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> None:
    """A person lets an agency's clock go on. Raises WrongStage when it is not paused."""
    _, check = _changing(session, reference, agency, by, at)
    if check.paused_at is None:
        raise WrongStage(f"the clock of check {reference}/{agency} is going")
    go_on(session, check, by=by, at=at)


def go_on(session: Session, check: AgencyCheck, *, by: Actor, at: datetime) -> None:
    """The clock goes on, and its agency is told. Not paused: nothing. The caller holds the referral's row."""
    if check.paused_at is not None:
        end_pause(session, check, by=by, at=at)
        _start_anew(session, referrals.find(session, check.reference), check, at)


def end_pause(session: Session, check: AgencyCheck, *, by: Actor, at: datetime) -> None:
    """Work out the due time after a pause: as much time is left as there was. Not paused: nothing.

    The caller holds the referral's row, and sees to it that the clock goes, or the check is settled.
    """
    if check.paused_at is None:
        return
    referral = referrals.find(session, check.reference)
    profile = profile_of(session, referral)
    policy = ClockPolicy(check.clock_policy)
    check.due_at = due_after_pause(check.due_at, check.paused_at, at, policy, profile.calendar())
    check.paused_at, check.pause_reason = None, None
    _add_words(check, f"Went on {local_words(at, profile)}.", f"Due {local_words(check.due_at, profile)}.")
    ledger.write(
        session, check.reference, Act.CLOCK_RESUMED, by=by, at=at, agency=check.agency,
        due_at=check.due_at.isoformat(), role=by.role,
    )  # fmt: skip


def chase(session: Session, reference: str, agency: str, *, by: Actor, at: datetime) -> None:
    """A person reminds an agency now, whatever its clock says (R23); once a minute at most. Raises WrongStage."""
    check_may_run_process(by)
    referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    if check.status not in OPEN_CHECKS:
        raise WrongStage(f"check {reference}/{agency} is {check.status}: there is nothing to chase")
    ledger.write(session, reference, Act.CHECK_CHASED, by=by, at=at, agency=agency)
    minute = at.replace(second=0, microsecond=0).isoformat()
    say(session, MessageName.CHECK_CHASED, to_agency(agency), at=at, reference=reference, occasion=minute)


def check_reason(session: Session, referral: Referral, reason: str) -> None:
    """Refuse a reason that no clock is moved for. Raises NotAcceptable."""
    reasons = codes_of(session, referral, "clock_reason")
    if reason not in reasons:
        raise NotAcceptable(FieldError("/reason", f"use one of {', '.join(reasons)}"))


def _changing(session: Session, reference: str, agency: str, by: Actor, at: datetime) -> tuple[Referral, AgencyCheck]:
    check_may_run_process(by)
    referral = referrals.lock(session, reference)
    check = referrals.check_of(session, reference, agency)
    if check.status not in OPEN_CHECKS:
        raise WrongStage(f"check {reference}/{agency} is {check.status}: its clock has stopped")
    if check.is_overdue(at):
        raise WrongStage(f"check {reference}/{agency} is overdue: its time cannot be moved any more")
    return referral, check


def _check_extension(
    session: Session, referral: Referral, check: AgencyCheck, document: ExtendDocument, at: datetime
) -> None:
    if document.until <= check.due_at:
        raise NotAcceptable(FieldError("/until", "must be later than the time that it is due now"))
    if document.until > at + FARTHEST:
        raise NotAcceptable(FieldError("/until", f"may be at most {FARTHEST.days} days from now"))
    if not profile_of(session, referral).calendar().is_open(document.until):
        raise NotAcceptable(FieldError("/until", "the office is closed then"))
    check_reason(session, referral, document.reason)


def _start_anew(session: Session, referral: Referral, check: AgencyCheck, at: datetime) -> None:
    check.warned_at = None
    stop(session, check)
    start(session, check, profile_of(session, referral), at=at)
    _plan_join(session, referral)
    _tell(session, check, at)


def _plan_join(session: Session, referral: Referral) -> None:
    """The one wake at the last deadline follows the clocks that are going."""
    if referral.stage is not Stage.CHECKING:
        return
    session.flush()
    going = [
        check.due_at + JUST_AFTER
        for check in referrals.checks(session, referral.reference)
        if check.blocking and check.status in OPEN_CHECKS and check.paused_at is None
    ]
    move_deadline(session, referral.reference, max(going, default=None))


def _tell(session: Session, check: AgencyCheck, at: datetime) -> None:
    say(
        session, MessageName.CHECK_TIME_CHANGED, to_agency(check.agency),
        at=at, reference=check.reference, occasion=at.isoformat(),
    )  # fmt: skip


def _add_words(check: AgencyCheck, *sentences: str) -> None:
    check.due_in_words = " ".join((check.due_in_words, *sentences))
