"""Walks a referral to any stage, through the verbs that people and the flow use; never sets it there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from casework import agreements, checks, collation, decision, discussion, intake, outcome, referrals
from casework.db import unit_of_work
from casework.documents import DecisionDocument, DiscussionDocument, ReturnDocument
from casework.legal_documents import CompletionDocument, LegalDocument
from casework.register import current_profile, use_profile
from engine.trial import trial_agreement
from models.account import Account
from models.check import AgencyCheck
from models.referral import Referral
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.beginnings import beginning
from tests.rules.london import london
from tests.scenarios.people import a_child, a_family, a_referral, an_adult

__all__ = ["a_child", "a_family", "a_referral", "an_adult", "london"]

T = TypeVar("T")

DUTY, ASIST = "CHILDREN_DUTY", "ADULT_ASIST"
#: Who is asked about a child: in the order in which the record lists checks that were asked at one moment.
FOR_A_CHILD = ("COMMUNITY_HEALTH_CHILDREN", "COUNCIL_CHILDREN", "MENTAL_HEALTH", "POLICE")
#: A Monday in office hours, and when the answers to what is asked then are due.
ASKED = london("Mon 16 Mar 2026 10:00")
DUE = london("Tue 17 Mar 2026 10:00")
JUST_OVERDUE = london("Tue 17 Mar 2026 10:01")
AFTERNOON = london("Mon 16 Mar 2026 15:00")
SATURDAY = london("Sat 14 Mar 2026 20:00")

DECIDER = Actor("decider", Role.DECISION_MAKER, mash_profile=True, is_person=True)
OTHER_DECIDER = Actor("other-decider", Role.DECISION_MAKER, mash_profile=True, is_person=True)
MANAGER = Actor("manager", Role.DECISION_MAKER, mash_profile=True, is_person=True, manager_authority=True)
SUPPORT = Actor("support", Role.MASH_SUPPORT, mash_profile=True, is_person=True)
ADMINISTRATOR = Actor("administrator", Role.ACCOUNT_ADMIN, is_person=True)
ANALYST = Actor("analyst", Role.ANALYST, is_person=True)
OPERATOR = Actor("operator", Role.OPERATOR, is_person=True)


def duty(team: str = DUTY) -> Actor:
    """The system of a duty team."""
    return Actor(f"system-{team}", Role.DUTY_TEAM, duty_team=team)


def rep(agency: str) -> Actor:
    """The representative of an agency."""
    return Actor(f"rep-{agency}", Role.AGENCY, agency=agency, is_person=True)


def open_hub(at: datetime = SATURDAY) -> None:
    """The profile is registered, and everybody has an account."""
    beginning("open hub", at, play=lambda: _open_hub(at))


def _open_hub(at: datetime) -> None:
    profile = current_profile()
    people = [
        *(duty(team.code) for team in profile.duty_teams),
        *(rep(agency.code) for agency in profile.agencies),
        *(DECIDER, OTHER_DECIDER, MANAGER, SUPPORT, OPERATOR, ANALYST),
    ]
    with unit_of_work() as session:
        use_profile(session, profile, at)
        session.add_all(account_of(actor, at) for actor in people)
        agreements.add(session, trial_agreement(profile), profile, by=ADMINISTRATOR, at=at)


def account_of(actor: Actor, at: datetime) -> Account:
    """The account that makes somebody this actor."""
    return Account(
        id=actor.id,
        role=actor.role,
        is_person=actor.is_person,
        agency=actor.agency,
        duty_team=actor.duty_team,
        mash_profile=actor.mash_profile,
        manager_authority=actor.manager_authority,
        added_at=at,
    )


def act(verb: Callable[..., T], *arguments: Any, **more: Any) -> T:
    """One verb, or one look, in a transaction of its own."""
    with unit_of_work() as session:
        return verb(session, *arguments, **more)


# --- what is there ---


def referral(reference: str) -> Referral:
    """The referral as the record holds it."""
    return act(referrals.find, reference)


def check(reference: str, agency: str) -> AgencyCheck:
    """One agency's check as the record holds it."""
    return act(referrals.check_of, reference, agency)


