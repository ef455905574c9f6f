"""What a run does when it is woken: nothing, unless the record says that what it waits for is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Failed, Running, Scheduled

from engine.stack import Stack
from tests.scenarios.case import Case
from tests.scenarios.pack import DUTY, FOR_A_CHILD, threshold_not_met
from tests.scenarios.people import a_child, a_referral
from tests.scenarios.play import Hub, Scenario, play


def _record(stack: Stack) -> psycopg.Connection[Any]:
    return psycopg.connect(stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", ""), autocommit=True)


def _engine(stack: Stack) -> AbstractContextManager[SyncPrefectClient]:
    environment = stack.environment()
    settings = {
        PREFECT_API_URL: environment["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: environment["PREFECT_API_AUTH_STRING"],
    }
    with temporary_settings(settings):
        return get_client(sync_client=True)


def _until(so: Callable[[], bool], what: str, patience: float = 90) -> None:
    given_up = time.monotonic() + patience
    while not so():
        assert time.monotonic() < given_up, f"did not happen: {what}"
        time.sleep(0.1)


def _run_id(stack: Stack, reference: str) -> Any:
    with _record(stack) as record:
        [(run_id,)] = record.execute("SELECT run_id FROM referral WHERE reference = %s", (reference,)).fetchall()
    return run_id


def _pauses(stack: Stack, reference: str) -> int:
    """How often the referral's run was suspended, when it is suspended now; otherwise 0."""
    run_id = _run_id(stack, reference)
    if run_id is None:
        return 0
    with _engine(stack) as engine:
        states = engine.read_flow_run_states(run_id)
    return sum(state.type.value == "PAUSED" for state in states) if states[-1].type.value == "PAUSED" else 0


def _wake_too_early(stack: Stack, case: Case) -> None:
    """Wake the run although nothing has happened: it must suspend again, at the same stage."""
    _until(lambda: _pauses(stack, case.reference) > 0, "the run is suspended")
    before, stage = _pauses(stack, case.reference), case.status()["stage"]
    with _record(stack) as record:
        record.execute(
            "INSERT INTO wake (id, reference, kind, about, due_at, attempts)"
            " VALUES (gen_random_uuid(), %s, 'RUN', 'early', mash_now(), 0)",
            (case.reference,),
        )
    _until(lambda: _pauses(stack, case.reference) == before + 1, "the run is suspended once more")
    case.expect(case.status()["stage"] == stage, f"woken too early, the referral stays {stage}")


def _walk(case: Case, sender_id: str, at_each_wait: Callable[[Case], None]) -> None:
    """A child's case, with something done at each of its waits."""
    case.at("Sun 15 Mar 2026 12:00")
    case.is_referred(DUTY, a_referral(DUTY, sender_id, [a_child()], case.now))
    at_each_wait(case)
    case.at("Mon 16 Mar 2026 09:00")
    case.are_asked(*FOR_A_CHILD)
    at_each_wait(case)
    case.know_nothing(*FOR_A_CHILD)
    case.reaches("AWAITING_DECISION")
    at_each_wait(case)
    case.is_discussed(FOR_A_CHILD)
    case.is_decided(S1=threshold_not_met("NFA"))
    case.reaches("AWAITING_ACK")
    at_each_wait(case)
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


def _child(sender_id: str, at_each_wait: Callable[[Case], None]) -> Scenario:
    def walk(case: Case) -> None:
        """A child's case."""
        _walk(case, sender_id, at_each_wait)

    return walk


def test_a_run_woken_too_early_at_every_wait_suspends_again_and_decides_nothing(stack: Stack, hub: Hub) -> None:
    """R36: a suspend key is never used twice, so an early wake cannot walk past the human decision"""
    [played] = play(hub, [_child("early-wake", lambda case: _wake_too_early(stack, case))])
    assert played.trouble is None


def _forget_the_run(stack: Stack, case: Case) -> None:
    with _engine(stack) as engine:
        engine.delete_flow_run(_run_id(stack, case.reference))


