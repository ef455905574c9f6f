"""The ready text for whoever told the duty team."""

from __future__ import annotations

from typing import Any

import pytest

from rules.referrer_words import PRIVATE_SOURCES, words_for_referrer
from rules.release import REACHES

DECIDED = {"decided": True, "label": "Early help", "words": "SECRET", "name": "SECRET", "actions": [{"what": "SECRET"}]}
LEFT = {"decided": False, "label": "Withdrawn", "name": "SECRET"}
SCHOOL, NEIGHBOUR = "2A", "1B"


def item(recipients: str, kind: str = "FACT") -> dict[str, Any]:
    return {"recipients": recipients, "kind": kind, "text": f"{recipients} {kind}"}


@pytest.mark.parametrize("source", [SCHOOL, NEIGHBOUR])
def test_nothing_of_what_the_duty_team_alone_was_told_is_in_the_text(source: str) -> None:
    """R45"""
    assert "SECRET" not in words_for_referrer([DECIDED, LEFT], [], source=source)


@pytest.mark.parametrize("recipients", REACHES)
@pytest.mark.parametrize("kind", ["FACT", "OPINION", "THIRD_PARTY"])
def test_only_what_may_reach_the_referrer_and_no_third_party_told_is_in_the_text(recipients: str, kind: str) -> None:
    """R29, R45: nothing marked third-party or withheld"""
    text = words_for_referrer([DECIDED], [item(recipients, kind)], source=SCHOOL)
    assert (f"{recipients} {kind}" in text) is (recipients == "REFERRER" and kind != "THIRD_PARTY")


@pytest.mark.parametrize("source", sorted(PRIVATE_SOURCES))
def test_a_private_person_learns_that_it_was_dealt_with_and_not_how(source: str) -> None:
    """R45"""
    text = words_for_referrer([DECIDED], [item("REFERRER")], source=source)
    assert "Early help" not in text
    assert "REFERRER" not in text
    assert "decided what should happen next" in text


def test_a_professional_learns_which_kind_of_outcome_it_is() -> None:
    """R45"""
    assert "This follows: Early help." in words_for_referrer([DECIDED, DECIDED], [], source=SCHOOL)


def test_where_nothing_was_decided_the_text_does_not_say_that_it_was() -> None:
    """R06, R45"""
    text = words_for_referrer([LEFT], [], source=SCHOOL)
    assert "decided" not in text
    assert "agencies" not in text
