"""What a board is given: protected counts with their definitions, and no way to a case (R59-R63, R67, R68)."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from typing import Any

import pytest

from casework import board_packs, feedback
from casework.feedback import FeedbackAnswer, FeedbackDocument
from casework.register import current_profile
from engine import rounds
from models.profile import load_profile
from models.settings import HOUSE
from reports import packs, refresh
from reports.pack_pdf import as_pdf
from reports.packs import Quarter
from rules.disclosure import rounded
from rules.errors import NotFound, NotPermitted
from rules.people import Side
from rules.permissions import HUB, Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ANALYST,
    DECIDER,
    act,
    decide,
    no_action,
    open_hub,
    walk,
)
from tests.record import Record
from tests.reports.attacked_packs import a_pack, attack, in_full, recovered
from tests.rules.disclosing import Attacker
from tests.rules.london import london

QUARTER = Quarter(date(2026, 1, 1))
BOARD = Actor("board", Role.BOARD, is_person=True)


@pytest.fixture
def hub(record: Record) -> Record:
    open_hub()
    return record


def pack(side: Side = Side.CHILD) -> dict[str, Any]:
    while act(refresh.refresh):
        pass
    return act(packs.content, side, QUARTER, current_profile())


def chapter(told: dict[str, Any], title: str) -> dict[str, Any]:
    [found] = [each for each in told["chapters"] if each["title"].startswith(title)]
    return {**found, "by_row": {row[0]: row[1:] for row in found["rows"]}}


def count_checks(record: Record, agency: str, state: str, number: int) -> None:
    """Checks of the quarter as the summary holds them."""
    answered = "'2026-02-03 10:00Z'" if state in {"on_time", "late"} else "NULL"
    with record.as_owner() as owner:
        owner.execute(
            f"""INSERT INTO reports.kept_check (reference, agency, side, band, policy, stage, status, state,
                profile_version, asked_at, asked_on, month, due_at, answered_at, paused, answer_minutes,
                answer_open_minutes)
            SELECT '{state[:3]}' || lpad(n::text, 6, '0'), %s, 'child', 'STANDARD', 'NEXT_WORKING_DAY_SAME_TIME',
                'CLOSED', 'RETURNED', '{state}', %s, '2026-02-02 10:00Z', '2026-02-02', '2026-02-01',
                '2026-02-03 10:00Z', {answered}, false, 600, 400 FROM generate_series(1, {number}) n""".encode(),
            [agency, current_profile().version],
        )


def test_small_counts_are_suppressed_and_the_others_rounded_beside_their_definition(hub: Record):
    """R59, R68"""
    for agency, state, number in (
        ("POLICE", "on_time", 52), ("POLICE", "late", 8), ("POLICE", "declined", 3), ("MENTAL_HEALTH", "on_time", 31),
        ("MENTAL_HEALTH", "late", 13), ("MENTAL_HEALTH", "declined", 12),
    ):  # fmt: skip
        count_checks(hub, agency, state, number)
    told = chapter(pack(), "Timeliness")
    police = told["by_row"][current_profile().agency("POLICE").names[-1].name]
    head = told["columns"][1:]
    row = dict(zip(head, police, strict=True))
    assert (row["On time"], row["Declined"]) == ("50", "–")
    # 60 and 3 make 63: were the 8 printed too, the 3 could be worked back.
    assert row["Late"] == "–"
    assert "no breach" in told["definition"]
    assert any("office" in limit for limit in pack()["limits"])
    assert any("asked on a working day" in note for note in told["notes"])


def test_no_count_of_a_whole_pack_is_recovered(hub: Record):
    """R59: an attacker who knows nothing but the printed tables and how they add up"""
    chance = random.Random(59)
    for agency in ("POLICE", "MENTAL_HEALTH", "COUNCIL_CHILDREN"):
        for state in ("on_time", "late", "silent", "declined"):
            count_checks(hub, agency, state, chance.choice((2, 4, 9, 30)))
    attacked = 0
    for told in pack()["chapters"]:
        if told["columns"][-1] in {"All", "People", "Contacts", "Given"}:
            attacked += _attack([[_figure(words) for words in row[1:]] for row in told["rows"]])
    assert attacked > 40


def test_of_generated_packs_in_the_areas_own_shapes_no_suppressed_count_is_recovered():
    """R59: a short form of `python -m tests.reports.attacked_packs`, which attacks five hundred"""
    suppressed, known = attack(12)
    assert suppressed > 1000
    assert known == 0


def test_the_same_attack_recovers_counts_where_only_small_ones_are_suppressed():
    """R59: that it finds nothing above says something"""
    chance, profile = random.Random(59), load_profile(HOUSE / "profiles" / "bnes.toml")
    found = [
        recovered(counts, [[rounded(figure) for figure in row] for row in in_full(counts)])
        for _ in range(4)
        for counts in a_pack(chance, profile)
    ]
    assert sum(known for _, known in found) > 10


def _figure(words: str) -> int | None:
    return None if words == "–" else int(words.replace(",", ""))


def _attack(printed: list[list[int | None]]) -> int:
    attacker = Attacker(printed)
    hidden = [at for at, figure in enumerate(attacker.shown) if figure is None]
    for at in hidden:
        assert len(list(attacker.values_of(at, range(0, 60, 2)))) > 1, (printed, at)
    return len(hidden)


def test_nothing_of_a_case_is_in_a_pack(hub: Record):
    """R59: no reference, no name, and no route to one"""
    references = []
    for number in range(6):
        reference = walk(Stage.AWAITING_DECISION, sender_id=f"n{number}")
        decide(reference, *([no_action()] if number % 2 else []))
        references.append(reference)
    told = json.dumps(pack())
    assert not [reference for reference in references if reference in told]
    assert not re.search(r"[2-9B-Z]{4}-[2-9B-Z]{4}", told)
    for secret in ("Wren", "Ashdown", "Shouting", "The returns together show a pattern"):
        assert secret not in told
    assert chapter(pack(), "Referrals received")["by_row"]["All"][-1] == "5"


def test_feedback_and_what_changed_are_in_it_where_they_are_for_everybody(hub: Record):
    """R60, R61"""
    for words, shared in (("Calls at ten.", True), ("A family was named.", False)):
        given = act(feedback.give, FeedbackDocument(should_change="More."), by=DECIDER, at=AFTERNOON)
        answer = FeedbackAnswer(answer="Yes.", what_changed=words, for_everybody=shared)
        act(feedback.answer, given, answer, by=DECIDER, at=AFTERNOON)
    told = chapter(pack(), "Feedback")
    assert told["notes"] == ["Changed: Calls at ten."]


def test_a_review_date_that_is_past_stands_out(hub: Record):
    """R62"""
    with hub.as_owner() as owner:
        owner.execute("UPDATE sharing_agreement SET review_on = '2026-01-05'")
    rows = chapter(pack(), "Review")["rows"]
    assert next(row[2] for row in rows) == "Overdue"


def test_a_pack_is_made_once_and_kept_as_it_was(hub: Record):
    """R59: two editions of one quarter could be compared"""
    content = pack()
    period = (QUARTER.first, QUARTER.last)
    first = act(board_packs.keep, Side.CHILD, period, content, by=ANALYST, at=AFTERNOON)
    again = act(board_packs.keep, Side.CHILD, period, {"chapters": []}, by=HUB, at=AFTERNOON)
    assert first == again
    assert act(board_packs.one, first, by=BOARD).content == content
    assert [each.id for each in act(board_packs.listed, by=ANALYST)] == [first]


def test_the_hub_makes_both_packs_two_weeks_after_the_quarter_and_no_second_ones(hub: Record):
    """R60: by schedule"""
    while act(refresh.refresh):
        pass
    assert act(rounds.pack_boards, at=london("Tue 14 Apr 2026 09:00")) == list(Side)
    [first] = {each.first_on for each in act(board_packs.listed, by=ANALYST)}
    assert first == date(2025, 10, 1)
    assert act(rounds.pack_boards, at=london("Wed 15 Apr 2026 09:00")) == list(Side)
    assert act(rounds.pack_boards, at=london("Thu 16 Apr 2026 09:00")) == []
    assert {each.first_on for each in act(board_packs.listed, by=BOARD)} == {first, QUARTER.first}


def test_only_analysts_make_packs_and_boards_read_them(hub: Record):
    """R59, R48"""
    with pytest.raises(NotPermitted):
        act(board_packs.keep, Side.CHILD, (QUARTER.first, QUARTER.last), {}, by=DECIDER, at=AFTERNOON)
    with pytest.raises(NotPermitted):
        act(board_packs.listed, by=DECIDER)
    with pytest.raises(NotFound):
        act(board_packs.one, NO_ID, by=BOARD)


NO_ID = "00000000-0000-4000-8000-000000000000"


def test_a_pack_is_a_tagged_pdf(hub: Record):
    """R60: PDF/UA"""
    pdf = as_pdf(pack(Side.ADULT), made_at=AFTERNOON)
    assert pdf.startswith(b"%PDF")
    assert b"/MarkInfo" in pdf


@pytest.mark.parametrize(
    ("day", "first", "last", "name"),
    [
        (date(2026, 3, 31), date(2026, 1, 1), date(2026, 3, 31), "January to March 2026"),
        (date(2026, 12, 1), date(2026, 10, 1), date(2026, 12, 31), "October to December 2026"),
    ],
)
def test_a_quarter_is_one_of_the_calendar(day: date, first: date, last: date, name: str):
    """R60"""
    quarter = packs.quarter_of(day)
    assert (quarter.first, quarter.last, quarter.name) == (first, last, name)
    assert packs.ended(quarter.following().first)[0] == quarter
