"""An agency's queue, its own check, and its answers."""

from __future__ import annotations

from typing import Any

import pytest

from portal.examples import ADULT, CHILD, JOINT, NOTHING_KNOWN, RETURN
from rules.people import normalise_nhs_number
from tests.portal.office import CHILDREN, Office, acts, lapse


def test_an_agency_sees_the_question_and_the_least_it_needs_to_search(office: Office) -> None:
    """R05, R18, R49"""
    reference = office.refer_and_ask(CHILD)
    check = office.get("POLICE", f"/referrals/{reference}/check").json()
    assert check["question"] == CHILD["eligibility"]["clarification_question"]
    assert check["subjects"] == [
        {
            "subject": "S1",
            "side": "child",
            "given_name": "Examplia",
            "family_name": "Testchild",
            "date_of_birth": "2017-05-04",
            "nhs_number": None,
            "address": "1 Imaginary Row, Exampleton",
            "address_is_protected": False,
            "household": 1,
            "household_role": "daughter",
            "corrected_at": None,
        }
    ]
    assert check["searches_with"] == ["date_of_birth", "address"]
    told = str(check)
    for hidden in (
        normalise_nhs_number("999 000 0018"),
        CHILD["concern"]["narrative"],
        "Example Officer",
        "frightening",
        "COUNCIL_CHILDREN",
        "example-child",
    ):
        assert hidden not in told


def test_an_agency_sees_only_the_subjects_of_its_own_side(office: Office) -> None:
    """R15, R49"""
    reference = office.refer_and_ask(JOINT)
    seen = {
        agency: [
            subject["subject"] for subject in office.get(agency, f"/referrals/{reference}/check").json()["subjects"]
        ]
        for agency in ("COUNCIL_ADULTS", "COUNCIL_CHILDREN", "POLICE")
    }
    assert seen == {"COUNCIL_ADULTS": ["S1"], "COUNCIL_CHILDREN": ["S2", "S3"], "POLICE": ["S1", "S2", "S3"]}


def test_a_protected_address_is_a_flag_and_protects_the_whole_household(office: Office) -> None:
    """R49"""
    family = [
        {**JOINT["subjects"][0], "address": "3 Imaginary Row, Exampleton"},
        {**JOINT["subjects"][1], "address": "3 Imaginary Row, Exampleton", "protected_address": False},
        {**JOINT["subjects"][2], "address": "9 Invented Lane", "protected_address": False, "household": 2},
    ]
    reference = office.refer_and_ask(JOINT, subjects=family)
    answer = office.get("POLICE", f"/referrals/{reference}/check")
    assert "Imaginary Row" not in answer.text
    shown = [(each["address"], each["address_is_protected"]) for each in answer.json()["subjects"]]
    assert shown == [(None, True), (None, True), ("9 Invented Lane", False)]


def test_each_reading_of_a_check_is_in_the_ledger(office: Office) -> None:
    """R48"""
    reference = office.refer_and_ask(CHILD)
    for _ in range(2):
        office.get("POLICE", f"/referrals/{reference}/check")
    office.get("MASH_SUPPORT", f"/referrals/{reference}/checks/POLICE")
    assert acts(reference)[-3:] == ["CHECK_READ"] * 3


def test_a_check_cannot_be_seen_or_answered_by_another_agency(office: Office) -> None:
    """R49"""
    reference = office.refer_and_ask(CHILD)
    assert office.get("COUNCIL_ADULTS", f"/referrals/{reference}/check").status_code == 404
    assert office.get("POLICE", f"/referrals/{reference}/checks/COUNCIL_CHILDREN").status_code == 403
    assert office.post("RUH", f"/referrals/{reference}/check/return", NOTHING_KNOWN).status_code == 404
    assert reference not in office.get("RUH", "/checks").text


def test_the_queue_goes_by_due_time_and_loses_what_is_settled(office: Office) -> None:
    """R10"""
    first, second, third = (office.refer_and_ask(ADULT) for _ in range(3))
    lapse(third, "COUNCIL_ADULTS")
    office.post("COUNCIL_ADULTS", f"/referrals/{first}/check/return", NOTHING_KNOWN)

    def queue(**query: Any) -> list[str]:
        listed = office.get("COUNCIL_ADULTS", "/checks", params=query).json()["checks"]
        return [each["reference"] for each in listed if each["reference"] in {first, second, third}]

    assert queue() == [third, second]
    assert queue(settled=True) == [first]


