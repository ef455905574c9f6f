"""How good a return was, as the MASH team marks it (R31)."""

from __future__ import annotations

import pytest

from casework import quality, queues
from casework.documents import QualityDocument
from casework.ledger import Act, entries
from casework.register import current_profile
from reports import own_figures, packs, refresh
from rules.errors import NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.people import Side
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import AFTERNOON, ASKED, SUPPORT, act, answer, check, duty, give_back, rep, walk

WELL_TOLD = QualityDocument(answers_question=True, dated=True, sourced=True)
NO_SOURCE = QualityDocument(answers_question=True, dated=True, sourced=False)
ANSWERS = QualityDocument(answers_question=True)


@pytest.fixture
def returned(record) -> str:
    """A child's referral: the police gave an item, mental health knows nothing, nobody else has answered."""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("KNOWN_OPEN", ("2026-02-01", "Called to the house.")), at=ASKED)
    give_back(reference, "MENTAL_HEALTH", at=ASKED)
    return reference


def mark(reference: str, document: QualityDocument, agency: str = "POLICE", by: Actor = SUPPORT) -> None:
    act(quality.mark, reference, agency, document, by=by, at=AFTERNOON)


def test_what_is_said_last_stands_and_the_ledger_keeps_both(returned):
    """R31"""
    mark(returned, NO_SOURCE)
    mark(returned, WELL_TOLD)
    found = check(returned, "POLICE")
    assert (found.answers_question, found.dated, found.sourced, found.marked_by) == (True, True, True, "support")
    marked = [entry.detail for entry in act(entries, returned) if entry.act == Act.RETURN_MARKED]
    assert [(detail["agency"], detail["sourced"]) for detail in marked] == [("POLICE", False), ("POLICE", True)]
    seen = act(queues.read_check_for_team, returned, "POLICE", by=SUPPORT, at=AFTERNOON)
    assert (seen.holds_items, seen.answers_question, seen.marked_at) == (True, True, AFTERNOON)


@pytest.mark.parametrize(
    ("agency", "document", "pointers"),
    [
        ("POLICE", ANSWERS, {"/dated", "/sourced"}),
        ("POLICE", QualityDocument(answers_question=False, dated=True), {"/sourced"}),
        ("MENTAL_HEALTH", WELL_TOLD, {"/dated", "/sourced"}),
    ],
)
def test_dates_and_sources_are_those_of_items(returned, agency: str, document: QualityDocument, pointers: set[str]):
    """R31: what holds none has nothing to be dated"""
    with pytest.raises(NotAcceptable) as refused:
        mark(returned, document, agency)
    assert {field.pointer for field in refused.value.fields} == pointers
    mark(returned, ANSWERS, "MENTAL_HEALTH")
    assert check(returned, "MENTAL_HEALTH").dated is None


@pytest.mark.parametrize(
    ("agency", "by", "refusal"),
    [
        ("COUNCIL_CHILDREN", SUPPORT, WrongStage),
        ("POLICE", rep("POLICE"), NotPermitted),
        ("POLICE", duty(), NotPermitted),
        ("FIRE", SUPPORT, NotFound),
    ],
)
def test_only_the_team_marks_and_only_what_was_returned(returned, agency: str, by: Actor, refusal: type[Exception]):
    """R31, R49: no agency marks itself"""
    with pytest.raises(refusal):
        mark(returned, ANSWERS, agency, by)


def test_marks_go_back_to_their_agency_alone_and_to_boards_in_counts(returned):
    """R31: acceptance; R60"""
    mark(returned, NO_SOURCE)
    while act(refresh.refresh):
        pass
    quarter, profile = packs.quarter_of(AFTERNOON.date()), current_profile()
    of_police, of_others = (
        act(own_figures.own_figures, agency, quarter.first, quarter.last, profile).quality
        for agency in ("POLICE", "MENTAL_HEALTH")
    )
    assert of_police == (1, 1, 1, 1, 0)
    assert of_others.marked == 0
    for number in range(5):
        other = walk(Stage.CHECKING, sender_id=f"n{number}")
        give_back(other, "POLICE", at=ASKED)
        mark(other, ANSWERS)
    while act(refresh.refresh):
        pass
    [chapter] = [
        each
        for each in act(packs.content, Side.CHILD, quarter, profile)["chapters"]
        if each["title"].startswith("Quality")
    ]
    rows = {row[0]: row[1:] for row in chapter["rows"]}
    assert chapter["columns"][1:] == [
        "Answers, dated and sourced",
        "Answers, not dated or sourced",
        "Does not answer",
        "All",
    ]
    # 5 answer and 1 has no source: what is printed of them must not say which.
    assert rows["All"] == ["–", "–", "–", "5"]
