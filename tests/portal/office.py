"""People at their desks: who sends what to the API, and referrals brought to a stage by casework's own verbs."""

from __future__ import annotations

import itertools
import json
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from casework import collation, discussion, intake, outcome, referrals
from casework.checks import agencies_to_ask, record_return, request_check
from casework.db import now, unit_of_work
from casework.decision import decide
from casework.documents import DecisionDocument, DiscussionDocument, ReturnDocument
from casework.ledger import entries
from portal import examples
from rules.permissions import Actor, Role

API = "/api/v1"
CHILDREN, ADULTS = "CHILDREN_DUTY", "ADULT_ASIST"
DECIDER = Actor("DECISION_MAKER", Role.DECISION_MAKER, mash_profile=True, is_person=True)
SUPPORT = Actor("MASH_SUPPORT", Role.MASH_SUPPORT, mash_profile=True, is_person=True)
_serial = itertools.count(1)


def a_referral(example: dict[str, Any] = examples.CHILD, **changes: Any) -> dict[str, Any]:
    """An example referral under an id of its own."""
    return {**deepcopy(example), "sender_id": f"test-{next(_serial)}", **changes}


class Office:
    """The API under each account."""

    def __init__(self, client: Any, tokens: dict[str, str]) -> None:
        self.client, self.tokens = client, tokens

    def get(self, account: str, path: str, **options: Any) -> Any:
        """An account reads."""
        return self.ask(account, "GET", path, **options)

    def post(self, account: str, path: str, document: Any = None, **options: Any) -> Any:
        """An account sends a document, or an empty one."""
        # Escaped, so that text that no UTF-8 can hold can be sent too.
        content = json.dumps(document if document is not None else {})
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self.ask(account, "POST", path, content=content, headers=headers, **options)

    def ask(self, account: str, method: str, path: str, **options: Any) -> Any:
        """An account asks."""
        headers = {"Authorization": f"Bearer {self.tokens[account]}", **options.pop("headers", {})}
        return self.client.request(method, API + path, headers=headers, **options)

    def refer(self, example: dict[str, Any] = examples.CHILD, **changes: Any) -> str:
        """A referral received; its reference."""
        document = a_referral(example, **changes)
        answer = self.post(document["duty_team"], "/referrals", document)
        assert answer.status_code == 201, answer.text
        reference: str = answer.json()["reference"]
        return reference

    def refer_and_ask(self, example: dict[str, Any] = examples.CHILD, **changes: Any) -> str:
        """A referral whose agencies have all been asked; its reference."""
        reference = self.refer(example, **changes)
        ask_all(reference)
        return reference

    def refer_and_join(self, example: dict[str, Any] = examples.CHILD, **changes: Any) -> str:
        """A referral on which everybody returned "nothing known", and a decision is wanted; its reference."""
        reference = self.refer_and_ask(example, **changes)
        with unit_of_work() as session:
            for check in referrals.checks(session, reference):
                returns(session, reference, check.agency)
            at = now(session)
            collation.collate(session, reference, at=at)
            collation.request_decision(session, reference, at=at)
        return reference

    def refer_and_hand_back(self, example: dict[str, Any] = examples.CHILD, **changes: Any) -> str:
        """A referral decided upon, whose outcome the duty teams may read; its reference."""
        reference = self.refer_and_join(example, **changes)
        with unit_of_work() as session:
            at = now(session)
            discussion.record_discussion(session, reference, DiscussionDocument(**a_discussion(at)), by=SUPPORT, at=at)
            document = DecisionDocument.model_validate(a_decision(session, reference))
            decide(session, reference, document, by=DECIDER, at=at)
            outcome.hand_back(session, reference, at=at)
        return reference


def ask_all(reference: str) -> None:
    """The hub screens a referral and asks every agency, as the flow does."""
    with unit_of_work() as session:
        at = now(session)
        intake.screen(session, reference, at=at)
        for agency in agencies_to_ask(session, reference):
            request_check(session, reference, agency, at=at)


def returns(session: Session, reference: str, agency: str, *, late: bool = False) -> None:
    """An agency returns "nothing known"."""
    by = Actor(agency, Role.AGENCY, agency=agency, is_person=True)
    at = now(session) + (timedelta(days=30) if late else timedelta())
    record_return(session, reference, agency, ReturnDocument(**a_return(at)), by=by, at=at)


def a_return(at: datetime) -> dict[str, Any]:
    """A return of "nothing known"."""
    search = {"system": "Records", "searched_with": "name", "searched_at": at.isoformat()}
    return {"result": "NOT_KNOWN", "systems_searched": [search]}


def a_discussion(at: datetime) -> dict[str, Any]:
    """A discussion with every agency of a quorum present."""
    present = [
        {"agency": agency, "name": "Example Person", "role": "Representative"}
        for agency in ("POLICE", "COUNCIL_CHILDREN", "COUNCIL_ADULTS")
    ]
    return {**examples.DISCUSSION, "present": present, "held_at": at.isoformat(), "views": []}


def a_decision(session: Session, reference: str) -> dict[str, Any]:
    """No further action for every subject, on the version that stands now."""
    return {
        "version_seen": referrals.find(session, reference).version,
        "decisions": [
            {
                "subject": subject.code,
                "threshold_met": False,
                "level_of_need": "L1",
                "outcome": "NFA",
                "rationale": "Nobody knows of anything.",
                "words_for_duty_team": "Nobody knows of anything.",
                "actions": [],
            }
            for subject in referrals.remaining(session, reference)
        ],
    }


def acts(reference: str) -> list[str]:
    """What the ledger says happened, in order."""
    with unit_of_work() as session:
        return [entry.act for entry in entries(session, reference)]


def lapse(reference: str, agency: str) -> None:
    """Put a check's due time into the past, as a weekend would."""
    with unit_of_work() as session:
        referrals.lock(session, reference)
        check = referrals.check_of(session, reference, agency)
        check.requested_at -= timedelta(days=9)
        check.due_at -= timedelta(days=9)
        session.add(check)