def test_an_agency_acknowledges_asks_and_returns(office: Office) -> None:
    """R18, R33"""
    reference = office.refer_and_ask(CHILD)
    path = f"/referrals/{reference}/check"
    assert office.post("POLICE", f"{path}/acknowledge", {"known": "KNOWN_CLOSED"}).json()["status"] == "ACKNOWLEDGED"
    assert office.post("POLICE", f"{path}/clarify", {"text": "Which address?"}).json()["status"] == "CLARIFY"
    of_police = f"/referrals/{reference}/checks/POLICE"
    assert office.get("MASH_SUPPORT", of_police).json()["clarifications"][0]["question"] == "Which address?"
    answered = office.post("MASH_SUPPORT", f"{of_police}/answer", {"text": "The newer one."}).json()
    assert (answered["status"], answered["open_questions"]) == ("ACKNOWLEDGED", 0)
    assert office.post("POLICE", f"{path}/return", RETURN).json()["status"] == "RETURNED"
    own = office.get("POLICE", path).json()
    assert own["clarifications"][0]["answer"] == "The newer one."
    assert [(each["version"], len(each["items"])) for each in own["returns"]] == [(1, 3)]
    assert office.post("MASH_SUPPORT", f"{of_police}/answer", {"text": "Again."}).status_code == 409


@pytest.mark.parametrize(
    ("act", "document", "pointer"),
    [
        ("acknowledge", {"known": "PERHAPS"}, "/known"),
        ("clarify", {"text": " "}, "/text"),
        ("decline", {"reason": "NO"}, "/reason"),
        ("decline", {}, "/reason"),
        ("return", {"result": "NOT_KNOWN"}, "/systems_searched"),
        ("return", {**RETURN, "result": "X"}, "/result"),
        ("return", {**RETURN, "items": [{**RETURN["items"][0], "about": ["S9"]}]}, "/items/0/about"),  # type: ignore[dict-item]
        ("return", {**RETURN, "recorded_by": "somebody"}, "/recorded_by"),
    ],
)
def test_a_bad_answer_is_named_by_field(office: Office, act: str, document: dict[str, Any], pointer: str) -> None:
    """R18"""
    reference = office.refer_and_ask(CHILD)
    answer = office.post("POLICE", f"/referrals/{reference}/check/{act}", document)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_declined_check_is_settled_and_may_still_be_returned(office: Office) -> None:
    """R24"""
    reference = office.refer_and_ask(CHILD)
    path = f"/referrals/{reference}/check"
    assert office.post("POLICE", f"{path}/decline", {"reason": "NO_ISA"}).json()["status"] == "DECLINED"
    assert office.post("POLICE", f"{path}/decline", {"reason": "NO_ISA"}).status_code == 409
    assert office.post("POLICE", f"{path}/return", NOTHING_KNOWN).json()["status"] == "RETURNED"


def test_the_team_sees_a_breach_and_how_late_the_return_came(office: Office) -> None:
    """R13, R24"""
    reference = office.refer_and_ask(CHILD)
    lapse(reference, "POLICE")
    assert (
        office.post("POLICE", f"/referrals/{reference}/check/return", NOTHING_KNOWN).json()["status"] == "RETURNED_LATE"
    )
    seen = office.get("MASH_SUPPORT", f"/referrals/{reference}").json()["checks"]
    police = next(check for check in seen if check["agency"] == "POLICE")
    assert police["breached_at"] == police["due_at"]
    assert police["late_by_seconds"] > 0


def test_a_return_after_the_decision_opens_a_reconsideration_and_leaves_the_decision_alone(office: Office) -> None:
    """R24"""
    reference = office.refer_and_hand_back(CHILD)
    before = office.get(CHILDREN, f"/referrals/{reference}/outcome").json()
    answer = office.post("POLICE", f"/referrals/{reference}/check/return", {**RETURN, "summary": "News."})
    assert answer.status_code == 200
    team = office.get("MASH_SUPPORT", f"/referrals/{reference}").json()
    assert [each["agency"] for each in team["reconsiderations"]] == ["POLICE"]
    assert office.get(CHILDREN, f"/referrals/{reference}/outcome").json() == before
    assert office.get("POLICE", f"/referrals/{reference}/check").json()["returns"][1]["addendum"] is True
    path = f"/referrals/{reference}/reconsideration"
    assert office.post("MASH_SUPPORT", path, {"reason": "x"}).status_code == 403
    assert office.post("DECISION_MAKER", path, {"reason": "It is old news."}).json()["reconsiderations"] == []
    assert office.post("DECISION_MAKER", path, {"reason": "It is old news."}).status_code == 409
