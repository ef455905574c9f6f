"""The analyst's board of agency checks: figures, charts, what they mean, and references alone (R25, R60)."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from casework import restriction
from casework.db import now, unit_of_work
from casework.register import current_profile
from casework.restriction_documents import RestrictionDocument
from portal.examples import CHILD
from reports import refresh
from tests.portal.office import DECIDER, Office, lapse, returns
from tests.portal.people import Person, at_their_desk


@pytest.fixture
def analyst(office: Office, client: Any) -> Person:
    return at_their_desk(client, "ANALYST")


def work_out() -> None:
    """As the timekeeper does each minute."""
    with unit_of_work() as session:
        while refresh.refresh(session):
            pass


@pytest.fixture
def reference(office: Office) -> str:
    """A referral of today, whose agencies have returned nothing known."""
    reference = office.refer_and_join(CHILD)
    work_out()
    return reference


def as_csv(analyst: Person, what: str, query: str = "") -> list[dict[str, str]]:
    answer = analyst.get(f"/sla/{what}.csv{query}")
    assert answer.headers["content-disposition"].endswith(
        f'{"checks" if what == "checks" else "figures-by-agency"}.csv"'
    )
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_board_shows_figures_beside_charts_and_what_each_means(analyst: Person, reference: str):
    """R25, R60"""
    text = analyst.get("/sla").text
    for said in ('<title id="bars-title">', '<desc id="run-words">', "What each figure means", "Breach rate by month"):
        assert said in text
    assert "Of these: returned by the due time" in text
    assert current_profile().agency("POLICE").names[-1].name in text
    assert re.search(r'>Workload</caption>.*data-label="On a working day">\d+\.\d<', text, re.DOTALL)
    assert reference not in text


def test_every_figure_leads_to_references_and_no_further(analyst: Person, reference: str):
    """R59: references alone, and no link to a case"""
    page = analyst.get(
        "/sla?by=agency&state=on_time&first%3Adate.day=1&first%3Adate.month=1&first%3Adate.year=2020"
        "&last%3Adate.day=31&last%3Adate.month=12&last%3Adate.year=2099"
    )
    [link] = set(re.findall(r'href="(/sla/checks[^"]*agency=POLICE&amp;state=on_time)"', page.text))
    shown = analyst.get(link.replace("&amp;", "&")).text
    assert reference in shown
    assert "Examplia" not in shown
    assert f"/{reference}" not in shown
    assert analyst.get(f"/board/{reference}").status_code == 403


def test_a_restricted_referral_is_counted_and_has_no_reference(office: Office, analyst: Person, reference: str):
    """S-5"""
    with unit_of_work() as session:
        document = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["OFFICER"])
        restriction.restrict(session, reference, document, by=DECIDER, at=now(session))
    work_out()
    assert reference not in {row["reference"] for row in as_csv(analyst, "checks")}
    assert "Restricted" in analyst.get("/sla/checks?state=on_time").text


def test_the_figures_are_those_of_the_record(office: Office, analyst: Person):
    """R25"""
    before = {row["of"]: row for row in as_csv(analyst, "figures")}
    late = office.refer_and_ask(CHILD)
    lapse(late, "POLICE")
    with unit_of_work() as session:
        returns(session, late, "POLICE")
    work_out()
    after = {row["of"]: row for row in as_csv(analyst, "figures")}
    police = before.get("POLICE", {"asked": "0", "late": "0"})
    assert int(after["POLICE"]["asked"]) == int(police["asked"]) + 1
    assert int(after["POLICE"]["late"]) == int(police["late"]) + 1


@pytest.mark.parametrize(("form", "begins"), [("xlsx", b"PK"), ("parquet", b"PAR1")])
def test_the_board_is_a_file_too(analyst: Person, form: str, begins: bytes):
    """R25"""
    for what in ("figures", "checks"):
        answer = analyst.get(f"/sla/{what}.{form}")
        assert (answer.status_code, answer.content[: len(begins)]) == (200, begins)


@pytest.mark.parametrize(("form", "begins"), [("xes", b"<?xml"), ("jsonocel", b'{"objectTypes"')])
def test_what_happened_is_a_log_for_process_mining(analyst: Person, reference: str, form: str, begins: bytes):
    """Issue 6: references and codes"""
    with unit_of_work() as session:
        today = now(session).date().isoformat()
    answer = analyst.post("/process-log", {"first": today, "last": today, "form": form})
    assert (answer.status_code, answer.content[: len(begins)]) == (200, begins)
    assert reference in answer.text
    assert "Examplia" not in answer.text
    assert analyst.post("/process-log", {"first": "2020-01-01", "last": today, "form": form}).status_code == 422


def test_a_filter_that_makes_no_sense_comes_back_with_what_was_typed(analyst: Person):
    """R25"""
    refused = analyst.get("/sla?first%3Adate.day=40&first%3Adate.month=1&first%3Adate.year=2026&by=moon")
    assert refused.status_code == 422
    for field in ("first", "last", "by"):
        assert f'href="#{field}"' in refused.text
    assert 'value="40"' in refused.text


def test_nobody_else_reads_the_figures(client: Any, office: Office):
    """R48"""
    for somebody in ("DECISION_MAKER", "BOARD", "POLICE", "ACCOUNT_ADMIN"):
        assert at_their_desk(client, somebody).get("/sla").status_code == 403


def test_agreement_on_the_threshold_is_shown_quarter_by_quarter(office: Office, analyst: Person):
    """R37, R63: a chart, the same as a table, and what each figure means"""
    text = analyst.get("/threshold-agreement").text
    with unit_of_work() as session:
        today = now(session).astimezone(current_profile().zone_info)
    assert f">Q{(today.month + 2) // 3} {today.year}</th>" in text
    assert text.count('<th scope="row"') == 9
    assert "Krippendorff" in text
    one_side = analyst.get("/threshold-agreement?side=child").text
    assert '<option value="child" selected>Children</option>' in one_side
    assert at_their_desk(office.client, "DECISION_MAKER").get("/threshold-agreement").status_code == 403


def test_an_analysts_program_gets_the_boards_figures_as_json(office: Office, analyst: Person, reference: str):
    """R25, R60: the same as the page's file, with what each means, and no reference"""
    headers = {"Authorization": f"Bearer {office.tokens['ANALYST']}"}
    answer = office.client.get("/api/v1/figures?by=agency", headers=headers)
    told = answer.json()
    filed = {row["of"]: row for row in as_csv(analyst, "figures")}
    assert {row["of"]: str(row["asked"]) for row in told["rows"]} == {of: row["asked"] for of, row in filed.items()}
    assert told["all"]["asked"] == sum(row["asked"] for row in told["rows"])
    assert told["definitions"]["asked"] == "Agency checks that were asked for"
    assert reference not in answer.text
    sides = office.client.get("/api/v1/figures?agency=POLICE&by=side", headers=headers).json()["rows"]
    assert str(sum(row["asked"] for row in sides)) == filed["POLICE"]["asked"]
    assert "child" in {row["of"] for row in sides} <= {"child", "adult", "both"}
    backwards = office.client.get("/api/v1/figures?first=2026-02-01&last=2026-01-01", headers=headers)
    assert (backwards.status_code, backwards.headers["content-type"]) == (422, "application/problem+json")
    quarters = office.client.get("/api/v1/figures/agreement?side=child", headers=headers).json()["quarters"]
    assert len(quarters) == 9


