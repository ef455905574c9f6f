"""What was shared, with whom, when, why, by whom and on what basis is told by the record alone, as it happened (S-24).

On one side stand what readers were shown and what a mail server was handed; on the other the ledger with its contents
and the letters kept, as an evidence pack has them.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from casework import collation, decision, discussion, evidence, ledger, outcome, queues, releases
from casework.notices import deliver_due
from casework.register import current_profile
from rules.legal_gate import PARTS
from rules.permissions import HUB, Actor
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    SUPPORT,
    act,
    answer,
    ask,
    asked_agencies,
    decision_on,
    duty,
    give_back,
    join,
    refer,
    rep,
    talk,
    verdict,
)
from tests.casework.test_releases import item, withheld
from tests.notifications.post import Postman

#: The catalogue asks for a hundred: `MASH_SHARED=100`.
CASES = int(os.environ.get("MASH_SHARED", "3"))
SEED = 24
_REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


@dataclass
class Shared:
    """What left, told from one of the two sides."""

    #: By agency: the question that it read, why it was asked, and on what basis.
    asked: set[tuple[str, str, str, str]] = field(default_factory=set)
    #: The words of each item that a duty team read.
    items: list[str] = field(default_factory=list)
    #: Who looked at what, in order.
    views: list[tuple[str, str]] = field(default_factory=list)
    #: How many letters each address was sent.
    letters: Counter[str] = field(default_factory=Counter)


def _played(chance: random.Random, number: int) -> tuple[str, Shared]:
    """One case as chance has it; its reference, and what everybody was seen to be shown."""
    seen = Shared()
    reference = refer(sender_id=f"shared-{number}")
    ask(reference)

    def looks(by: Actor, kind: str, verb: Any, *more: Any) -> Any:
        seen.views.append((by.id, kind))
        return act(verb, reference, *more, by=by, at=AFTERNOON)

    agencies = asked_agencies(reference)
    for agency in agencies:
        check = looks(rep(agency), "CHECK_READ", queues.read_check)
        seen.asked.add((agency, check.question, check.asked_because, _written(check.basis)))
        if chance.random() < 0.5:
            looks(SUPPORT, "CHECK_READ", queues.read_check_for_team, agency)
        words = [f"{agency} knows {number}.{n}." for n in range(chance.randrange(3))]
        known = [withheld(text) if chance.random() < 0.3 else item(text) for text in words]
        give_back(reference, agency, answer("KNOWN_OPEN", items=known) if known else None)
    join(reference)
    for by in chance.choices((SUPPORT, DECIDER), k=chance.randrange(3)):
        looks(by, "ASSESSMENT_READ", collation.read)
    _decided(chance, reference)
    act(outcome.hand_back, reference, at=AFTERNOON)
    for _ in range(chance.randrange(1, 3)):
        told = looks(duty(), "OUTCOME_READ", outcome.read)
        seen.items = [each["text"] for one in told["outcomes"] for each in one["released"]]
    return reference, seen


def _written(basis: dict[str, dict[str, Any]]) -> str:
    """The codes of the basis; whether anybody consented is not for agencies, and stands in the ledger besides."""
    codes = {subject: [state[part] for part in ("request_reason", *PARTS)] for subject, state in basis.items()}
    return json.dumps(codes, sort_keys=True)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _decided(chance: random.Random, reference: str) -> None:
    """Of what may be released some is, some is kept, and of some nothing is said."""
    offered = [
        {"agency": each.agency, "version": each.version, "number": each.number}
        for each in act(releases.on_offer, reference, "S1")
    ]
    chosen = [
        each
        | ({"release": True} if chance.random() < 0.6 else {"release": False, "withheld_because": "RISK_TO_PERSON"})
        for each in offered
        if chance.random() < 0.8
    ]
    act(discussion.record_discussion, reference, talk(), by=SUPPORT, at=AFTERNOON)
    act(decision.decide, reference, decision_on(reference, verdict(items=chosen)), by=DECIDER, at=AFTERNOON)


def _rebuilt(reference: str) -> tuple[dict[str, Any], Shared]:
    """The same from the record alone."""
    chain, contents = (act(each, reference) for each in (ledger.entries, ledger.contents))
    told = evidence.record(reference, chain, contents, act(evidence.letters, reference))
    gave = {
        (entry["detail"]["agency"], entry["detail"]["version"]): entry["content"]["items"]
        for entry in told["came_back"]
        if entry["act"] == "CHECK_RETURNED"
    }
    on = ASKED.date()
    return told, Shared(
        asked={
            (
                entry["detail"]["agency"],
                entry["content"]["question"],
                entry["detail"]["because"],
                _written(entry["detail"]["basis"]),
            )
            for entry in told["asked"]
            if entry["act"] == "CHECK_REQUESTED"
        },
        items=[
            gave[entry["detail"]["agency"], entry["detail"]["version"]][entry["detail"]["number"] - 1]["text"]
            for entry in told["released"]
            if entry["act"] == "ITEM_RELEASED"
        ],
        views=[(entry["by"], entry["act"]) for entry in told["read"]],
        letters=Counter(
            current_profile().contact(letter["to"], on).primary for letter in told["letters"] if letter["sent"]
        ),
    )


def test_what_was_shared_is_rebuilt_from_the_record_alone(postman: Postman):
    """S-24: of every case, equal to what readers saw and what the mail server was handed"""
    chance = random.Random(SEED)
    played = dict(_played(chance, number) for number in range(CASES))
    while deliver_due(AFTERNOON + timedelta(hours=1)):
        pass
    for letter, envelope in zip(postman.letters, postman.envelopes, strict=True):
        found = _REFERENCE.search(letter["Subject"])
        assert found
        played[found[0]].letters.update(envelope.rcpt_tos)
    for reference, seen in played.items():
        told, rebuilt = _rebuilt(reference)
        assert sorted(rebuilt.items) == sorted(seen.items)
        assert (rebuilt.asked, rebuilt.views, rebuilt.letters) == (seen.asked, seen.views, seen.letters)
        requests = [entry for entry in told["asked"] if entry["act"] == "CHECK_REQUESTED"]
        assert {(entry["at"], entry["by"]) for entry in requests} == {(_moment(ASKED), HUB.id)}
        assert {entry["at"] for entry in told["released"]} <= {_moment(AFTERNOON)}
        assert {entry["by"] for entry in told["released"]} <= {DECIDER.id}
    assert any(seen.items for seen in played.values())
    assert sum(seen.letters.total() for seen in played.values()) > 5 * CASES
    print(f"cases={len(played)} rebuilt={len(played)}/{len(played)} seed={SEED}")
