"""The steps of a referral's flow. Each asks casework to do one thing, and does nothing when it is done already."""

from __future__ import annotations

from sqlmodel import Session

from casework import checks, collation, intake, outcome, referrals
from casework.db import now
from casework.facts import Fact, Waiting
from casework.repairs import at_rest
from casework.wakes import release
from rules.stages import Stage
from tasks.step import acting, acting_now, step


@step("screen")
def screen(reference: str) -> None:
    """Is this one for the MASH? (R05, R06, R12)"""
    acting_now(intake.screen, reference)


@step("ask", run_name="ask {agency}")
def ask(reference: str, agency: str) -> None:
    """Ask one agency, and start its clock (R21, R22)."""
    acting_now(checks.request_check, reference, agency)


@step("collate")
def collate(reference: str) -> None:
    """Join the returns into the collated template (R27)."""
    acting_now(collation.collate, reference)


@step("request decision")
def request_decision(reference: str) -> None:
    """Ask a decision maker for the threshold decision (R35)."""
    acting_now(collation.request_decision, reference)


@step("hand back")
def hand_back(reference: str) -> None:
    """Tell each duty team the outcome for its own subjects (R42)."""
    acting_now(outcome.hand_back, reference)


@step("close")
def close(reference: str) -> None:
    """Every duty team has acknowledged (R43)."""
    acting_now(outcome.close, reference)


def stage_of(reference: str) -> Stage:
    """Where the record says the referral stands."""
    return acting(lambda session, of: referrals.find(session, of).stage, reference)


def agencies_to_ask(reference: str) -> list[str]:
    """The codes of the agencies that are still to be asked."""
    return acting(checks.agencies_to_ask, reference)


def what_is_missing(fact: Fact, reference: str) -> Waiting | None:
    """Ask the record whether a fact is so; the reason for waiting when it is not."""
    return acting(lambda session, of: fact(session, of, now(session)), reference)


def come_to_rest(reference: str) -> None:
    """The run is suspended: wakes that were kept back meanwhile may go to the engine, and its repairs have helped."""
    acting(_rest, reference)


def _rest(session: Session, reference: str) -> None:
    release(session, reference)
    at_rest(session, reference)