def _force(state: Callable[[], State]) -> Callable[[Stack, Case], None]:
    def harm(stack: Stack, case: Case) -> None:
        with _engine(stack) as engine:
            engine.set_flow_run_state(_run_id(stack, case.reference), state(), force=True)

    return harm


HARMS = {
    "forgotten": _forget_the_run,
    "running without a process": _force(Running),
    "failed": _force(lambda: Failed(message="nothing")),
    "crashed": _force(lambda: Crashed(message="nothing")),
    "completed too early": _force(Completed),
    "put off for a year": _force(lambda: Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=365))),
}


def test_an_open_referral_whose_run_is_lost_is_carried_on_by_another_run(stack: Stack, hub: Hub) -> None:
    """INV9, F10, F11: forgotten, ended by force or dead on its feet: the engine is never believed, and loses nothing"""
    harmed: set[str] = set()

    def lose(harm: Callable[[Stack, Case], None], case: Case) -> None:
        if case.status()["stage"] != "CHECKING":
            return
        _until(lambda: _pauses(stack, case.reference) > 0, "the run is suspended")
        lost = _run_id(stack, case.reference)
        harm(stack, case)
        harmed.add(case.reference)
        _until(lambda: _run_id(stack, case.reference) != lost, "another run carries the referral", patience=60)
        _until(lambda: _pauses(stack, case.reference) > 0, "it is suspended in its turn")

    scenarios = [_child(name.replace(" ", "-"), partial(lose, harm)) for name, harm in HARMS.items()]
    assert [played.trouble for played in play(hub, scenarios)] == [None] * len(HARMS)
    assert len(harmed) == len(HARMS)


def _acts(stack: Stack, reference: str) -> list[str]:
    with _record(stack) as record:
        rows = record.execute("SELECT act FROM ledger WHERE reference = %s ORDER BY number", (reference,)).fetchall()
    return [act for (act,) in rows]


def _sweeps(stack: Stack) -> Any:
    with _record(stack) as record:
        return record.execute("SELECT taken_at FROM turn WHERE name = 'sweep'").fetchall()


def test_a_run_that_an_operator_cancelled_stays_so_until_the_record_gives_it_a_reason(stack: Stack, hub: Hub) -> None:
    """F11, issue 3: a deliberate cancel is respected and written down once; no referral is left hanging on it"""
    cancelled: dict[str, str] = {}

    def stop(asked: Callable[[], State], case: Case) -> None:
        stage = case.status()["stage"]
        if stage not in ("CHECKING", "AWAITING_DECISION"):
            return
        _until(lambda: _pauses(stack, case.reference) > 0, "the run is suspended")
        run = _run_id(stack, case.reference)
        with _engine(stack) as engine:
            engine.set_flow_run_state(run, asked(), force=True)
        cancelled[f"{case.reference} {stage}"] = case.reference
        times = list(cancelled.values()).count(case.reference)
        _until(lambda: _acts(stack, case.reference).count("ENGINE_CANCELLED") == times, "the cancel is in the ledger")
        for _ in range(2):
            before = _sweeps(stack)
            _until(lambda before=before: _sweeps(stack) != before, "one more sweep")  # type: ignore[misc]
        case.expect(_run_id(stack, case.reference) == run, "no sweep has brought it back")

    scenarios = [_child("cancelled", partial(stop, Cancelled)), _child("cancelling", partial(stop, Cancelling))]
    played = play(hub, scenarios)
    assert [each.trouble for each in played] == [None] * 2
    assert len(cancelled) == 4
    for reference in cancelled.values():
        assert _acts(stack, reference).count("ENGINE_CANCELLED") == 2
        with _record(stack) as record:
            told = "SELECT count(*) FROM notice WHERE reference = %s AND message = 'run_stopped'"
            assert record.execute(told, (reference,)).fetchall() == [(2,)]
