"""What may be asked for: referrals of each side at each stage, and what does not exist; and whom each concerns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from casework import outcome, referrals, restriction
from casework.db import now, unit_of_work
from casework.restriction_documents import RestrictionDocument
from portal.examples import ADULT, CHILD, JOINT
from rules.permissions import Actor, Role
from tests.portal.office import ADULTS, CHILDREN, DECIDER, Office


@dataclass(frozen=True)
class Thing:
    """One referral, or one that does not exist; and whom it concerns."""

    name: str
    reference: str
    teams: frozenset[str] = frozenset()
    originator: str = ""
    asked: frozenset[str] = frozenset()
    handed_back_to: frozenset[str] = frozenset()
    exists: bool = True
    joined: bool = False
    #: The people named in its restriction; without any, it has none.
    named: frozenset[str] = frozenset()

    def concerns(self, actor: Actor) -> bool:
        """Whether an actor may know of it: R48, R49 in one place, told apart from the code that holds it up."""
        if self.named and actor.id not in self.named:
            return False
        if actor.role is Role.DUTY_TEAM:
            return actor.duty_team in self.teams
        if actor.role is Role.AGENCY:
            return actor.agency in self.asked
        return self.exists


ABSENT = Thing("absent", "7KQ2-XW9S", exists=False)
_LATER = {"to decide", "handed back", "closed"}
_STAGES = ("just received", "checking", "to decide", "handed back", "closed")
_EXAMPLES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "child": (CHILD, CHILDREN, _STAGES),
    "adult": (ADULT, ADULTS, _STAGES[1:]),
    "joint": (JOINT, CHILDREN, _STAGES[1:]),
}


def all_things(office: Office) -> list[Thing]:
    """Referrals of each side, brought to their stages by casework's verbs; and one that does not exist."""
    to_stage = {
        "just received": office.refer, "checking": office.refer_and_ask, "to decide": office.refer_and_join,
        "handed back": office.refer_and_hand_back, "closed": lambda example: _closed(office, example),
    }  # fmt: skip
    return [
        *(
            _thing(f"{side}, {stage}", to_stage[stage](example), team, joined=stage in _LATER)
            for side, (example, team, stages) in _EXAMPLES.items()
            for stage in stages
        ),
        _restricted(office),
        ABSENT,
    ]


def _restricted(office: Office) -> Thing:
    reference = office.refer_and_ask(CHILD)
    with unit_of_work() as session:
        document = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["OFFICER", "POLICE"])
        restriction.restrict(session, reference, document, by=DECIDER, at=now(session))
    named = frozenset({DECIDER.id, "OFFICER", "POLICE"})
    return replace(_thing("child, restricted", reference, CHILDREN, joined=False), named=named)


def _closed(office: Office, example: dict[str, Any]) -> str:
    reference = office.refer_and_hand_back(example)
    with unit_of_work() as session:
        for team in referrals.hand_backs(session, reference):
            by = Actor(team, Role.DUTY_TEAM, duty_team=team)
            outcome.acknowledge(session, reference, by=by, at=now(session))
        session.flush()
        outcome.close(session, reference, at=now(session))
    return reference


def _thing(name: str, reference: str, team: str, *, joined: bool) -> Thing:
    with unit_of_work() as session:
        asked = frozenset(check.agency for check in referrals.checks(session, reference))
        told = frozenset(referrals.hand_backs(session, reference))
    return Thing(name, reference, frozenset({team}) | told, team, asked, told, joined=joined)
