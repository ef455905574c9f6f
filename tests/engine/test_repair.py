"""Waking, rebuilding and pruning on a whole hub with a real Prefect server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import AwaitingRetry, Cancelled
from psycopg import sql
from sqlmodel import Session

from casework import intake, legal_gate, outcome, post, referrals, wakes
from casework.db import database, now, unit_of_work
from casework.ledger_check import verify
from casework.telling import newest
from engine import databases
from engine.callers import Callers
from engine.clock_pages import KEY
from engine.credentials import load_or_create
from engine.hold_up_table import show
from engine.postgres import SUPERUSER
from engine.prune import prune
from engine.runs import DEPLOYMENT, TOLD, Runs
from engine.stack import Stack
from engine.waking import WHEN_FULL, Waking, wake_runs
from models.account import Account
from models.settings import HOUSE, settings
from models.wake import WakeKind
from rules.errors import Unavailable
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    DUTY,
    OPERATOR,
    SUPPORT,
    _walk,
    act,
    completion,
    decide,
    document,
    duty,
    give_back,
    referral,
)
from tests.crash.faults import without
from tests.engine.conftest import wait_for
from tests.hub import running_hub, surroundings
from tests.scenarios.pack import PACK
from tests.scenarios.play import Hub, play

MANY = 14
HOLD_UPS = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=["hold-ups"]))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Stack, Hub]]:
    """A hub of this module's own: its engine is wiped, and scores of referrals are left open."""
    with tempfile.TemporaryDirectory(prefix="mash-hub-") as folder, running_hub(Path(folder)) as both:
        yield both


@pytest.fixture
def house(stack: Stack, hub: Hub) -> Iterator[Stack]:
    """The tests' hub, with this process working on its record and its engine."""
    own = stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with surroundings(own), temporary_settings(where):
        yield stack


@pytest.fixture
def quiet(house: Stack) -> Iterator[Stack]:
    """Nobody wakes and nobody works, until the test is over."""
    with get_client(sync_client=True) as engine:
        wait_for(lambda: _is_deployed(engine), 120)
    for name in ("timekeeper", "worker"):
        house.part(name).stop()
    with get_client(sync_client=True) as engine:
        _drain(house, Runs(engine))
    yield house
    for name in ("worker", "timekeeper"):
        house.part(name).start()


def _is_deployed(engine: SyncPrefectClient) -> bool:
    try:
        return bool(engine.read_deployment_by_name(DEPLOYMENT).id)
    except ObjectNotFound:
        return False


@pytest.fixture
def client(house: Stack) -> Iterator[SyncPrefectClient]:
    """A client of the hub's Prefect server."""
    with get_client(sync_client=True) as made:
        yield made


def _ask(stack: Stack, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")) as record:
        return record.execute(query.encode(), values).fetchall()


def _engine_database(stack: Stack) -> psycopg.Connection[tuple[Any, ...]]:
    password = load_or_create(stack.home).prefect
    url = databases.url(databases.ENGINE, password, stack.ports.postgres, databases.ENGINE, "psycopg")
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _refer() -> str:
    with unit_of_work() as session:
        at = now(session)
        return intake.receive(session, document(sender_id=uuid4().hex, at=at), by=duty(DUTY), at=at).reference


def _runs_of(client: SyncPrefectClient, references: list[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for reference in references:
        answer = client._client.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [reference]}}})
        found[reference] = len(answer.json())
    return found


def _drain(stack: Stack, runs: Runs, most: int = 20) -> None:
    """Wake until nothing is due, as a timekeeper does: what the engine did not take is tried again."""
    due = "SELECT count(*) FROM wake WHERE kind = 'RUN' AND due_at <= mash_now()"

    def done() -> bool:
        with suppress(Unavailable):
            wake_runs(runs, callers, most)
        return _ask(stack, due) == [(0,)]

    with Callers(4) as callers:
        wait_for(done, 90)


def _states(client: SyncPrefectClient, reference: str) -> list[str]:
    run_id = referral(reference).run_id
    return [] if run_id is None else [state.type.value for state in client.read_flow_run_states(run_id)]


def _rests(client: SyncPrefectClient, reference: str) -> bool:
    return _states(client, reference)[-1:] == ["PAUSED"]


def _mash(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "engine", *arguments, "--home", str(stack.home)],
        env={**os.environ, **stack.environment()}, cwd=HOUSE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# These two first: each makes every run again that others leave open.


