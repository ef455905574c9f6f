"""What goes to the duty team: what its agency allowed and the decision maker chose, item by item (R29)."""

from __future__ import annotations

from typing import Any

import pytest

from casework import decision, discussion, outcome, releases
from rules.errors import NotAcceptable
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    SUPPORT,
    a_family,
    act,
    acts_of,
    all_give_back,
    answer,
    decision_on,
    duty,
    give_back,
    join,
    talk,
    verdict,
    walk,
)

NEIGHBOUR = "A neighbour called about shouting."
BRUISE = "A bruise, explained as a fall."


def item(text: str, recipients: str = "DUTY_TEAM", about: tuple[str, ...] = ("S1",)) -> dict[str, Any]:
    """An item that its agency lets go as far as this."""
    return {
        "event_date": "2026-01-09", "source": "Records", "kind": "FACT", "text": text, "about": list(about),
        "relevant": True, "necessary": True, "proportionate": True, "recipients": recipients,
    }  # fmt: skip


def withheld(text: str) -> dict[str, Any]:
    """An item that its agency keeps."""
    return {"recipients": "NOBODY", "withheld_because": "LIVE_INVESTIGATION", "text": text}


def choice(number: int, reason: str | None = None, **more: Any) -> dict[str, Any]:
    """The decision maker's word on one item of the police's first return."""
    return {
        "agency": "POLICE", "version": 1, "number": number, "release": reason is None, "withheld_because": reason,
        **more,
    }  # fmt: skip


def joined(*items: dict[str, Any], **sent: Any) -> str:
    """A referral on which the police gave these items, discussed and ready to be decided."""
    reference = walk(Stage.CHECKING, **sent)
    give_back(reference, "POLICE", answer("KNOWN_OPEN", items=list(items)))
    all_give_back(reference, but=["POLICE"])
    join(reference)
    act(discussion.record_discussion, reference, talk(), by=SUPPORT, at=AFTERNOON)
    return reference


def decide(reference: str, *choices: dict[str, Any]) -> None:
    document = decision_on(reference, verdict(items=list(choices)))
    act(decision.decide, reference, document, by=DECIDER, at=AFTERNOON)


def told(reference: str) -> dict[str, Any]:
    act(outcome.hand_back, reference, at=AFTERNOON)
    read = act(outcome.read, reference, by=duty(), at=AFTERNOON)
    [found] = read["outcomes"]
    return dict(found)


def test_the_duty_team_reads_what_was_released_and_nothing_else(record):
    """R29, R42"""
    reference = joined(item(NEIGHBOUR), item(BRUISE), item("Not chosen."), item("MASH only.", "MASH"))
    decide(reference, choice(1), choice(2, "RISK_TO_PERSON"))
    found = told(reference)
    assert [(each["text"], each["agency"]) for each in found["released"]] == [
        (NEIGHBOUR, "Avon and Somerset Constabulary")
    ]
    for text in (BRUISE, "Not chosen.", "MASH only."):
        assert text not in repr(found)
    assert acts_of(record, reference).count("ITEM_RELEASED") == 1
    assert acts_of(record, reference).count("ITEM_WITHHELD") == 1


def test_nothing_is_released_by_leaving_it_out(record):
    """R29"""
    reference = joined(item(NEIGHBOUR))
    decide(reference)
    assert told(reference)["released"] == []


def test_only_what_the_agency_allowed_is_offered(record):
    """R29"""
    reference = joined(item("For the MASH.", "MASH"), item(NEIGHBOUR), withheld("Kept."), item(BRUISE, "REFERRER"))
    offered = act(releases.on_offer, reference, "S1")
    assert [each.number for each in offered] == [2, 4]


@pytest.mark.parametrize(
    ("chosen", "pointer"),
    [
        ([choice(1)], "/decisions/0/items/0"),  # for the MASH alone
        ([choice(3)], "/decisions/0/items/0"),  # withheld by its agency
        ([choice(9)], "/decisions/0/items/0"),
        ([choice(2, version=2)], "/decisions/0/items/0"),
        ([choice(2, agency="MENTAL_HEALTH")], "/decisions/0/items/0"),
        ([choice(2), choice(2)], "/decisions/0/items/1"),
        ([choice(2, release=False)], "/decisions/0/items/0/withheld_because"),
        ([choice(2, "OTHER", release=True)], "/decisions/0/items/0/withheld_because"),
        ([choice(2, "BECAUSE")], "/decisions/0/items/0/withheld_because"),
    ],
)
def test_a_choice_that_its_agency_did_not_allow_or_that_has_no_reason_is_refused(record, chosen, pointer):
    """R29"""
    reference = joined(item("For the MASH.", "MASH"), item(NEIGHBOUR), withheld("Kept."))
    with pytest.raises(NotAcceptable) as refused:
        decide(reference, *chosen)
    assert [each.pointer for each in refused.value.fields] == [pointer]
    assert "ITEM_RELEASED" not in acts_of(record, reference)


def test_what_is_about_another_person_is_not_told_with_this_one(record):
    """R08, R29"""
    reference = joined(
        item("About the mother.", about=("S1",)), item("About a child.", about=("S2",)), item("Of all.", about=()),
        subjects=a_family(),
    )  # fmt: skip
    numbers = {code: [each.number for each in act(releases.on_offer, reference, code)] for code in ("S1", "S2", "S3")}
    assert numbers == {"S1": [1, 3], "S2": [2, 3], "S3": [3]}


def test_a_correction_after_the_decision_changes_nothing_that_was_told(record):
    """R29, R41"""
    reference = joined(item(NEIGHBOUR))
    decide(reference, choice(1))
    give_back(reference, "POLICE", answer("KNOWN_OPEN", items=[item("Another text.")]))
    assert [each["text"] for each in told(reference)["released"]] == [NEIGHBOUR]


def test_the_ledger_names_items_by_number_and_holds_no_text(record):
    """R50, R51"""
    reference = joined(item(NEIGHBOUR))
    decide(reference, choice(1))
    [(detail,)] = record.ask("SELECT detail FROM ledger WHERE act = 'ITEM_RELEASED'")
    assert detail == {"subject": "S1", "agency": "POLICE", "version": 1, "number": 1, "reason": None}
