"""A wait that people move while it lasts: one more agency, more time, a clock that stands still; on the real engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from engine.stack import Stack
from tests.scenarios.case import Case
from tests.scenarios.pack import DUTY, FOR_A_CHILD
from tests.scenarios.people import a_child, a_referral
from tests.scenarios.play import Hub, play


def _engine(stack: Stack) -> AbstractContextManager[SyncPrefectClient]:
    environment = stack.environment()
    names = {PREFECT_API_URL: "PREFECT_API_URL", PREFECT_API_AUTH_STRING: "PREFECT_API_AUTH_STRING"}
    with temporary_settings({setting: environment[name] for setting, name in names.items()}):
        return get_client(sync_client=True)


def _run_id(stack: Stack, reference: str) -> Any:
    url = stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as record:
        [(run_id,)] = record.execute("SELECT run_id FROM referral WHERE reference = %s", (reference,)).fetchall()
    return run_id


def _state(stack: Stack, reference: str) -> str | None:
    with _engine(stack) as engine:
        return engine.read_flow_run(_run_id(stack, reference)).state_name


def _task_runs(stack: Stack, reference: str) -> dict[str, str]:
    """What the engine shows of a referral: the names of its task runs, and how each ended."""
    with _engine(stack) as engine:
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[_run_id(stack, reference)]))
        return {run.name: str(run.state_name) for run in engine.read_task_runs(flow_run_filter=of_run)}


def _until_told(stack: Stack, reference: str, ends: dict[str, str], patience: float = 120) -> None:
    given_up = time.monotonic() + patience
    while not ends.items() <= (shown := _task_runs(stack, reference)).items():
        assert time.monotonic() < given_up, shown
        time.sleep(0.2)


def _eventually(case: Case, so: Callable[[], Any], what: str) -> None:
    case._eventually(so, what)


def test_a_check_added_in_the_middle_of_a_wait_is_shown_and_holds_up_nobody(stack: Stack, hub: Hub) -> None:
    """R20, R21, R33: asked by a person, noted by the run; the join follows the clocks that people moved"""
    references: list[str] = []

    def scenario(case: Case) -> None:
        """A secondary agency is asked mid-wait; the police have more time, and then their clock stands still."""
        case.at("Mon 16 Mar 2026 09:10")
        case.is_referred(DUTY, a_referral(DUTY, "moved-wait", [a_child()], case.now))
        references.append(case.reference)
        case.are_asked(*FOR_A_CHILD)
        case.is_asked_too("PROBATION")
        _eventually(case, lambda: "ask PROBATION" in _task_runs(stack, case.reference), "the run has noted it")
        case.is_given_until("POLICE", "Wed 18 Mar 2026 12:00", "RECORDS_ELSEWHERE")
        case.know_nothing(*FOR_A_CHILD[1:])
        _eventually(case, lambda: _state(stack, case.reference) == "Waiting for returns (3 of 4)", "the wait says so")

        case.at("Tue 17 Mar 2026 09:11")
        case.expect(case.status()["stage"] == "CHECKING", "the join waits for the police")
        case.breaches_are("PROBATION")
        case.clock_is_stopped("POLICE", "QUESTION_OPEN")

        case.at("Wed 18 Mar 2026 12:01")
        case.expect(case.status()["stage"] == "CHECKING", "a stopped clock runs out for nobody")
        case.asks("POLICE", "Which of the two addresses?")
        case.is_answered("POLICE", "The newer one.")
        case.due_is("POLICE", "Thu 19 Mar 2026 14:50")

        case.at("Thu 19 Mar 2026 14:51")
        case.reaches("AWAITING_DECISION")
        case.breaches_are("POLICE", "PROBATION")
        case.section_is("PROBATION", "AWAITED")
        case.section_is("POLICE", "NOT_RETURNED")

    [played] = play(hub, [scenario])
    assert played.trouble is None
    _until_told(stack, references[0], {"PROBATION": "Overdue", "POLICE": "Overdue"})
    assert {"ask PROBATION", "ask POLICE"} <= set(_task_runs(stack, references[0]))
