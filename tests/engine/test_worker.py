"""The warm worker on a real server: many starts from one forkserver, each in a clean child, and every ending told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from uuid import UUID, uuid4

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling
from prefect.workers.base import BaseWorker

from engine.deployments import queue_of
from engine.stack import Stack
from models.settings import HOUSE
from rules.urgency import UrgencyRating
from tests.engine.conftest import wait_for


@pytest.fixture
def client(engine_stack: Stack) -> Iterator[SyncPrefectClient]:
    """A client of the session's Prefect server."""
    own = engine_stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with temporary_settings(where), get_client(sync_client=True) as made:
        yield made


def _start(client: SyncPrefectClient, flow: str, queue: str | None = None) -> tuple[UUID, str]:
    """A new run of one of the stand-in flows."""
    reference = uuid4().hex[:8]
    deployment = client._client.get(f"/deployments/name/{flow}/mash").json()["id"]
    run = client.create_flow_run_from_deployment(
        UUID(deployment), parameters={"reference": reference}, work_queue_name=queue
    )
    return run.id, reference


def _state(client: SyncPrefectClient, run: UUID) -> State:
    state = client.read_flow_run(run).state
    assert state is not None
    return state


def _reach(client: SyncPrefectClient, run: UUID, state: StateType) -> FlowRun:
    wait_for(lambda: _state(client, run).type == state)
    return client.read_flow_run(run)


def _diary(stack: Stack, reference: str) -> list[list[str]]:
    file = stack.home / "diary" / reference
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def test_a_run_goes_on_through_two_waits_in_three_children_of_one_forkserver(
    engine_stack: Stack, client: SyncPrefectClient
):
    run, reference = _start(client, "stand-in")
    for _ in range(2):
        _reach(client, run, StateType.PAUSED)
        client.resume_flow_run(run)
        wait_for(lambda: _state(client, run).type != StateType.PAUSED)
    _reach(client, run, StateType.COMPLETED)
    starts = _diary(engine_stack, reference)
    assert len({child for child, *_ in starts}) == 3
    assert len({parent for _, parent, *_ in starts}) == 1


@pytest.mark.parametrize("queue", [None, queue_of(UrgencyRating.RED)])
def test_what_a_child_did_is_on_the_engines_screen_whether_its_run_was_made_for_a_queue_or_not(
    client: SyncPrefectClient, queue: str | None
):
    """R73"""
    run, _ = _start(client, "stand-in", queue)
    wanted = {"flow_runs": {"id": {"any_": [str(run)]}}}
    wait_for(
        lambda: (
            [each["state_name"] for each in client._client.post("/task_runs/filter", json=wanted).json()]
            == ["Completed"]
        )
    )
    _reach(client, run, StateType.PAUSED)


def test_a_waiting_run_holds_no_process(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "stand-in")
    _reach(client, run, StateType.PAUSED)
    ((child, *_),) = _diary(engine_stack, reference)
    wait_for(lambda: not psutil.pid_exists(int(child)))


def test_a_start_costs_a_fraction_of_an_import_of_prefect(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "stand-in")
    _reach(client, run, StateType.PAUSED)
    ((_, _, cpu_seconds, _),) = _diary(engine_stack, reference)
    assert float(cpu_seconds) < 0.5


def test_a_killed_child_is_a_crashed_run_with_the_reason(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "stuck")
    ((child, *_),) = wait_for(lambda: _diary(engine_stack, reference))
    os.kill(int(child), signal.SIGKILL)
    _reach(client, run, StateType.CRASHED)
    assert "SIGKILL" in (_state(client, run).message or "")


def test_a_run_cancelled_in_the_ui_ends_and_is_cancelled(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "stuck")
    ((child, *_),) = wait_for(lambda: _diary(engine_stack, reference))
    client.set_flow_run_state(run, Cancelling())
    _reach(client, run, StateType.CANCELLED)
    wait_for(lambda: not psutil.pid_exists(int(child)))


def test_a_flow_that_fails_is_failed_not_crashed(client: SyncPrefectClient):
    run, _ = _start(client, "failing")
    wait_for(lambda: _state(client, run).is_final())
    assert _state(client, run).type == StateType.FAILED


def test_many_runs_due_at_once_all_end_though_few_places_are_free(client: SyncPrefectClient):
    runs = [_start(client, "stand-in")[0] for _ in range(15)]
    for run in runs:
        _reach(client, run, StateType.PAUSED)


def test_a_worker_told_to_stop_lets_its_child_finish(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "patient")
    wait_for(lambda: _diary(engine_stack, reference))
    worker = engine_stack.part("worker").pid
    assert worker is not None
    os.kill(worker, signal.SIGTERM)
    (engine_stack.home / "diary" / f"{reference}.go").touch()
    _reach(client, run, StateType.COMPLETED)
    wait_for(lambda: engine_stack.part("worker").pid not in (None, worker))


def test_prefects_own_command_line_finds_the_worker_type():
    assert "mash-warm" in BaseWorker.get_all_available_worker_types()


def test_a_child_whose_worker_was_killed_finishes_its_run(engine_stack: Stack, client: SyncPrefectClient):
    run, reference = _start(client, "patient")
    wait_for(lambda: _diary(engine_stack, reference))
    worker = engine_stack.part("worker").pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: engine_stack.part("worker").pid not in (None, worker))
    (engine_stack.home / "diary" / f"{reference}.go").touch()
    _reach(client, run, StateType.COMPLETED)


def test_changed_code_is_run_from_the_next_start_on(engine_stack: Stack, client: SyncPrefectClient):
    parents = []
    for _ in range(2):
        run, reference = _start(client, "stand-in")
        _reach(client, run, StateType.PAUSED)
        parents.append(_diary(engine_stack, reference)[0][1])
        os.utime(HOUSE / "engine" / "lock.py")
    assert parents[0] != parents[1]


def test_a_red_start_overtakes_those_that_wait_for_a_place(engine_stack: Stack, client: SyncPrefectClient):
    """Issue 7, item 2: one place, a green start in the line for it, and then a red one"""
    folder = engine_stack.home / "diary"
    at_work = [_start(client, "patient", "green") for _ in range(2 * (os.cpu_count() or 1))]
    for run, _ in at_work:
        _reach(client, run, StateType.RUNNING)
    waiting, calm = _start(client, "stand-in", "green")
    overtaking, urgent = _start(client, "stand-in", "red")
    (folder / f"{at_work[0][1]}.go").touch()
    for run in (waiting, overtaking):
        _reach(client, run, StateType.PAUSED)
    for _, reference in at_work[1:]:
        (folder / f"{reference}.go").touch()
    [(_, _, _, calm_began)], [(_, _, _, urgent_began)] = _diary(engine_stack, calm), _diary(engine_stack, urgent)
    assert float(urgent_began) < float(calm_began)
    for run, _ in at_work:
        _reach(client, run, StateType.COMPLETED)
