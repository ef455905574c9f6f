"""The duty team's question narrows whom is asked; each agency is asked, or not, for a coded reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casework import asking, collation, facts, intake, ledger, overrides, secondary
from casework.documents import ReferralDocument, SecondaryDocument
from casework.intake import _digest
from portal.examples import CHILD
from rules.errors import Conflict, NotAcceptable
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    FOR_A_CHILD,
    SUPPORT,
    a_family,
    act,
    ask,
    asked_agencies,
    check,
    document,
    duty,
    give_back,
    refer,
    referral,
)
from tests.casework.test_overrides import only, wanted

#: What the hub made of the example of a child while no referral said what its question is about.
SENT_BEFORE = "e53aceb8053e21014a6a5037c262d5ab16cde84731245a294a8923bf364d123c"


def asking_about(*codes: str, **more: Any) -> dict[str, Any]:
    """A referral whose question is about these."""
    sent = document(**more)
    return sent | {"eligibility": sent["eligibility"] | {"question_about": list(codes)}}


def referred(*codes: str, **more: Any) -> str:
    """Such a referral, with the agencies asked."""
    reference = act(intake.receive, asking_about(*codes, **more), by=duty(), at=ASKED).reference
    ask(reference)
    return reference


def why(reference: str) -> dict[str, str]:
    """Each agency that was asked, or not, and the reason."""
    rows = {row.agency: row.reason for row in act(asking.not_asked, reference)}
    return rows | {agency: check(reference, agency).asked_because for agency in asked_agencies(reference)}


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        ([], dict.fromkeys(FOR_A_CHILD, "IN_SCOPE")),
        (["POLICE_CONTACT"], {"POLICE": "QUESTION", "COUNCIL_CHILDREN": "WHATEVER_THE_QUESTION"}),
        (
            ["MENTAL_HEALTH"],
            {
                "POLICE": "WHATEVER_THE_QUESTION", "COUNCIL_CHILDREN": "WHATEVER_THE_QUESTION",
                "MENTAL_HEALTH": "QUESTION",
            },
        ),
        (
            ["PHYSICAL_HEALTH", "MENTAL_HEALTH", "SOCIAL_CARE", "POLICE_CONTACT"],
            dict.fromkeys(FOR_A_CHILD, "QUESTION"),
        ),
    ],
)  # fmt: skip
def test_only_those_are_asked_whom_the_question_is_for(record, about, asked):
    """R15, R29, issue 5 point 2: said nothing, everybody is asked as ever"""
    reference = referred(*about)
    reasons = why(reference)
    assert {agency: reasons[agency] for agency in asked_agencies(reference)} == asked
    left_out = set(FOR_A_CHILD) - asked.keys()
    assert {reasons[agency] for agency in left_out} <= {"NOT_NEEDED"}
    assert reasons["COUNCIL_ADULTS"] == "OUT_OF_SCOPE"


def test_the_plan_is_in_the_ledger_with_what_the_question_is_about(record):
    """R28: before anybody is asked"""
    reference = referred("POLICE_CONTACT")
    [planned] = [entry for entry in act(ledger.entries, reference) if entry.act == "ASKING_PLANNED"]
    assert planned.detail["question_about"] == ["POLICE_CONTACT"]
    assert planned.detail["asked"] == {"POLICE": "QUESTION", "COUNCIL_CHILDREN": "WHATEVER_THE_QUESTION"}
    assert planned.detail["not_asked"]["MENTAL_HEALTH"] == "NOT_NEEDED"


def test_the_template_says_who_was_left_out_and_why(record):
    """R27"""
    reference = referred("POLICE_CONTACT")
    content = act(collation.read, reference, by=DECIDER, at=ASKED)
    because = {each["agency"]: each["because"] for each in content["agencies"]}
    assert because["MENTAL_HEALTH"] == "The duty team's question is not about what it holds"
    assert because["POLICE"] == "The question is about what it holds"


def test_the_returns_are_joined_without_who_was_left_out(record):
    """R22"""
    reference = referred("POLICE_CONTACT")
    for agency in asked_agencies(reference):
        give_back(reference, agency)
    assert act(facts.checks_settled, reference, AFTERNOON) is None


def test_the_mash_team_may_have_one_that_was_left_out_asked_after_all(record):
    """R20: whoever reads the returns may know better than whoever wrote the question"""
    reference = referred("POLICE_CONTACT")
    offered = [agency.code for agency in act(secondary.to_choose_from, reference, by=SUPPORT)]
    assert {"MENTAL_HEALTH", "COMMUNITY_HEALTH_CHILDREN"} <= set(offered)
    assert "COUNCIL_ADULTS" not in offered
    one_more = SecondaryDocument(agency="MENTAL_HEALTH", blocking=True)
    act(secondary.ask, reference, one_more, by=SUPPORT, at=ASKED)
    assert why(reference)["MENTAL_HEALTH"] == "ONE_OFF"
    assert act(facts.checks_settled, reference, AFTERNOON) is not None


def test_a_family_has_the_agencies_of_both_sides_that_hold_it(record):
    """R08, R15"""
    reference = referred("PHYSICAL_HEALTH", subjects=a_family())
    assert {agency for agency, reason in why(reference).items() if reason == "QUESTION"} == {
        "COMMUNITY_HEALTH_CHILDREN", "COMMUNITY_HEALTH_ADULTS",
    }  # fmt: skip


def test_whom_the_question_needs_is_not_asked_without_an_agreement(people):
    """R55: and who is not needed is not missed"""
    only("POLICE", "COUNCIL_CHILDREN")
    reference = referred("MENTAL_HEALTH")
    reasons = why(reference)
    assert reasons["MENTAL_HEALTH"] == "NO_AGREEMENT"
    assert reasons["COMMUNITY_HEALTH_CHILDREN"] == "NOT_NEEDED"


def test_an_agency_that_was_overridden_while_the_referral_was_held_is_asked(people):
    """R55: a secondary one too"""
    only()
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    assert referral(reference).stage is Stage.AWAITING_BASIS
    act(overrides.ask_without_agreement, reference, wanted("PROBATION"), by=DECIDER, at=ASKED)
    ask(reference)
    assert why(reference)["PROBATION"] == "OVERRIDE"


def test_a_code_that_is_none_is_named(record):
    """Issue 1"""
    with pytest.raises(NotAcceptable) as refusal:
        act(intake.receive, asking_about("POLICE_CONTACT", "WEATHER"), by=duty(), at=ASKED)
    [field] = refusal.value.fields
    assert field.pointer == "/eligibility/question_about"
    assert "MENTAL_HEALTH" in field.detail


def test_a_referral_of_before_there_was_the_choice_is_still_the_same_one(record):
    """INV2: sent then and again now it is one referral, and with another question it is another"""
    assert _digest(ReferralDocument.model_validate_json(json.dumps(CHILD))) == SENT_BEFORE
    act(intake.receive, asking_about("POLICE_CONTACT"), by=duty(), at=ASKED)
    with pytest.raises(Conflict):
        act(intake.receive, document(), by=duty(), at=ASKED)