def acts_of(record: Any, reference: str) -> list[str]:
    """What the ledger says happened, in order."""
    return [row[0] for row in record.ask("SELECT act FROM ledger WHERE reference = %s ORDER BY number", reference)]


def notices_of(record: Any, reference: str) -> list[tuple[str, str]]:
    """What is said to whom, in the order of writing."""
    query = "SELECT message, recipient FROM notice WHERE reference = %s ORDER BY written_at, recipient, message"
    return list(record.ask(query, reference))


# --- what people send ---


def document(
    subjects: list[dict[str, Any]] | None = None,
    *,
    team: str = DUTY,
    sender_id: str = "one",
    at: datetime = ASKED,
    **more: Any,
) -> dict[str, Any]:
    """A referral as a duty team sends it, about one child unless said otherwise."""
    return {**a_referral(team, sender_id, subjects or [a_child()], at), **more}


#: The child of a referral that is held: nobody has said on what basis agencies are asked about her.
WITHOUT_BASIS = {**a_child(), "basis": None}


def completion(reference: str, subject: str = "S1", **more: Any) -> CompletionDocument:
    """What completes the legal state of one subject, told and consenting unless said otherwise."""
    legal = {name: value for name, value in a_child().items() if name in LegalDocument.model_fields}
    seen = referral(reference).version
    return CompletionDocument.model_validate(
        {"version_seen": seen, "subjects": [{**legal, "subject": subject, **more}]}
    )


#: The three answers without which nothing is given, and how far it may go.
GIVEN = {"relevant": True, "necessary": True, "proportionate": True, "recipients": "DUTY_TEAM"}


WITHHELD = {"recipients": "NOBODY", "withheld_because": "LIVE_INVESTIGATION"}


def an_item(day: str = "2026-01-09", text: str = "Seen.", **more: Any) -> dict[str, Any]:
    """One thing that an agency knows and gives."""
    return {"event_date": day, "source": "Records", "kind": "FACT", "text": text, "about": ["S1"], **GIVEN, **more}


def answer(result: str = "NOT_KNOWN", *items: tuple[str, str], **more: Any) -> ReturnDocument:
    """An agency's return; `items` are (date of the event, text)."""
    return ReturnDocument.model_validate(
        {
            "result": result,
            "items": [an_item(day, text) for day, text in items],
            "systems_searched": [
                {"system": "Records", "searched_with": "name", "searched_at": "2026-03-16T11:00:00+00:00"}
            ],
            **more,
        }
    )


def talk(agencies: Iterable[str] = FOR_A_CHILD, at: datetime = ASKED, **more: Any) -> DiscussionDocument:
    """A discussion of these agencies."""
    present = [{"agency": agency, "name": "A representative", "role": "Representative"} for agency in agencies]
    return DiscussionDocument.model_validate(
        {"held_at": at, "mode": "VIDEO", "present": present, "note": "The returns were read together.", **more}
    )


def verdict(subject: str = "S1", **more: Any) -> dict[str, Any]:
    """The threshold is met for one subject, a child unless the outcome says otherwise."""
    return {
        "subject": subject,
        "threshold_met": True,
        "level_of_need": "L4",
        "outcome": "C_STRATEGY",
        "rationale": "The returns together show a pattern.",
        "words_for_duty_team": "Please hold the strategy discussion within the day.",
        "actions": [{"what": "Hold it", "owner": "Duty manager", "due_on": "2026-03-20"}],
        **more,
    }


def no_action(subject: str = "S1", **more: Any) -> dict[str, Any]:
    """The threshold is not met, and nothing follows."""
    return verdict(subject, **{"threshold_met": False, "level_of_need": "L1", "outcome": "NFA", "actions": [], **more})