def test_a_record_put_back_beside_a_new_engine_has_every_open_referral_carried_to_its_end(quiet, client, tmp_path):
    """F10, F29, L9; issue 7, point 4: backup, nothing left of record or engine, restore, rebuild; prints how long"""
    hold_office_hours(quiet, AFTERNOON)
    for actor in (DECIDER, SUPPORT):
        act(_has_account, actor, at=AFTERNOON)
    at = {stage: _walk(stage, AFTERNOON, sender_id=uuid4().hex) for stage in Stage}
    _drain(quiet, Runs(client))
    heads = "SELECT reference, number, digest FROM ledger ORDER BY 1, 2"
    before, kept = _ask(quiet, heads), tmp_path / "record.backup"
    _command(quiet, "backup", str(kept))

    _lose_record(quiet)
    _wipe(quiet)
    began = time.monotonic()
    assert "are back" in _command(quiet, "restore", str(kept))
    restored = time.monotonic() - began
    woken = json.loads(_mash(quiet, "rebuild", "--json"))["brought_back"]
    rebuilt = time.monotonic() - began
    still_open = {reference for stage, reference in at.items() if stage is not Stage.CLOSED}
    assert still_open <= set(woken)
    assert at[Stage.CLOSED] not in woken
    assert _ask(quiet, heads)[: len(before)] == before
    for name in ("worker", "timekeeper"):
        quiet.part(name).start()
    wait_for(lambda: all(_is_carried_on(client, reference) for reference in still_open), 180)
    carried = time.monotonic() - began
    wait_for(lambda: all(_people_move(reference) is Stage.CLOSED for reference in still_open), 180)
    for reference in still_open:
        wait_for(lambda reference=reference: _states(client, reference)[-1] == "COMPLETED", 60)
    assert set(_runs_of(client, list(still_open)).values()) == {1}
    assert act(verify).whole
    assert act(post.held_since) is not None
    act(post.let_go, send=False, by=OPERATOR, at=AFTERNOON)
    print(
        f"\n{len(at)} referrals restored after {restored:.1f} s, {len(woken)} runs made again after {rebuilt:.1f} s, "
        f"all at rest where somebody is to move after {carried:.1f} s"
    )


def test_every_open_referral_comes_back_after_the_engines_database_was_wiped(quiet, client):
    """F10, INV9: `mash engine rebuild`, and the sweep by itself; idempotent"""
    references = [_refer() for _ in range(5)]
    _drain(quiet, Runs(client))
    before = {reference: referral(reference).run_id for reference in references}
    _wipe(quiet)
    told = json.loads(_mash(quiet, "rebuild", "--json"))["brought_back"]
    assert set(references) <= set(told)
    assert all(referral(reference).run_id not in (None, before[reference]) for reference in references)
    assert json.loads(_mash(quiet, "rebuild", "--json"))["brought_back"] == []
    _wipe(quiet)
    for name in ("worker", "timekeeper"):
        quiet.part(name).start()
    for reference in references:
        wait_for(lambda reference=reference: _rests(client, reference), 180)


def test_two_timekeepers_start_each_run_once_and_wake_each_once(quiet, client):
    """F12, issue 3, item 2: no double wake"""
    references = [_refer() for _ in range(MANY)]

    with get_client(sync_client=True) as other, ThreadPoolExecutor(2) as copies:
        both = [copies.submit(copy_context().run, _drain, quiet, Runs(each), 5) for each in (client, other)]
        assert [each.result() for each in both] == [None, None]
    assert _runs_of(client, references) == Counter(dict.fromkeys(references, 1))
    assert {tuple(_states(client, reference)) for reference in references} == {("SCHEDULED",)}
    quiet.part("worker").start()
    for reference in references:
        wait_for(lambda reference=reference: _rests(client, reference), 120)
    assert {_states(client, reference).count("PAUSED") for reference in references} == {1}


def test_no_more_runs_are_due_in_the_engine_than_it_can_carry(quiet, client, monkeypatch):
    """Issue 3, item 2: ten thousand deadlines in a minute wait in the record, where they cost nothing"""
    monkeypatch.setattr(settings(), "engine_calls_at_once", 1)
    references = [_refer() for _ in range(MANY)]
    before = Runs(client).count(StateType.SCHEDULED)
    monkeypatch.setattr(settings(), "engine_runs_at_once", before + 8)
    with Callers(1) as callers:
        waking = Waking(Runs(client), callers)
        turns = [waking() for _ in range(8)]
    assert turns[-1] == WHEN_FULL
    assert 8 <= Runs(client).count(StateType.SCHEDULED) - before <= 8 + 5
    assert sum(_runs_of(client, references).values()) < MANY
    quiet.part("worker").start()
    quiet.part("timekeeper").start()
    for reference in references:
        wait_for(lambda reference=reference: _rests(client, reference), 120)


