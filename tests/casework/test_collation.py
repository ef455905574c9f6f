"""The returns become one document: whole, the same to the byte for the same record, and kept as it was."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casework import collation, discussion, queues, referrals
from casework.register import current_profile
from rules.errors import NotFound, NotPermitted
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    JUST_OVERDUE,
    OPERATOR,
    SUPPORT,
    a_child,
    a_family,
    act,
    acts_of,
    all_give_back,
    an_item,
    answer,
    ask,
    decide,
    document,
    duty,
    give_back,
    join,
    no_action,
    refer,
    referral,
    rep,
    walk,
)
from tests.casework.golden import content_bytes, everything

GOLDEN = Path(__file__).with_name("golden_template.json")
SCRIPT = '<script>alert("x")</script>'


def _content(reference: str, at=AFTERNOON) -> dict[str, Any]:
    return act(lambda session: collation.current_content(session, referrals.find(session, reference), at))


def _sections(reference: str, at=AFTERNOON) -> dict[str, str]:
    return {each["agency"]: each["section"] for each in _content(reference, at)["agencies"]}


def test_the_template_of_a_full_record_is_the_one_that_was_approved():
    """R27, R30. A wanted change: look at the difference, then write the new content into golden_template.json"""
    found = json.loads(content_bytes(everything()))
    assert found == json.loads(GOLDEN.read_text())


def test_the_same_record_gives_the_same_bytes_each_time_and_in_every_process():
    """R27: deterministic to the byte"""
    reference = everything()
    first = content_bytes(reference)
    assert content_bytes(reference) == first
    command = [sys.executable, "-m", "tests.casework.golden", reference]
    # Another order of every set and dictionary of texts.
    surroundings = {**os.environ, "PYTHONHASHSEED": "1"}
    elsewhere = subprocess.run(command, env=surroundings, capture_output=True, check=True)
    assert elsewhere.stdout == first


@pytest.mark.parametrize("stage", Stage)
def test_no_agency_is_ever_missing(stage):
    """R27: asked or not asked, at every stage"""
    everybody = [agency.code for agency in current_profile().agencies]
    assert list(_sections(walk(stage))) == everybody


def test_each_section_says_which_of_the_eight_things_it_is():
    """R27, requirements §4.9: late, declined, silent and not asked are all different"""
    reference = everything()
    assert _sections(reference, JUST_OVERDUE) == {
        "POLICE": "RETURNED",
        "COUNCIL_CHILDREN": "RETURNED",
        "COUNCIL_ADULTS": "RETURNED_LATE",
        "COMMUNITY_HEALTH_CHILDREN": "NOT_RETURNED",
        "COMMUNITY_HEALTH_ADULTS": "NOT_RETURNED",
        "MENTAL_HEALTH": "DECLINED",
        **dict.fromkeys(("PROBATION", "CAMHS", "CCG", "RUH"), "NOT_ASKED"),
    }
    assert _sections(reference, AFTERNOON)["COMMUNITY_HEALTH_ADULTS"] == "AWAITED"
    act(discussion.discuss_now, reference, by=SUPPORT, at=AFTERNOON)
    assert _sections(reference)["COMMUNITY_HEALTH_ADULTS"] == "NOT_AWAITED"


def test_nothing_known_is_a_full_answer(checking):
    """R27, INV13"""
    give_back(checking, "POLICE", answer("NOT_KNOWN"))
    [police] = [each for each in _content(checking)["agencies"] if each["agency"] == "POLICE"]
    assert (police["section"], police["result_label"]) == ("RETURNED", "Not known")
    assert police["return"]["systems_searched"]


def test_the_chronology_interleaves_by_the_date_of_the_event_and_then_by_agency():
    """R30"""
    lines = [(item["event_date"], item["agency"]) for item in _content(everything(), JUST_OVERDUE)["chronology"]]
    assert lines == [
        ("2025-11-02", "POLICE"),
        ("2026-01-09", "COUNCIL_CHILDREN"),
        ("2026-02-20", "POLICE"),
        ("2026-02-20", "COUNCIL_ADULTS"),
    ]


def test_who_lives_together_stands_together():
    mother, son, daughter = a_family()
    reference = refer(subjects=[mother, {**son, "household": 2}, daughter])
    shown = [
        (home["household"], [each["subject"] for each in home["subjects"]]) for home in _content(reference)["household"]
    ]
    assert shown == [(1, ["S1", "S3"]), (2, ["S2"])]


def test_no_address_is_in_the_assessment():
    """Requirements §3, finding 11"""
    reference = refer(subjects=[{**a_child(), "address": "14 Canaryrow"}, *a_family()[:1]])
    assert "Canaryrow" not in json.dumps(_content(reference))


def test_joining_twice_keeps_one_version(record, checking):
    all_give_back(checking)
    join(checking)
    join(checking)
    act(collation.collate, checking, at=AFTERNOON)
    assert record.ask("SELECT version, taken_for FROM collated_template") == [(1, "JOIN")]
    assert acts_of(record, checking).count("DECISION_REQUESTED") == 1


def test_what_the_decider_saw_is_kept_whatever_comes_later(record):
    """R41"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, no_action(), at=JUST_OVERDUE)
    before = [(kept.version, kept.taken_for, kept.content, kept.digest) for kept in act(collation.kept, reference)]
    assert [kept[:2] for kept in before] == [(1, "JOIN"), (2, "DECISION")]
    give_back(reference, "POLICE", answer("KNOWN_OPEN", ("2026-03-01", "New.")), at=JUST_OVERDUE)
    give_back(reference, "MENTAL_HEALTH", answer("KNOWN_OPEN"), at=JUST_OVERDUE)
    after = [(kept.version, kept.taken_for, kept.content, kept.digest) for kept in act(collation.kept, reference)]
    assert after == before
    assert _sections(reference, JUST_OVERDUE)["POLICE"] == "RETURNED_LATE"
    [(named,)] = record.ask("SELECT detail ->> 'seen' FROM ledger WHERE act = 'DECIDED'")
    assert named == str(before[1][0])


