"""The outcome goes back to the duty team of each subject's side, and the referral ends when they say they know."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from casework import afterwards, ledger, referrals, releases
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_duty_team
from casework.outgoing import Alarm
from casework.register import local_words, profile_of
from casework.wakes import forget, wake
from models.decision import HandBack, ThresholdDecision
from models.profile import DutyTeam, Profile
from models.referral import Referral, Subject
from models.wake import WakeKind
from notifications.messages import MessageName
from rules import referrer_words, threshold
from rules.eligibility import WITHDRAWN
from rules.errors import Conflict, NotFound, WrongStage
from rules.permissions import HUB, Actor, Role, check_may_read_assessment
from rules.stages import Stage

#: Where in a decision something stands, for whoever signed it.
_PLACES = {"words_for_duty_team": "the words for the duty team", "actions": "an action", "items": "a released item"}


def hand_back(session: Session, reference: str, *, at: datetime) -> None:
    """Tell each duty team the outcome for its own subjects, and nothing of the others' (R08, R42). Done: nothing.

    What was signed is searched once more: as the record stands by now it may hold what must not leave. Then nobody is
    told anything, and the referral goes back to a decision maker (R29).
    """
    referral = referrals.lock(session, reference)
    if referral.stage is not Stage.HANDING_BACK:
        return
    if found := releases.stopped_since(session, referral):
        _stop(session, referral, found, at)
        return
    profile = profile_of(session, referral)
    subjects = referrals.subjects(session, reference)
    for team in profile.duty_teams:
        if own := [subject for subject in subjects if subject.side == team.side]:
            _issue(session, referral, team, own, at)
    session.flush()
    afterwards.tell_agencies(session, reference, at=at)
    referral.handed_back_at = at
    referral.move_to(Stage.AWAITING_ACK, at)


def acknowledge(session: Session, reference: str, version: int | None = None, *, by: Actor, at: datetime) -> None:
    """The duty team knows this version of the outcome (R43). Acknowledged before: nothing to do.

    `version` is the one it read; None for the newest, whichever that is. Raises NotFound, WrongStage, or Conflict when
    a newer version has come that the team has not read.
    """
    referral = referrals.lock(session, reference)
    told = _own_hand_back(session, reference, by)
    if version is not None and told.version != version:
        raise Conflict(f"the outcome of referral {reference} is at version {told.version}: read that one first")
    if told.acknowledged_at is not None:
        return
    if referral.stage is not Stage.AWAITING_ACK:
        raise WrongStage(f"referral {reference} is {referral.stage}: its outcome is about to change")
    _acknowledge(session, referral, told, by=by, at=at)
    session.flush()
    if all(other.acknowledged_at for other in referrals.hand_backs(session, reference).values()):
        wake(session, reference, at)


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> dict[str, Any]:
    """What this duty team was told, for its own eyes; the reading is in the ledger. Raises NotFound."""
    referral = referrals.lock(session, reference)
    told = _own_hand_back(session, reference, by)
    profile = profile_of(session, referral)
    ledger.write(session, reference, Act.OUTCOME_READ, by=by, at=at, duty_team=told.duty_team, version=told.version)
    passed_on, left_out = releases.passed_on(session, referral, _released(told))
    return {
        "reference": reference,
        "upstream_reference": referral.upstream_reference,
        "duty_team": told.duty_team,
        "version": told.version,
        "issued": local_words(told.issued_at, profile),
        "acknowledged": local_words(told.acknowledged_at, profile) if told.acknowledged_at else None,
        "outcomes": told.outcomes,
        "words_for_referrer": referrer_words.words_for_referrer(told.outcomes, passed_on, source=referral.source),
        "left_out_for_referrer": left_out,
    }


def chase(session: Session, reference: str, duty_team: str, *, at: datetime) -> None:
    """An outcome that nobody acknowledged is chased, again and again (R43)."""
    referral = referrals.lock(session, reference)
    told = referrals.hand_backs(session, reference).get(duty_team)
    if told is None or told.acknowledged_at is not None or referral.stage is not Stage.AWAITING_ACK:
        return
    ledger.write(session, reference, Act.ACK_CHASED, by=HUB, at=at, duty_team=duty_team, version=told.version)
    say(
        session, MessageName.OUTCOME_NOT_ACKNOWLEDGED, to_duty_team(duty_team),
        at=at, reference=reference, occasion=at.isoformat(),
    )  # fmt: skip
    _chase_later(session, referral, duty_team, at)


def close(session: Session, reference: str, *, at: datetime) -> None:
    """Every duty team knows: the referral is over. Not yet, or closed already: nothing to do."""
    referral = referrals.lock(session, reference)
    told = referrals.hand_backs(session, reference).values()
    if referral.stage is not Stage.AWAITING_ACK or not all(each.acknowledged_at for each in told):
        return
    referral.move_to(Stage.CLOSED, at)
    ledger.write(session, reference, Act.CLOSED, by=HUB, at=at)


def why_stopped(session: Session, reference: str, *, by: Actor, at: datetime) -> list[str]:
    """Where an outcome that was signed holds what must not leave, for whoever is to decide anew; it is never repeated.

    Raises NotPermitted, NotFound.
    """
    check_may_read_assessment(by)
    referral = referrals.find(session, reference)
    if referral.stage is not Stage.AWAITING_DECISION:
        return []
    return [
        f"{subject}, {_PLACES[alarm.pointer.split('/')[1]]}: {alarm.as_error().detail}"
        for subject, alarms in releases.stopped_since(session, referral).items()
        for alarm in alarms
    ]


def _stop(session: Session, referral: Referral, found: dict[str, list[Alarm]], at: datetime) -> None:
    stopped = [releases.in_codes(alarm) | {"subject": subject} for subject, alarms in found.items() for alarm in alarms]
    ledger.write(session, referral.reference, Act.HAND_BACK_STOPPED, by=HUB, at=at, found=stopped)
    say(
        session, MessageName.OUTCOME_STOPPED, MASH_TEAM,
        at=at, reference=referral.reference, occasion=str(referral.version),
    )  # fmt: skip
    referral.decided_at = None
    referral.move_to(Stage.AWAITING_DECISION, at)


def _issue(session: Session, referral: Referral, team: DutyTeam, own: list[Subject], at: datetime) -> None:
    earlier = referrals.hand_backs(session, referral.reference).get(team.code)
    profile, decisions = profile_of(session, referral), referrals.decisions(session, referral.reference)
    outcomes = [
        _outcome(subject, decision := decisions.get(subject.id), profile)
        | ({"released": releases.released(session, decision, profile, referral.received_at)} if decision else {})
        for subject in own
    ]
    told = HandBack(
        reference=referral.reference,
        duty_team=team.code,
        version=earlier.version + 1 if earlier else 1,
        issued_at=at,
        outcomes=outcomes,
    )
    if earlier and earlier.outcomes == outcomes:
        # A reconsidered decision that changes nothing for this team is no news to it; the chase it is owed goes on.
        if earlier.acknowledged_at is None:
            _chase_from_now(session, referral, team.code, at)
        return
    session.add(told)
    ledger.write(
        session, referral.reference, Act.HANDED_BACK, by=HUB, at=at, content={"outcomes": outcomes},
        duty_team=team.code, version=told.version,
        outcomes={outcome["subject"]: outcome["outcome"] for outcome in outcomes},
    )  # fmt: skip
    if team.code == referral.duty_team and all(subject.exit_code == WITHDRAWN for subject in own):
        # It withdrew its own referral: it need not be told so, nor say that it knows.
        _acknowledge(session, referral, told, by=HUB, at=at)
        return
    say(
        session, MessageName.OUTCOME_READY, to_duty_team(team.code),
        at=at, reference=referral.reference, occasion=str(told.version),
    )  # fmt: skip
    _chase_from_now(session, referral, team.code, at)


def _outcome(subject: Subject, decision: ThresholdDecision | None, profile: Profile) -> dict[str, Any]:
    about = {"subject": subject.code, "name": f"{subject.given_name} {subject.family_name}", "side": subject.side}
    if subject.exit_code or decision is None:
        code = subject.exit_code or ""
        reason = profile.label("withdrawal_reason", subject.exit_reason) if subject.exit_reason else None
        return about | {"outcome": code, "label": profile.outcome_label(code), "reason": reason, "decided": False}
    rule = profile.outcome_rules()[decision.outcome]
    return about | {
        "outcome": decision.outcome,
        "label": profile.outcome_label(decision.outcome),
        "decided": True,
        "threshold_met": decision.threshold_met,
        "level_of_need": decision.level_of_need,
        "words": decision.words_for_duty_team,
        "actions": decision.actions,
        "may_be_shared_onward": threshold.may_be_shared_onward(rule, decision.consent),
    }


def _own_hand_back(session: Session, reference: str, by: Actor) -> HandBack:
    told = referrals.hand_backs(session, reference) if by.role is Role.DUTY_TEAM else {}
    if by.duty_team and by.duty_team in told:
        return told[by.duty_team]
    raise NotFound("there is no outcome here for you")


def _released(told: HandBack) -> list[dict[str, Any]]:
    """The items of returns that this team may read, where any were released to it."""
    return [item for outcome in told.outcomes for item in outcome.get("released", [])]


def _acknowledge(session: Session, referral: Referral, told: HandBack, *, by: Actor, at: datetime) -> None:
    told.acknowledged_at = at
    told.acknowledged_by = by.id if by is not HUB else None
    forget(session, referral.reference, WakeKind.CHASE_ACK, told.duty_team)
    ledger.write(
        session, referral.reference, Act.ACKNOWLEDGED, by=by, at=at, duty_team=told.duty_team, version=told.version
    )


def _chase_from_now(session: Session, referral: Referral, duty_team: str, at: datetime) -> None:
    """One chase at a time: that of an earlier outcome is taken back."""
    forget(session, referral.reference, WakeKind.CHASE_ACK, duty_team)
    _chase_later(session, referral, duty_team, at)


def _chase_later(session: Session, referral: Referral, duty_team: str, at: datetime) -> None:
    profile = profile_of(session, referral)
    later = at + timedelta(hours=profile.clocks.chase_acknowledgement_after_hours)
    # In office hours, when somebody may read it.
    wake(session, referral.reference, profile.calendar().opens_after(later), WakeKind.CHASE_ACK, duty_team)