def test_what_a_person_did_goes_before_what_time_did(quiet, client):
    """A decision does not queue behind ten thousand deadlines"""
    references = [_refer() for _ in range(4)]
    with unit_of_work() as session:
        at = now(session)
        wakes.forget(session, references[-1], kind=WakeKind.RUN)
        for reference in references[:-1]:
            wakes.forget(session, reference, kind=WakeKind.RUN)
            wakes.wake(session, reference, at - timedelta(hours=1), about="deadline")
        wakes.wake(session, references[-1], at)
    with Callers(1) as callers:
        assert wake_runs(Runs(client), callers, 1) == 1
    assert [reference for reference in references if referral(reference).run_id] == [references[-1]]
    _drain(quiet, Runs(client))


def _wipe(stack: Stack) -> None:
    """Every row of the engine's database, as if it had been made anew."""
    with _engine_database(stack) as engine:
        rows = engine.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version')"
        ).fetchall()
        tables = sql.SQL(", ").join(sql.Identifier(str(name)) for (name,) in rows)
        engine.execute(sql.SQL("TRUNCATE {} CASCADE").format(tables))
    stack.restart("prefect")
    stack._await_prefect()


def _asked(reference: str) -> list[str]:
    return [each.agency for each in act(referrals.checks, reference)]


TABLES = ("flow_run", "flow_run_state", "task_run", "task_run_state", "log", "flow_run_input", "artifact")


def _rows(stack: Stack, run_id: object) -> dict[str, int]:
    """What the engine's database holds of a run, by table."""
    with _engine_database(stack) as engine:
        found = {}
        for table in TABLES:
            match table:
                case "flow_run":
                    where = "id = %(run)s"
                case "task_run_state":
                    where = "task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = %(run)s)"
                case _:
                    where = "flow_run_id = %(run)s"
            [(found[table],)] = engine.execute(f"SELECT count(*) FROM {table} WHERE {where}".encode(), {"run": run_id})
        return found


def test_runs_of_referrals_long_closed_are_pruned_and_those_of_open_ones_are_not(house, hub, client):
    """Issue 3, item 4: through Prefect's own API, in small batches, and never for open referrals"""
    [played] = play(hub, PACK[:1])
    assert played.trouble is None
    closed, still_open = played.reference, _refer()
    wait_for(lambda: _rests(client, still_open), 120)
    run, other = referral(closed).run_id, referral(still_open).run_id
    wait_for(lambda: _states(client, closed)[-1] == "COMPLETED", 60)
    # What the timekeeper tells of them is told, and goes too.
    wait_for(lambda: Runs(client).told(TOLD) == act(newest), 60)
    # Without its clocks' page being shown once more meanwhile, which the timekeeper does once a minute.
    with without(house, "timekeeper"):
        Runs(client).show_pages(KEY, {run: "closed", other: "open"}, 0)
        assert prune(Runs(client), timedelta(days=1)) == 0
        before, kept = _rows(house, run), _rows(house, other)
        assert (before["flow_run"], before["artifact"], kept["artifact"]) == (1, 1, 1)
        assert before["task_run"] > 4
        assert prune(Runs(client), timedelta(0), threading.Event()) >= 1
        wait_for(lambda: set(_rows(house, run).values()) == {0}, 30)
        assert all(_rows(house, other)[table] >= count for table, count in kept.items())
        assert prune(Runs(client), timedelta(0)) == 0


def hold_office_hours(stack: Stack, at: datetime = ASKED) -> None:
    """A Monday in office hours, whatever day it is."""
    with psycopg.connect(
        stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", ""), autocommit=True
    ) as record:
        record.execute(
            "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = excluded.now",
            (at,),
        )