def decision_on(reference: str, *verdicts: dict[str, Any], **more: Any) -> DecisionDocument:
    """A decision on the referral as it stands now: its one subject's threshold is met, unless said otherwise."""
    seen = referral(reference).version
    return DecisionDocument.model_validate({"version_seen": seen, "decisions": verdicts or [verdict()], **more})


# --- the walk ---


def refer(at: datetime = ASKED, **more: Any) -> str:
    """A duty team sends a referral; its reference."""
    sent = document(at=at, **more)
    return act(intake.receive, sent, by=duty(sent["duty_team"]), at=at).reference


def ask(reference: str, at: datetime = ASKED) -> None:
    """The hub screens it and asks every agency, as the flow does."""
    act(intake.screen, reference, at=at)
    for agency in act(checks.agencies_to_ask, reference):
        act(checks.request_check, reference, agency, at=at)


def give_back(reference: str, agency: str, returned: ReturnDocument | None = None, at: datetime = AFTERNOON) -> None:
    """An agency answers."""
    act(checks.record_return, reference, agency, returned or answer(), by=rep(agency), at=at)


def asked_agencies(reference: str) -> list[str]:
    """Who was asked."""
    return [each.agency for each in act(referrals.checks, reference)]


def all_give_back(reference: str, at: datetime = AFTERNOON, but: Iterable[str] = ()) -> None:
    """Every agency that was asked knows nothing, apart from those that stay silent."""
    for agency in asked_agencies(reference):
        if agency not in set(but):
            give_back(reference, agency, at=at)


def join(reference: str, at: datetime = AFTERNOON) -> None:
    """The hub joins the returns and asks for a decision, as the flow does."""
    act(collation.collate, reference, at=at)
    act(collation.request_decision, reference, at=at)


def decide(reference: str, *verdicts: dict[str, Any], by: Actor = DECIDER, at: datetime = AFTERNOON) -> None:
    """The team talks, and a decision maker decides."""
    act(discussion.record_discussion, reference, talk((*FOR_A_CHILD, "COUNCIL_ADULTS")), by=SUPPORT, at=at)
    act(decision.decide, reference, decision_on(reference, *verdicts), by=by, at=at)


def acknowledge(reference: str, *teams: str, at: datetime = AFTERNOON) -> None:
    """Duty teams say that they know; the hub closes when all have."""
    for team in teams or (DUTY,):
        act(outcome.acknowledge, reference, by=duty(team), at=at)
    act(outcome.close, reference, at=at)


def walk(to: Stage, at: datetime = AFTERNOON, **sent: Any) -> str:
    """A fresh referral at a stage, arrived there as every referral does; about one child unless said otherwise."""
    return beginning("walk", to, at, sent, play=lambda: _walk(to, at, **sent))


def _walk(to: Stage, at: datetime, **sent: Any) -> str:
    if to is Stage.AWAITING_BASIS:
        sent = {"subjects": [WITHOUT_BASIS], **sent}
    reference = refer(**({"at": SATURDAY} if to is Stage.QUEUED_OUT_OF_HOURS else {}), **sent)
    if to is Stage.AWAITING_BASIS:
        act(intake.screen, reference, at=ASKED)
    steps: list[tuple[Stage, Callable[[], None]]] = [
        (Stage.CHECKING, lambda: ask(reference)),
        (Stage.AWAITING_DECISION, lambda: (all_give_back(reference, at), join(reference, at))),  # type: ignore[list-item]
        (Stage.HANDING_BACK, lambda: decide(reference, at=at)),
        (Stage.AWAITING_ACK, lambda: act(outcome.hand_back, reference, at=at)),
        (Stage.CLOSED, lambda: acknowledge(reference, at=at)),
    ]
    for arrives, step in steps:
        if referral(reference).stage is to:
            break
        step()
        assert referral(reference).stage is arrives
    assert referral(reference).stage is to
    return reference