def test_a_kept_versions_digest_is_that_of_its_bytes():
    """R41"""
    for kept in act(collation.kept, walk(Stage.CLOSED)):
        assert hashlib.sha256(collation.canonical(kept.content)).hexdigest() == kept.digest


@pytest.mark.parametrize("by", [duty(), rep("POLICE"), OPERATOR], ids=lambda actor: actor.id)
def test_the_assessment_opens_to_the_mash_profile_alone(record, by):
    """R48"""
    reference = walk(Stage.AWAITING_DECISION)
    for look in (
        lambda s: collation.read(s, reference, by=by, at=AFTERNOON),
        lambda s: queues.read_kept(s, reference, 1, by=by, at=AFTERNOON),
    ):
        with pytest.raises(NotPermitted):
            act(look)
    assert "ASSESSMENT_READ" not in acts_of(record, reference)


def test_a_version_that_is_not_there_is_not_found():
    with pytest.raises(NotFound):
        act(queues.read_kept, walk(Stage.AWAITING_DECISION), 2, by=DECIDER, at=AFTERNOON)


# --- the page ---


def _hostile() -> str:
    """Markup in every field that a person can fill."""
    people = [{**a_child(), "given_name": SCRIPT, "family_name": SCRIPT, "household_role": SCRIPT, "voice": SCRIPT}]
    sent = document(people)
    sent["concern"]["narrative"] = sent["eligibility"]["clarification_question"] = SCRIPT
    reference = refer(subjects=people, concern=sent["concern"], eligibility=sent["eligibility"])
    ask(reference)
    item = an_item(text=SCRIPT, source=SCRIPT)
    searched = {"system": SCRIPT, "searched_with": SCRIPT, "searched_at": "2026-03-16T11:00:00+00:00"}
    asked = dict.fromkeys(("who", "role", "organisation", "what_was_asked", "what_they_said"), SCRIPT)
    returned = answer(
        "KNOWN_OPEN",
        summary=SCRIPT,
        items=[item],
        systems_searched=[searched],
        consultations=[{**asked, "consulted_at": "2026-03-16T12:00:00+00:00"}],
    )
    give_back(reference, "POLICE", returned)
    give_back(reference, "MENTAL_HEALTH", answer("NOT_SEARCHED", systems_searched=[], not_searched_because=SCRIPT))
    return reference


def test_no_markup_of_a_person_reaches_the_page():
    """S-18"""
    content = _content(_hostile())
    page = collation.render(content)
    assert json.dumps(content).count("<script>") >= 15
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 15


def test_the_page_shows_every_agency_and_every_item():
    """R27: HTML and the same content as JSON"""
    content = _content(everything(), JUST_OVERDUE)
    page = collation.render(content)
    for agency in content["agencies"]:
        assert agency["name"].replace("'", "&#39;") in page
        assert agency["words"] in page
    for item in content["chronology"]:
        assert item["text"] in page


def test_the_page_of_a_referral_nobody_has_answered_can_be_shown(checking):
    assert referral(checking).reference in collation.render(_content(checking))
