"""The ways that referrals took, counted from their ledgers, and drawn so that they print (issue 6, point 6)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import groupby, pairwise

import pytest

from casework import early_end
from casework.db import unit_of_work
from casework.documents import EarlyEndDocument
from casework.hidden import read_as
from casework.ledger import Act
from casework.restriction import restrict
from casework.restriction_documents import RestrictionDocument
from reports.process_map import DRAWN, STEPS, Way, drawn, ways
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ANALYST,
    DECIDER,
    DUTY,
    account_of,
    act,
    acts_of,
    ask,
    duty,
    open_hub,
    refer,
    walk,
)
from tests.record import Record
from tests.rules.london import LONDON

DAY = date(2026, 3, 16)


@pytest.fixture
def hub(record: Record) -> Record:
    open_hub()
    return record


def found(day: date = DAY) -> list[Way]:
    """As an analyst may know it."""
    with unit_of_work() as session:
        read_as(session, ANALYST)
        return ways(session, day, day, LONDON)


def test_the_ways_are_those_of_the_ledgers(hub: Record):
    """Issue 6, point 6: counted a second time, from each ledger as it stands"""
    references = [walk(Stage.CLOSED, sender_id="one"), walk(Stage.CLOSED, sender_id="two")]
    references.append(refer(sender_id="withdrawn"))
    ask(references[-1])
    act(early_end.withdraw, references[-1], EarlyEndDocument(reason="OTHER"), by=duty(), at=AFTERNOON)
    gone: Counter[tuple[str, str]] = Counter()
    for reference in references:
        steps = [step for step, _ in groupby(name for name in acts_of(hub, reference) if name in STEPS)]
        gone += Counter(pairwise(steps))
    assert {(way.since, way.to): way.times for way in found()} == gone
    assert gone["RECEIVED", "ACCEPTED"] == 3
    assert gone["DECIDED", "HANDED_BACK"] == 2
    # Asked at 10:00, withdrawn at 15:00.
    [early] = [way for way in found() if way.to == "ENDED_EARLY"]
    assert (early.times, early.median_minutes) == (1, 300)


def test_what_is_hidden_and_what_came_on_another_day_went_no_way(hub: Record):
    """S-5"""
    reference = walk(Stage.CHECKING)
    assert found(date(2026, 3, 17)) == []
    act(
        lambda session: session.add(
            account_of(Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True), AFTERNOON)
        )
    )
    document = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["decider", "officer"])
    act(restrict, reference, document, by=DECIDER, at=AFTERNOON)
    assert found() == []


def test_every_step_is_an_act_of_the_ledger():
    assert STEPS.keys() <= {each.value for each in Act}


def test_the_picture_says_in_words_what_it_draws():
    """WCAG 1.1.1, 1.4.1: numbers beside every line, and the words of all of them"""
    taken = [
        Way("RECEIVED", "ACCEPTED", 100, 1), Way("ACCEPTED", "COLLATED", 90, 1), Way("ACCEPTED", "ENDED_EARLY", 10, 1),
        Way("COLLATED", "DECIDED", 95, 1), Way("DECIDED", "COLLATED", 5, 1),
    ]  # fmt: skip
    chart = drawn(taken, "Ways", "ways")
    assert chart is not None
    assert chart.words.startswith("Received to Agencies asked: 100; Agencies asked to Returns joined: 90")
    assert {"100", "90", "10", "95", "5", "Ended early"} <= {shape.words for shape in chart.shapes}
    thick = {shape.attributes["stroke-width"] for shape in chart.shapes if shape.tag == "polyline"}
    assert max(thick) == 6
    for shape in chart.shapes:
        for name, most in (("x", chart.width), ("y", chart.height)):
            assert 0 <= float(shape.attributes.get(name, 0)) <= most
    assert drawn([], "Ways", "ways") is None


def test_of_many_ways_round_the_most_taken_are_drawn():
    """A picture in which nothing can be told apart says nothing"""
    acts = list(STEPS)
    taken = [Way(since, to, 10 * place + 1, 0) for place, since in enumerate(acts) for to in acts if since != to]
    chart = drawn(taken, "Ways", "ways")
    assert chart is not None
    round_about = [s for s in chart.shapes if s.tag == "polyline" and str(s.attributes["points"]).count(",") == 4]
    assert len(round_about) == 2 * DRAWN
