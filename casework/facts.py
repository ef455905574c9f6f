"""What a run waits for. Each fact gives None when it is so, and otherwise the reason for waiting, in codes alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from casework import legal_gate, referrals
from casework.register import local_words, profile_of
from rules.stages import Stage


@dataclass(frozen=True)
class Waiting:
    """Why a referral does not move: a short name for the state, and one sentence for operators."""

    state: str
    why: str
    #: How far it has come, for those who may know.
    progress: str = ""

    @property
    def name(self) -> str:
        """The state's name on the engine's screen."""
        return f"{self.state} ({self.progress})" if self.progress else self.state


Fact = Callable[[Session, str, datetime], Waiting | None]


def hub_open(session: Session, reference: str, at: datetime) -> Waiting | None:
    """The hub is open, or this referral need not wait for that (R26)."""
    referral = referrals.find(session, reference)
    profile = profile_of(session, referral)
    calendar = profile.calendar()
    if referral.stage is not Stage.QUEUED_OUT_OF_HOURS or calendar.is_open(at):
        return None
    return Waiting("Out of hours", f"The hub is closed until {local_words(calendar.opens_after(at), profile)}")


def gate_passed(session: Session, reference: str, at: datetime) -> Waiting | None:
    """What the law wants before anybody is asked is on record for every person (R54, R56)."""
    if referrals.find(session, reference).stage is not Stage.AWAITING_BASIS:
        return None
    lacking = legal_gate.missing_fields(session, reference) or legal_gate.NO_AGREEMENT
    words = "; ".join(f"{subject}: {', '.join(fields)}" for subject, fields in lacking.items())
    return Waiting("Waiting for the lawful basis", f"The duty team, or the MASH team, is to complete {words}")


def checks_settled(session: Session, reference: str, at: datetime) -> Waiting | None:
    """Every agency has answered, or its time is up: one that is silent holds up nobody (R22)."""
    referral = referrals.find(session, reference)
    if referral.stage is not Stage.CHECKING:
        return None
    checks = referrals.checks(session, reference)
    awaited = [check for check in checks if check.is_awaited(at)]
    if not awaited:
        return None
    profile = profile_of(session, referral)
    running = [check.due_at for check in awaited if check.paused_at is None]
    names = ", ".join(check.agency + (" (clock paused)" if check.paused_at else "") for check in awaited)
    until = f"joined without them after {local_words(max(running), profile)}" if running else "no clock is going"
    blocking = sum(check.blocking for check in checks)
    return Waiting(
        "Waiting for returns",
        f"{blocking - len(awaited)} of {blocking} agencies settled; awaiting {names}; {until}",
        progress=f"{blocking - len(awaited)} of {blocking}",
    )


def threshold_decided(session: Session, reference: str, at: datetime) -> Waiting | None:
    """A decision maker has decided for every subject. Time never makes this true (R36)."""
    referral = referrals.find(session, reference)
    if referral.stage not in (Stage.CHECKING, Stage.AWAITING_DECISION):
        return None
    who = "A manager" if referrals.manager_request(session, reference) else "A decision maker"
    return Waiting("Waiting for decision", f"{who} is to decide on the threshold")


def outcome_acknowledged(session: Session, reference: str, at: datetime) -> Waiting | None:
    """Every duty team that was told has said that it knows (R43)."""
    referral = referrals.find(session, reference)
    if referral.stage is not Stage.AWAITING_ACK:
        return None
    silent = [code for code, told in referrals.hand_backs(session, reference).items() if told.acknowledged_at is None]
    if not silent:
        return None
    return Waiting("Waiting for acknowledgement", f"{', '.join(sorted(silent))} to acknowledge the outcome")
