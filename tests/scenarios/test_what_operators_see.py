"""After a week of cases, the engine tells operators the story of each referral, and nothing of anybody (R51)."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from casework.ledger import Act
from casework.telling import EVENT_OF
from engine.postgres import binaries
from engine.stack import Stack
from tests.engine.conftest import wait_for
from tests.scenarios import pack, people
from tests.scenarios.play import Hub, Played


def _strings(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [text for value in document.values() for text in _strings(value)]
    if isinstance(document, list):
        return [text for value in document for text in _strings(value)]
    return [document] if isinstance(document, str) else []


def _personal() -> list[str]:
    """Everything that the pack says of people, in the words in which it is said."""
    subjects = [people.a_child(), people.an_adult(), *people.a_family()]
    fields = ("given_name", "family_name", "address", "voice", "date_of_birth", "nhs_number")
    referral = people.a_referral("CHILDREN_DUTY", "x", [], pack.STARTS)
    said = [
        referral["concern"]["narrative"],
        referral["eligibility"]["clarification_question"],
        referral["decision_to_refer"]["why_existing_information_is_not_enough"],
        referral["decision_to_refer"]["by"],
        referral["sending_officer"]["name"],
        pack.threshold_met("X")["rationale"],
        pack.threshold_met("X")["words_for_duty_team"],
        "Called to the address at night.",
        "The mother said that she was afraid.",
    ]
    return [*said, *{subject[field] for subject in subjects for field in fields if field in subject}]


def _disguises(text: str) -> list[bytes]:
    """A text as it might be stored: plain, escaped, or inside base64 at any of its three offsets."""
    plain = text.encode()
    inside_base64 = [base64.b64encode(b"x" * shift + plain)[4 : -4 or None] for shift in range(3)]
    return [plain, json.dumps(text)[1:-1].encode(), plain.hex().encode(), text.encode("utf-16-le"), *inside_base64]


def _found(personal: list[str], where: bytes) -> list[str]:
    folded = where.lower()
    return [text for text in personal if any(d in where or d.lower() in folded for d in _disguises(text) if len(d) > 3)]


def _dump(stack: Stack, database: str) -> bytes:
    with psycopg.connect(stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")) as any_connection:
        port = any_connection.info.port
    secrets = json.loads((stack.home / "secrets.json").read_text())
    user, password = ("prefect", secrets["prefect"]) if database == "prefect" else ("mash_owner", secrets["mash_owner"])
    command = [
        binaries() / "pg_dump",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--username={user}",
        "--inserts",
        "--enable-row-security",
        # The calendar of the figures: every day of many years, birthdays among them, and nobody's.
        "--exclude-table-data=reports.office_day",
        database,
    ]
    return subprocess.run(command, env={"PGPASSWORD": password}, capture_output=True, check=True).stdout


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("database", ["prefect", "mash"])
def test_no_personal_word_is_readable_in_a_dump(stack: Stack, database: str) -> None:
    """R51, INV14: neither in the engine's database, nor, since free text is sealed, in the record's"""
    dump = _dump(stack, database)
    assert b"CHILDREN_DUTY" in dump
    assert _found(_personal(), dump) == []


@pytest.mark.usefixtures("played")
def test_no_personal_word_is_in_any_log_or_mail_or_file_of_the_engine(stack: Stack) -> None:
    """R51, INV14"""
    folders = [stack.home / "logs", stack.home / "mail", stack.home / "prefect"]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    leaks = {file.name: found for file in files if (found := _found(_personal(), file.read_bytes()))}
    assert leaks == {}


def test_the_scan_finds_what_is_hidden_in_each_disguise() -> None:
    """INV14: a scan that cannot find is void"""
    for disguise in _disguises("Wren Ashdown"):
        assert _found(["Wren Ashdown"], b"before" + disguise + b"after") == ["Wren Ashdown"]


def _engine(stack: Stack) -> httpx.Client:
    environment = stack.environment()
    user, _, password = environment["PREFECT_API_AUTH_STRING"].partition(":")
    return httpx.Client(base_url=environment["PREFECT_API_URL"], auth=(user, password), trust_env=False, timeout=30)


def test_each_referral_is_one_run_with_its_checks_by_agency_code(stack: Stack, played: dict[str, Played]) -> None:
    """The engine's screen shows, for each referral, one run, its agency checks, and how they ended"""
    case = played["friday afternoon and a silent agency"]
    with _engine(stack) as engine:
        wait_for(lambda: "mash.referral.closed" in _timeline(engine, case.run_id or ""), 120)
        headers = _unforged(engine)
        named = {"flow_runs": {"name": {"any_": [case.reference]}}}
        [run] = engine.post("/flow_runs/filter", json=named, headers=headers).json()
        steps = engine.post("/task_runs/filter", json={**named, "limit": 200}, headers=headers).json()
    assert set(run["tags"]) == {"CHILDREN_DUTY", "child", "STANDARD"}
    assert run["work_queue_name"] == "green"
    assert run["parameters"] == {"reference": case.reference}
    assert {step["name"]: step["state_name"] for step in steps if step["task_key"] == "agency-check"} == {
        "POLICE": "Nothing known",
        "COUNCIL_CHILDREN": "Nothing known",
        "COMMUNITY_HEALTH_CHILDREN": "Nothing known",
        "MENTAL_HEALTH": "Overdue",
    }


