"""Each item of a return is given with its three answers and its recipients, or withheld with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from casework import collation, items
from casework.collation import render
from casework.db import unit_of_work
from casework.documents import ReturnDocument
from casework.field_errors import field_errors
from rules.errors import NotAcceptable
from rules.stages import Stage
from tests.casework.factory import AFTERNOON, DECIDER, SUPPORT, WITHHELD, act, an_item, answer, give_back, walk

SECRET = "Zwielicht"


def sent(*found: dict[str, Any]) -> ReturnDocument:
    return answer("KNOWN_OPEN", items=list(found))


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in an_item().items() if name != field}


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        (without("relevant"), "relevant"),
        (without("necessary"), "necessary"),
        (without("proportionate"), "proportionate"),
        (without("recipients"), "recipients"),
        (without("event_date"), "event_date"),
        (an_item(relevant=False), "relevant"),
        (an_item(necessary=False), "necessary"),
        (an_item(proportionate=False), "proportionate"),
        (an_item(withheld_because="NO_ISA"), "withheld_because"),
        ({"recipients": "NOBODY"}, "withheld_because"),
        (an_item(kind="RUMOUR"), "kind"),
    ],
)
def test_nothing_is_given_without_its_three_answers_and_its_recipients(item: dict[str, Any], pointer: str) -> None:
    """R29"""
    with pytest.raises(ValidationError) as refusal:
        sent(an_item(), item)
    assert [error.pointer for error in field_errors(refusal.value)] == [f"/items/1/{pointer}"]


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        (an_item(recipients="EVERYBODY"), "recipients"),
        ({**WITHHELD, "withheld_because": "NOT_TELLING"}, "withheld_because"),
        (an_item(about=["S9"]), "about"),
        ({**WITHHELD, "about": ["S9"]}, "about"),
    ],
)
def test_codes_that_the_area_does_not_have_are_refused(record: Any, item: dict[str, Any], pointer: str) -> None:
    """R29, R70"""
    reference = walk(Stage.CHECKING)
    with pytest.raises(NotAcceptable) as refusal:
        give_back(reference, "POLICE", sent(item))
    assert [field.pointer for field in refusal.value.fields] == [f"/items/0/{pointer}"]


def test_of_what_is_withheld_nobody_is_shown_more_than_the_reason(record: Any) -> None:
    """R29: in no template"""
    reference = walk(Stage.CHECKING)
    kept = {**an_item(text=SECRET, source=SECRET), **WITHHELD}
    give_back(reference, "POLICE", sent(an_item(text="Seen."), kept, WITHHELD))
    content = act(collation.read, reference, by=SUPPORT, at=AFTERNOON)
    page = render(content)
    assert SECRET not in json.dumps(content)
    assert SECRET not in page
    assert page.count("Live investigation.") == 2
    assert [item["text"] for item in content["chronology"]] == ["Seen."]


def test_a_given_item_says_how_far_it_may_go(record: Any) -> None:
    """R29"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", sent(an_item(recipients="MASH")))
    assert "The MASH team alone" in render(act(collation.read, reference, by=DECIDER, at=AFTERNOON))


def test_what_stands_are_the_given_items_of_the_newest_versions(record: Any) -> None:
    """R24, R29"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", sent(an_item(text="Old."), an_item(text="Wrong.")))
    give_back(reference, "POLICE", sent(WITHHELD, an_item(text="New.")))
    give_back(reference, "MENTAL_HEALTH", sent(an_item(text="Other.")))
    with unit_of_work() as session:
        found = items.standing(session, reference)
    told = {(each.agency, each.version, each.number, each.content["text"]) for each in found}
    assert told == {("POLICE", 2, 2, "New."), ("MENTAL_HEALTH", 1, 1, "Other.")}
