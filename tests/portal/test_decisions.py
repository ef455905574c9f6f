"""Discussion, views, the decision and the template, over HTTP."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from casework.db import now, unit_of_work
from portal.examples import CHILD, JOINT, RETURN, VIEW
from tests.portal.office import CHILDREN, Office, a_decision, a_discussion, acts


def discussed(office: Office, reference: str) -> None:
    with unit_of_work() as session:
        document = a_discussion(now(session))
    assert office.post("MASH_SUPPORT", f"/referrals/{reference}/discussions", document).status_code == 200


def decision(reference: str, **changes: Any) -> dict[str, Any]:
    with unit_of_work() as session:
        return {**a_decision(session, reference), **changes}


@pytest.mark.parametrize(
    "account",
    ["MASH_SUPPORT", "SUPPORT_WITHOUT_PROFILE", "DECIDER_WITHOUT_PROFILE", CHILDREN, "POLICE", "OPERATOR", "BOARD"],
)
def test_only_a_person_with_the_mash_profile_who_decides_may_decide(office: Office, account: str) -> None:
    """R17, R35, R36, R48"""
    reference = office.refer_and_join(CHILD)
    discussed(office, reference)
    answer = office.post(account, f"/referrals/{reference}/decisions", decision(reference))
    assert answer.status_code == 403
    assert "DECIDED" not in acts(reference)


def test_the_decider_is_the_account_of_the_token_and_no_field_can_say_otherwise(office: Office) -> None:
    """R35"""
    reference = office.refer_and_join(CHILD)
    discussed(office, reference)
    path = f"/referrals/{reference}/decisions"
    forged = office.post("DECISION_MAKER", path, decision(reference, decided_by="SECOND_DECIDER"))
    assert [error["pointer"] for error in forged.json()["errors"]] == ["/decided_by"]
    assert office.post("DECISION_MAKER", path, decision(reference)).json()["stage"] == "HANDING_BACK"


def test_of_two_deciders_at_once_one_meets_a_conflict(office: Office) -> None:
    """R35"""
    reference = office.refer_and_join(CHILD)
    discussed(office, reference)
    document = decision(reference)
    with ThreadPoolExecutor(2) as together:
        answers = together.map(
            lambda account: office.post(account, f"/referrals/{reference}/decisions", document),
            ("DECISION_MAKER", "SECOND_DECIDER"),
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert acts(reference).count("DECIDED") == 1


def test_a_decision_on_an_older_version_is_a_conflict(office: Office) -> None:
    """R35, R41"""
    reference = office.refer_and_join(CHILD)
    document = decision(reference)
    office.post("POLICE", f"/referrals/{reference}/check/return", RETURN)
    answer = office.post("DECISION_MAKER", f"/referrals/{reference}/decisions", document)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:mash:problem:conflict")


def test_nothing_is_decided_by_leaving_it_out_and_every_bad_field_is_named(office: Office) -> None:
    """R34, R35"""
    reference = office.refer_and_join(JOINT)
    document = decision(reference)
    path = f"/referrals/{reference}/decisions"
    for field in ("threshold_met", "outcome", "rationale", "actions"):
        lacking = {**document, "decisions": [{k: v for k, v in document["decisions"][0].items() if k != field}]}
        errors = office.post("DECISION_MAKER", path, lacking).json()["errors"]
        assert [error["pointer"] for error in errors] == [f"/decisions/0/{field}"]
    document["decisions"][1]["outcome"] = "A_S42"
    document["decisions"][2]["level_of_need"] = "L9"
    errors = office.post("DECISION_MAKER", path, document).json()["errors"]
    assert {error["pointer"] for error in errors} == {
        "/decisions/1/outcome",
        "/decisions/2/level_of_need",
        "/without_discussion_because",
    }


def test_a_word_is_no_answer_to_whether_the_threshold_is_met(office: Office) -> None:
    """R35"""
    reference = office.refer_and_join(CHILD)
    document = decision(reference, without_discussion_because="Nobody is here.")
    document["decisions"][0]["threshold_met"] = "no"
    answer = office.post("DECISION_MAKER", f"/referrals/{reference}/decisions", document)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/decisions/0/threshold_met"]


def test_the_discussion_called_early_marks_who_is_no_longer_awaited(office: Office) -> None:
    """R13"""
    reference = office.refer_and_ask(CHILD)
    office.post("POLICE", f"/referrals/{reference}/check/return", RETURN)
    seen = office.post("MASH_SUPPORT", f"/referrals/{reference}/discuss-now")
    assert seen.status_code == 200
    assert seen.json()["discuss_now_at"]
    statuses = {check["agency"]: check["status"] for check in seen.json()["checks"]}
    assert statuses.pop("POLICE") == "RETURNED"
    assert set(statuses.values()) == {"NOT_AWAITED"}


def test_a_disagreement_needs_its_reason_and_is_never_hidden(office: Office) -> None:
    """R37"""
    reference = office.refer_and_join(CHILD)
    path = f"/referrals/{reference}/views"
    bare = office.post("MENTAL_HEALTH", path, {"agency": "MENTAL_HEALTH", "view": "DISAGREE"})
    assert [error["pointer"] for error in bare.json()["errors"]] == ["/reason"]
    assert office.post("MENTAL_HEALTH", path, VIEW).status_code == 204
    assert office.post("POLICE", path, VIEW).status_code == 404
    assert office.get("MASH_SUPPORT", f"/referrals/{reference}").json()["dissent"]["stage"] == "RECORDED"
    page = office.get("MASH_SUPPORT", f"/referrals/{reference}/template?format=html").text
    assert "The agencies do not all agree." in page
    assert "Disagrees" in page


def test_a_return_is_on_the_template_the_moment_it_is_made(office: Office) -> None:
    """R13, R27"""
    reference = office.refer_and_ask(CHILD)
    office.post("POLICE", f"/referrals/{reference}/check/return", RETURN)
    template = office.get("MASH_SUPPORT", f"/referrals/{reference}/template").json()
    sections = {each["agency"]: each["section"] for each in template["agencies"]}
    assert (sections["POLICE"], sections["COUNCIL_CHILDREN"], sections["RUH"]) == ("RETURNED", "AWAITED", "NOT_ASKED")
    assert len(template["chronology"]) == 2


@pytest.mark.parametrize(
    ("accept", "query", "kind"),
    [
        ("*/*", "", "application/json"),
        ("application/json", "", "application/json"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "", "text/html; charset=utf-8"),
        ("application/json, text/html", "", "application/json"),
        ("application/json", "?format=html", "text/html; charset=utf-8"),
        ("text/html", "?format=json", "application/json"),
    ],
)
def test_the_template_comes_in_the_form_that_was_asked_for(
    office: Office, joined: str, accept: str, query: str, kind: str
) -> None:
    """R27"""
    for path in ("template", "templates/1"):
        answer = office.get("DECISION_MAKER", f"/referrals/{joined}/{path}{query}", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)


def test_the_page_has_every_agency_and_nothing_that_runs(office: Office) -> None:
    """R27, R30, R37"""
    hostile = "<script>alert(1)</script>{{ 7 * 7 }}"
    document = {**CHILD["concern"], "narrative": hostile}
    reference = office.refer_and_join(CHILD, concern=document)
    known = {**RETURN, "summary": hostile}
    office.post("POLICE", f"/referrals/{reference}/check/return", known)
    answer = office.get("MASH_SUPPORT", f"/referrals/{reference}/template?format=html")
    page = answer.text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in page
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    content = office.get("MASH_SUPPORT", f"/referrals/{reference}/template").json()
    for agency in content["agencies"]:
        assert f'id="agency-{agency["agency"]}"' in page
        assert agency["words"] in page
    assert page.count("<h1>") == 1
    assert [int(level) for level in re.findall(r"<h(\d)", page)][:2] == [1, 2]
    assert all("scope=" in cell for cell in re.findall(r"<th[^>]*>", page) if cell != "<thead>")
    assert page.count("<table>") == page.count("<caption>")
    assert len(set(re.findall(r' id="([^"]+)"', page))) == page.count(' id="')
    assert not re.search(r"style=|<style|onclick|https?://", page)


def test_kept_versions_stay_as_they_were_and_every_reading_is_in_the_ledger(office: Office, joined: str) -> None:
    """R41, R48"""
    path = f"/referrals/{joined}/templates/1"
    before = office.get("MASH_SUPPORT", path).content
    office.post("POLICE", f"/referrals/{joined}/check/return", RETURN)
    assert office.get("MASH_SUPPORT", path).content == before
    kept = office.get("MASH_SUPPORT", f"/referrals/{joined}").json()["templates"]
    assert kept[0]["digest"] == hashlib.sha256(before).hexdigest()
    assert acts(joined).count("ASSESSMENT_READ") >= 2
    for version in ("2", "0", "x", "99999999999999999999"):
        assert office.get("MASH_SUPPORT", f"/referrals/{joined}/templates/{version}").status_code == 404


@pytest.mark.parametrize(
    "account", ["SUPPORT_WITHOUT_PROFILE", "DECIDER_WITHOUT_PROFILE", CHILDREN, "POLICE", "OPERATOR"]
)
def test_the_assessment_opens_to_the_mash_profile_alone(office: Office, joined: str, account: str) -> None:
    """R48"""
    for path in ("template", "template?format=html", "templates/1", "checks/POLICE"):
        answer = office.get(account, f"/referrals/{joined}/{path}")
        assert answer.status_code == 403
        assert "Testchild" not in answer.text


@pytest.fixture
def joined(office: Office) -> str:
    """A child's referral on which a decision is wanted."""
    return office.refer_and_join(CHILD)
