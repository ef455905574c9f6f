"""A request that only reads asks each thing once; one that changes something is told what stands now."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from casework import follow, hidden, referrals
from casework.db import database, unit_of_work
from casework.once import only_reads, reading
from rules.stages import Stage
from tests.casework.factory import ASKED, DECIDER, OPERATOR, act, duty, walk

#: What a referral's own page says to some, and no list.
NOT_IN_A_LIST = dict.fromkeys(("checks", "not_asked", "reconsiderations", "dissent", "templates"))


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What went to the record about people, since the test began."""
    found: list[str] = []

    def look(_: object, __: object, statement: str, *more: object) -> None:
        if re.search(r"FROM (subject|agency_check|manager_request|hand_back)\b", statement):
            found.append(statement)

    sa.event.listen(database(), "before_cursor_execute", look)
    yield found
    sa.event.remove(database(), "before_cursor_execute", look)


def test_what_many_parts_of_a_page_ask_goes_to_the_record_once(statements: list[str]):
    """R13: of each referral by itself, and for this transaction alone"""
    one, other = walk(Stage.CHECKING), walk(Stage.CHECKING, sender_id="another")
    statements.clear()
    with unit_of_work() as session:
        only_reads(session)
        first = referrals.subjects(session, one)
        assert referrals.subjects(session, one) is first
        assert referrals.subjects(session, other)[0].reference == other
        assert len(statements) == 2
    with unit_of_work() as session:
        only_reads(session)
        referrals.subjects(session, one)
    assert len(statements) == 3


def test_whoever_changes_something_is_told_what_stands_now(statements: list[str]):
    """R13: a verb never works on what it was told before"""
    one = walk(Stage.CHECKING)
    statements.clear()
    with unit_of_work() as session:
        for _ in range(2):
            referrals.subjects(session, one)
    assert len(statements) == 2


def test_a_verb_asks_once_while_it_reads_and_is_told_what_stands_as_soon_as_it_acts(statements: list[str]):
    """R15"""
    one = walk(Stage.CHECKING)
    statements.clear()
    with unit_of_work() as session:
        with reading(session):
            for _ in range(2):
                referrals.subjects(session, one)
        assert len(statements) == 1
        for _ in range(2):
            referrals.subjects(session, one)
    assert len(statements) == 3


def test_a_list_says_of_each_referral_what_its_own_page_says_and_asks_no_more_for_many(statements: list[str]):
    """R13, R73"""
    for stage in Stage:
        walk(stage, sender_id=f"one, {stage}")
    few = _asked_for_a_list(statements)
    for stage in Stage:
        walk(stage, sender_id=f"another, {stage}")
    assert _asked_for_a_list(statements) == few
    for by in (OPERATOR, duty()):
        listed = act(follow.see_all, stages=list(Stage), after=None, limit=50, by=by, at=ASKED).referrals
        assert len(listed) == 2 * len(Stage)
        assert {each.waiting for each in listed} > {None}
        assert listed == [
            act(follow.see, each.reference, by=by, at=ASKED).model_copy(update=NOT_IN_A_LIST) for each in listed
        ]


def _asked_for_a_list(statements: list[str]) -> int:
    statements.clear()
    act(follow.see_all, stages=list(Stage), after=None, limit=50, by=OPERATOR, at=ASKED)
    return len(statements)


def test_what_the_hub_asks_itself_is_neither_taken_from_a_reader_nor_kept_for_one(statements: list[str]):
    """S-5: a reader is not given what was found while nothing was left out"""
    one = walk(Stage.CHECKING)
    statements.clear()
    with unit_of_work() as session:
        hidden.read_as(session, DECIDER)
        only_reads(session)
        with hidden.unhidden(session):
            referrals.subjects(session, one)
        referrals.subjects(session, one)
        with hidden.unhidden(session):
            referrals.subjects(session, one)
    assert ["interest_conflict" in statement for statement in statements] == [False, True, False]