def _timeline(engine: httpx.Client, run_id: str) -> list[str]:
    """The hub's own events of a run, oldest first."""
    of_run = {"any_resource": {"id": [f"prefect.flow-run.{run_id}"]}, "event": {"prefix": ["mash."]}, "order": "ASC"}
    found = engine.post("/events/filter", json={"filter": of_run, "limit": 50}, headers=_unforged(engine)).json()
    return [event["event"] for event in found["events"]]


def test_a_run_has_on_its_timeline_what_the_ledger_says_each_once(stack: Stack, played: dict[str, Played]) -> None:
    """Issue 7, item 1: exactly the acts of the ledger that move a referral or its clocks"""
    case = played["friday afternoon and a silent agency"]
    with psycopg.connect(stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")) as record:
        acts = record.execute("SELECT act FROM ledger WHERE reference = %s", (case.reference,)).fetchall()
    expected = Counter(EVENT_OF[Act(act)] for (act,) in acts if Act(act) in EVENT_OF)
    assert expected["mash.deadline.breached"] == expected["mash.referral.closed"] == 1
    assert expected["mash.check.returned"] == 3
    with _engine(stack) as engine:
        wait_for(lambda: Counter(_timeline(engine, case.run_id or "")) == expected, 120)


def test_a_run_has_one_page_with_the_clocks_of_its_checks(stack: Stack, played: dict[str, Played]) -> None:
    """Issue 7, item 1: by agency code, kept up, and shown once"""
    case = played["friday afternoon and a silent agency"]
    of_run = {"artifacts": {"flow_run_id": {"any_": [case.run_id]}}}
    with _engine(stack) as engine:
        headers = _unforged(engine)

        def clocks() -> dict[str, list[str]]:
            found = engine.post("/artifacts/filter", json=of_run, headers=headers).json()
            assert {each["key"] for each in found} <= {"clocks"}
            assert len(found) <= 1
            rows = [line.strip("| ").split(" | ") for each in found for line in each["data"].splitlines()]
            return {row[0]: row[1:] for row in rows if len(row) > 1}

        wait_for(lambda: set(_ends(clocks())) == {"Nothing known", "Overdue"}, 150)
        found = clocks()
    assert {agency: row[2] for agency, row in found.items() if row[2] == "Overdue"} == {"MENTAL_HEALTH": "Overdue"}
    assert found["POLICE"][1] == "Mon 16 Mar 2026 16:30"


def _ends(clocks: dict[str, list[str]]) -> list[str]:
    return [row[2] for agency, row in clocks.items() if agency.isupper()]


def test_a_waiting_run_says_why_it_waits(stack: Stack, played: dict[str, Played]) -> None:
    """Reasons in codes: who is awaited, until when"""
    case = played["friday afternoon and a silent agency"]
    with _engine(stack) as engine:
        states = engine.get("/flow_run_states/", params={"flow_run_id": case.run_id or ""}).json()
    waits = {state["name"]: state["message"] for state in states if state["type"] == "PAUSED"}
    # Whether it was named anew as answers came depends on how fast the week is played.
    renamed = {name for name in waits if name.startswith("Waiting for returns")}
    assert set(waits) - renamed == {"Waiting for decision", "Waiting for acknowledgement"}
    assert "joined without them after Mon 16 Mar 2026 16:30" in waits["Waiting for returns (0 of 4)"]


def test_no_run_is_started_more_than_four_times(stack: Stack, played: dict[str, Played]) -> None:
    """Architecture §2: a referral wakes for its start, the join, the decision and the acknowledgement, no more"""
    with _engine(stack) as engine:
        runs = [engine.get(f"/flow_runs/{case.run_id}").json() for case in played.values() if case.run_id]
    assert max(run["run_count"] for run in runs) <= 5
    assert sorted(run["run_count"] for run in runs)[len(runs) // 2] <= 4


@pytest.mark.usefixtures("played")
def test_no_letter_left_twice(hub: Hub) -> None:
    """INV7: one file for each Message-ID, unless the ledger says that it was perhaps sent twice"""
    times = Counter(message_from_bytes(file.read_bytes())["Message-ID"] for file in Path(hub.mail).glob("*.eml"))
    with psycopg.connect(hub.owner_url.replace("+psycopg", "")) as record:
        perhaps = {f"<{row[0]}@mash.invalid>" for row in record.execute("SELECT id FROM notice WHERE perhaps_twice")}
    assert len(times) > 50
    assert [key for key, count in times.items() if count > 1 and key not in perhaps] == []


def _unforged(engine: httpx.Client) -> dict[str, str]:
    """The headers that Prefect's protection against forged requests asks for."""
    token = engine.get("/csrf-token", params={"client": "tests"}).json()["token"]
    return {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": "tests"}