def test_the_ways_of_referrals_are_drawn_beside_a_table(office: Office, analyst: Person, reference: str):
    """Issue 6, point 6: by a button of the board, in counts alone"""
    assert 'formaction="/process-map"' in analyst.get("/sla").text
    with unit_of_work() as session:
        today = now(session).date().isoformat()
    text = analyst.post("/process-map", {"first": today, "last": today}).text
    assert '<title id="ways-title">' in text
    assert re.search(r'<th scope="row"[^>]*>Agencies asked</th><td[^>]*>Returns joined</td>', text)
    assert reference not in text
    assert analyst.post("/process-map", {"first": "2020-01-01", "last": today}).status_code == 422
    assert at_their_desk(office.client, "DECISION_MAKER").post("/process-map", {}).status_code == 403


def test_an_agency_sees_its_own_figures_and_nobody_elses(office: Office, client: Any, reference: str):
    """R66, R67: the same counts as the analyst's, of its own checks alone"""
    police = at_their_desk(client, "POLICE")
    text = police.get("/your-figures").text
    of_all = {row["of"]: row for row in as_csv(at_their_desk(client, "ANALYST"), "figures")}
    [total] = re.findall(r'>All</th><td[^>]*data-label="Asked">(\d+)<', text)
    assert total == of_all["POLICE"]["asked"]
    assert re.search(r"\d\.\d checks on a working day, most of them between \d\d:00 and \d\d:00", text)
    others = {agency.names[-1].name for agency in current_profile().agencies if agency.code != "POLICE"}
    assert {name for name in others if name in text} == set()
    assert reference not in text
    assert 'href="/your-figures"' in police.get("/tasks").text
    assert at_their_desk(client, "ANALYST").get("/your-figures").status_code == 403