def test_an_operator_sees_what_is_held_up_how_long_and_on_whom_and_no_content(house, client):
    """R73: the list equals the checks past due; it works without the engine's help"""
    hold_office_hours(house)
    reference = _refer()
    wait_for(lambda: _asked(reference) and _rests(client, reference), 120)
    with psycopg.connect(
        house.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", ""), autocommit=True
    ) as record:
        late = "UPDATE agency_check SET due_at = requested_at + interval '1 microsecond' WHERE reference = %s"
        record.execute(late + " AND agency = 'POLICE'", (reference,))
        record.execute("UPDATE scenario_clock SET now = now + interval '1 hour'")
    seen = json.loads(_mash(house, "status", "--json"))
    mine = [each for each in seen["hold_ups"] if each["reference"] == reference]
    assert [(each["why"], each["waits_for"], each["stage"]) for each in mine] == [("NO_ANSWER", "POLICE", "CHECKING")]
    assert mine[0]["seconds"] >= 3599
    assert seen["engine_answers"] is True
    assert set(mine[0]) == {"reference", "stage", "why", "waits_for", "since", "seconds"}
    words = _mash(house, "status")
    assert f"{reference}  CHECKING" in words
    assert "POLICE" in words
    assert [row["waits for"] for row in _table(client) if row["reference"] == reference] == ["POLICE"]


def _table(client: SyncPrefectClient) -> list[dict[str, str]]:
    """Who holds up what, on the engine's screen: shown twice, it is there once (issue 7, item 1)."""
    show(Runs(client))
    [before] = client.read_latest_artifacts(artifact_filter=HOLD_UPS)
    show(Runs(client))
    [after] = client.read_latest_artifacts(artifact_filter=HOLD_UPS)
    assert after.latest_id == before.latest_id
    assert "as of 16 Mar 2026" in (after.description or "")
    rows: list[dict[str, str]] = json.loads(str(after.data))
    return rows


def test_an_operator_lets_a_stopped_referral_go_on_from_the_command_line(house, client):
    """F11"""
    hold_office_hours(house)
    reference = _refer()
    wait_for(lambda: _rests(client, reference), 120)
    before = _states(client, reference).count("PAUSED")
    assert _mash(house, "resume", reference) == f"{reference} goes on.\n"
    wait_for(lambda: _states(client, reference).count("PAUSED") == before + 1, 60)
    assert _ask(house, "SELECT actor FROM ledger WHERE reference = %s AND act = 'ENGINE_RESUMED'", reference) == [
        ("operator",)
    ]


def test_what_an_operator_stops_and_retries_on_the_engines_screen_goes_on_and_is_recorded(house, client):
    """F11; issue 7, item 2: the same run, and the ledger has both"""
    hold_office_hours(house)
    reference = _refer()
    wait_for(lambda: _rests(client, reference), 120)
    run, acts = referral(reference).run_id, "SELECT act FROM ledger WHERE reference = %s AND act LIKE 'ENGINE%%'"
    client.set_flow_run_state(run, Cancelled(), force=True)
    wait_for(lambda: _ask(house, acts, reference) == [("ENGINE_CANCELLED",)], 120)
    client.set_flow_run_state(run, AwaitingRetry(), force=True)
    wait_for(lambda: ("ENGINE_RESUMED",) in _ask(house, acts, reference), 120)
    wait_for(lambda: _rests(client, reference), 120)
    assert referral(reference).run_id == run


def _has_account(session: Session, actor: Actor, at: datetime) -> None:
    if session.get(Account, actor.id) is None:
        session.add(Account(id=actor.id, role=actor.role, is_person=True, mash_profile=True, added_at=at))


def _command(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *arguments, "--home", str(stack.home)],
        env={**os.environ, **stack.environment()}, cwd=HOUSE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _lose_record(stack: Stack) -> None:
    """An empty database in place of the record's."""
    secrets = load_or_create(stack.home)
    database().dispose()
    url = databases.url(SUPERUSER, secrets.postgres, stack.ports.postgres, "postgres", "psycopg")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as superuser:
        superuser.execute(f"DROP DATABASE {databases.RECORD} WITH (FORCE)".encode())
    databases.create_missing(stack.ports.postgres, secrets)


def _is_carried_on(client: SyncPrefectClient, reference: str) -> bool:
    """Its run has come to where somebody else is to move."""
    return referral(reference).run_id is not None and _rests(client, reference)


def _people_move(reference: str) -> Stage:
    """What is for people to do at this stage is done; the engine does the rest. Gives the stage that was found."""
    stage = referral(reference).stage
    match stage:
        case Stage.AWAITING_BASIS:
            act(legal_gate.complete, reference, completion(reference), by=duty(), at=AFTERNOON)
        case Stage.CHECKING:
            for check in act(referrals.checks, reference):
                if not check.status.settled:
                    give_back(reference, check.agency)
        case Stage.AWAITING_DECISION:
            decide(reference)
        case Stage.AWAITING_ACK if act(referrals.hand_backs, reference)[DUTY].acknowledged_at is None:
            act(outcome.acknowledge, reference, by=duty(), at=AFTERNOON)
    return stage
