"""Sending a referral and following it, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import Session, col, select

from casework.db import now, unit_of_work
from casework.outcome import acknowledge, close
from models.referral import MisdirectedContact, Referral
from portal import examples
from portal.examples import ADULT, CHILD, JOINT
from rules.permissions import Actor, Role
from tests.portal.office import ADULTS, CHILDREN, Office, a_referral, acts


def pointers(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {error["pointer"] for error in answer.json()["errors"]}


def count(session: Session, sender_id: str) -> int:
    return len(session.exec(select(Referral).where(col(Referral.sender_id) == sender_id)).all())


@pytest.mark.parametrize("name", examples.REFERRALS)
def test_a_newcomers_example_is_accepted(office: Office, name: str) -> None:
    """R01"""
    document = a_referral(examples.REFERRALS[name])
    answer = office.post(document["duty_team"], "/referrals", document)
    assert answer.status_code == 201
    received = answer.json()
    assert answer.headers["Location"] == received["links"]["self"] == f"/api/v1/referrals/{received['reference']}"
    assert received["stage"] in {"RECEIVED", "QUEUED_OUT_OF_HOURS"}


def test_every_bad_field_is_reported_at_once_and_nothing_is_stored(office: Office) -> None:
    """R01, R04, R05"""
    document = a_referral(JOINT)
    document["surprise/field"] = 1
    del document["decision_to_refer"]["by"]
    document["sending_officer"]["reply_to"] = "nobody"
    document["eligibility"]["clarification_question"] = "  "
    document["concern"]["source"] = "99"
    document["concern"]["urgency"] = "SOON"
    document["subjects"][0]["nhs_number"] = "9990000019"
    document["subjects"][1]["consent"] = "MAYBE"
    document["subjects"][1]["protected_address"] = "no"
    document["subjects"][2]["voice_missing_because"] = None
    assert pointers(office.post(CHILDREN, "/referrals", document)) == {
        "/surprise~1field",
        "/decision_to_refer/by",
        "/sending_officer/reply_to",
        "/eligibility/clarification_question",
        "/concern/source",
        "/concern/urgency",
        "/subjects/0/nhs_number",
        "/subjects/1/consent",
        "/subjects/1/protected_address",
        "/subjects/2/voice",
    }
    with unit_of_work() as session:
        assert count(session, document["sender_id"]) == 0


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (["duty_team"], "POLICE", "/duty_team"),
        (["subjects"], [], "/subjects"),
        (["subjects", 0, "date_of_birth"], "2999-01-01", "/subjects/0/date_of_birth"),
        (["subjects", 0, "date_of_birth"], 1500000000, "/subjects/0/date_of_birth"),
        (["decision_to_refer", "at"], "2999-01-01T00:00:00Z", "/decision_to_refer/at"),
        (["decision_to_refer", "at"], "2026-03-13T09:40:00", "/decision_to_refer/at"),
        (["decision_to_refer", "why_existing_information_is_not_enough"], "", None),
        (["eligibility", "safeguarding_concern"], "yes", "/eligibility/safeguarding_concern"),
        (["concern", "narrative"], "x" * 20_001, "/concern/narrative"),
        (["sender_id"], "nul\x00", "/sender_id"),
        (["sender_id"], "x" * 101, "/sender_id"),
        (["upstream_reference"], "x" * 101, "/upstream_reference"),
        (["subjects", 0, "given_name"], "\ud800", "/subjects/0/given_name"),
        (["subjects", 0, "actor"], "somebody", "/subjects/0/actor"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(office: Office, path: list[Any], value: Any, pointer: str | None) -> None:
    """R01, R04, R05"""
    document: Any = a_referral(CHILD)
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert pointers(office.post(CHILDREN, "/referrals", document)) == {pointer or "/" + "/".join(path)}


@pytest.mark.parametrize("document", ["[]", '"text"', "1", "null", "true"])
def test_what_is_no_object_is_no_referral(office: Office, document: str) -> None:
    """R01"""
    answer = office.ask(CHILDREN, "POST", "/referrals", content=document, headers={"Content-Type": "application/json"})
    assert "" in pointers(answer)


def test_the_same_document_sent_twice_is_one_referral_and_other_content_is_a_conflict(office: Office) -> None:
    """R01"""
    document = a_referral(CHILD)
    first, second = (office.post(CHILDREN, "/referrals", document) for _ in range(2))
    other = office.post(CHILDREN, "/referrals", {**document, "upstream_reference": "another case"})
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["reference"] == second.json()["reference"]
    assert other.json()["type"] == "urn:mash:problem:conflict"


def test_eight_posts_of_one_id_at_once_make_one_referral(office: Office) -> None:
    """R01"""
    document = a_referral(CHILD)
    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(lambda _: office.post(CHILDREN, "/referrals", document), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["reference"] for answer in answers}) == 1
    with unit_of_work() as session:
        assert count(session, document["sender_id"]) == 1


def test_a_duty_team_refers_under_its_own_name_alone(office: Office) -> None:
    """R01"""
    answer = office.post(ADULTS, "/referrals", a_referral(CHILD))
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:mash:problem:not-permitted")


def test_an_agency_that_refers_is_shown_the_front_door_and_counted(office: Office) -> None:
    """R02"""

    def counted() -> int:
        with unit_of_work() as session:
            return len(session.exec(select(MisdirectedContact).where(MisdirectedContact.agency == "POLICE")).all())

    before = counted()
    answer = office.post("POLICE", "/referrals", a_referral(CHILD))
    assert answer.status_code == 403
    assert set(answer.json()["front_door"]) == {"child", "adult"}
    assert answer.json()["front_door"]["adult"]["telephone"]
    assert counted() == before + 1


def test_a_clear_concern_at_the_door_says_at_once_that_no_agency_is_asked(office: Office) -> None:
    """R06"""
    document = a_referral(CHILD)
    document["eligibility"] = {"safeguarding_concern": True, "extent_unclear": False}
    assert "goes back to you" in office.post(CHILDREN, "/referrals", document).json()["advice"][0]


def test_the_team_sees_each_check_and_others_only_the_stage(office: Office) -> None:
    """R13, R48, R49"""
    reference = office.refer_and_ask(JOINT)
    team, duty, operator = (
        office.get(who, f"/referrals/{reference}").json() for who in ("MASH_SUPPORT", CHILDREN, "OPERATOR")
    )
    assert {check["agency"] for check in team["checks"]} > {"POLICE", "COUNCIL_ADULTS"}
    assert "POLICE" in team["waiting"]
    assert team["whose_move"] == "the agencies asked"
    assert all(check["due_in_words"] and check["breached_at"] is None for check in team["checks"])
    assert (duty["stage"], duty["waiting"]) == ("CHECKING", "Waiting for returns")
    for seen in (duty, operator, office.get("SUPPORT_WITHOUT_PROFILE", f"/referrals/{reference}").json()):
        assert not {"checks", "reconsiderations", "dissent", "templates"} & set(seen)
    for text in (str(team), str(duty), str(operator)):
        assert "Testfamily" not in text
        assert "Imaginary" not in text


def test_the_other_duty_team_follows_once_it_was_handed_its_subjects_back(office: Office) -> None:
    """R08, R42"""
    reference = office.refer_and_join(JOINT)
    assert office.get(ADULTS, f"/referrals/{reference}").status_code == 404
    handed_back = office.refer_and_hand_back(JOINT)
    assert office.get(ADULTS, f"/referrals/{handed_back}").json()["stage"] == "AWAITING_ACK"
    listed = office.get(ADULTS, "/referrals", params={"limit": 200}).json()["referrals"]
    assert handed_back in {each["reference"] for each in listed}
    assert reference not in {each["reference"] for each in listed}


def test_the_list_pages_through_what_is_not_closed_and_filters_by_stage(office: Office) -> None:
    """R10"""
    mine = [office.refer(ADULT) for _ in range(3)]
    closed = office.refer_and_hand_back(ADULT)
    with unit_of_work() as session:
        at = now(session)
        acknowledge(session, closed, by=Actor(ADULTS, Role.DUTY_TEAM, duty_team=ADULTS), at=at)
        close(session, closed, at=at)
    seen: list[str] = []
    page = office.get(ADULTS, "/referrals", params={"limit": 1}).json()
    while page["next"]:
        seen += [each["reference"] for each in page["referrals"]]
        page = office.get(ADULTS, "/referrals", params={"limit": 1, "after": page["next"]}).json()
    seen += [each["reference"] for each in page["referrals"]]
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in mine] == mine
    assert closed not in seen
    only_closed = office.get(ADULTS, "/referrals", params={"stage": "CLOSED", "limit": 200}).json()["referrals"]
    assert closed in {each["reference"] for each in only_closed}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"stage": "NOWHERE"}, "?stage"), ({"limit": 0}, "?limit"), ({"after": "7KQ2-XW9S"}, "?after")],
)
def test_a_wrong_query_is_named(office: Office, query: dict[str, Any], pointer: str) -> None:
    """R10"""
    assert pointers(office.get("OPERATOR", "/referrals", params=query)) == {pointer}


def test_a_clear_concern_that_arrives_meanwhile_cancels_every_open_check(office: Office) -> None:
    """R06"""
    reference = office.refer_and_ask(CHILD)
    assert office.post(CHILDREN, f"/referrals/{reference}/clear-concern").json()["stage"] == "HANDING_BACK"
    checks = office.get("MASH_SUPPORT", f"/referrals/{reference}").json()["checks"]
    assert {(check["status"], check["breached_at"]) for check in checks} == {("CANCELLED", None)}
    assert office.post(CHILDREN, f"/referrals/{reference}/clear-concern").status_code == 409


def test_a_withdrawal_needs_a_coded_reason_and_can_leave_the_others_here(office: Office) -> None:
    """R06"""
    reference = office.refer_and_ask(JOINT)
    path = f"/referrals/{reference}/withdraw"
    assert pointers(office.post(CHILDREN, path)) == {"/reason"}
    assert pointers(office.post(CHILDREN, path, {"reason": "OTHER", "subjects": ["S9"]})) == {"/subjects/0"}
    answer = office.post(CHILDREN, path, {"reason": "MOVED_AREA", "subjects": ["S1"]})
    assert answer.json()["stage"] == "CHECKING"


def test_the_outcome_comes_with_the_upstream_reference_unchanged_and_is_acknowledged_once(office: Office) -> None:
    """R03, R42, R43"""
    reference = office.refer_and_hand_back(JOINT, upstream_reference="Case  7/Ä (x)")
    for team, subjects in ((CHILDREN, ["S2", "S3"]), (ADULTS, ["S1"])):
        told = office.get(team, f"/referrals/{reference}/outcome").json()
        assert told["upstream_reference"] == "Case  7/Ä (x)"
        assert [outcome["subject"] for outcome in told["outcomes"]] == subjects
        assert office.post(team, f"/referrals/{reference}/acknowledgement", {"version": 2}).status_code == 409
        for _ in range(2):
            assert office.post(team, f"/referrals/{reference}/acknowledgement", {"version": 1}).status_code == 200
    assert acts(reference).count("OUTCOME_READ") == acts(reference).count("ACKNOWLEDGED") == 2
