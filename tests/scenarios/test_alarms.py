"""Each alarm about the engine provoked on real parts, and received by mail (issue 7, point 2)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from uuid import uuid4

import psutil
import psycopg
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from casework import intake
from casework.db import now, unit_of_work
from engine.runs import LATE, POOL
from engine.stack import Stack
from models.settings import HOUSE
from rules.alarms import Alarm
from tests.casework.factory import DUTY, document, duty, referral
from tests.engine.conftest import wait_for
from tests.hub import surroundings


@pytest.fixture
def client(stack: Stack) -> Iterator[SyncPrefectClient]:
    """The hub's engine, with this process working on the hub's record."""
    own = stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with surroundings(own), temporary_settings(where), get_client(sync_client=True) as made:
        wait_for(lambda: _pools(made) == [POOL], 120)
        yield made


def _pools(client: SyncPrefectClient) -> list[str]:
    return [pool.name for pool in client.read_work_pools() if pool.name == POOL]


@pytest.fixture
def owner(stack: Stack) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The record, as only its owner may change it; no alarm stands, whatever other tests did."""
    url = stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as record:
        record.execute("DELETE FROM raised_alarm")
        yield record


def _pause(client: SyncPrefectClient, *, paused: bool) -> None:
    client.update_work_pool(POOL, WorkPoolUpdate(is_paused=paused))


def _stands(owner: psycopg.Connection[tuple[object, ...]], alarm: Alarm) -> bool:
    """Whether the hub's own timekeeper has noted it; it looks at once, not within its minute."""
    owner.execute("DELETE FROM turn WHERE name = 'alarms'")
    return owner.execute("SELECT 1 FROM raised_alarm WHERE code = %s", (alarm,)).fetchone() is not None


def _is_told(stack: Stack, owner: psycopg.Connection[tuple[object, ...]], alarm: Alarm) -> bool:
    """Whether the letter about it came since the test began, with its place in the run-books."""
    owner.execute("DELETE FROM turn WHERE name = 'alarms'")
    [(notice,)] = owner.execute(
        "SELECT max(id::text) FROM notice WHERE message = %s AND recipient = 'mash:operations' AND status = 'SENT'"
        " AND sent_at > (SELECT since FROM raised_alarm WHERE code = %s)", (alarm, alarm)
    ).fetchall()  # fmt: skip
    if notice is None:
        return False
    letters = [message_from_bytes(file.read_bytes(), policy=default) for file in (stack.home / "mail").glob("*.eml")]
    [letter] = [each for each in letters if str(notice) in str(each["Message-ID"])]
    assert str(letter["Subject"]).endswith(alarm)
    said = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert alarm.run_book in said
    assert not re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", said)
    return True


def test_no_worker_a_late_run_and_a_crashed_one_are_told_to_whoever_runs_the_hub(
    stack: Stack, client: SyncPrefectClient, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Issue 7: each provoked once, and received with its run-book; the referral itself goes on"""
    _pause(client, paused=True)
    try:
        wait_for(lambda: _stands(owner, Alarm.NO_WORKER), 60)
        owner.execute("UPDATE raised_alarm SET since = since - interval '5 minutes' WHERE code = 'NO_WORKER'")
        wait_for(lambda: _is_told(stack, owner, Alarm.NO_WORKER), 60)
        assert "NO_WORKER since" in _status(stack)

        with unit_of_work() as session:
            at = now(session)
            sent = document(sender_id=uuid4().hex, at=at)
            reference = intake.receive(session, sent, by=duty(DUTY), at=at).reference
        run = wait_for(lambda: referral(reference).run_id, 60)
        ten_minutes_ago = datetime.now(UTC) - timedelta(minutes=10)
        client.set_flow_run_state(run, Scheduled(scheduled_time=ten_minutes_ago), force=True)
        wait_for(lambda: client.read_flow_run(run).state_name == LATE, 60)
        wait_for(lambda: _is_told(stack, owner, Alarm.RUN_LATE), 60)
        with owner.transaction():
            # The run cannot come past this row, so that it is there to be killed.
            owner.execute("SELECT 1 FROM referral WHERE reference = %s FOR UPDATE", (reference,))
            before = _children(stack)
            _pause(client, paused=False)
            wait_for(lambda: client.read_flow_run(run).state_type is StateType.RUNNING, 60)
            for child in _children(stack) - before:
                psutil.Process(child).kill()
    finally:
        _pause(client, paused=False)
    wait_for(lambda: client.read_flow_run(run).state_type is StateType.CRASHED, 60)
    wait_for(lambda: _is_told(stack, owner, Alarm.RUN_CRASHED), 60)
    wait_for(lambda: _rests(client, reference), 120)
    wait_for(lambda: not _stands(owner, Alarm.NO_WORKER), 60)


def _children(stack: Stack) -> set[int]:
    pid = stack.part("worker").pid
    assert pid
    return {each.pid for each in psutil.Process(pid).children(recursive=True)}


def _rests(client: SyncPrefectClient, reference: str) -> bool:
    run = referral(reference).run_id
    return run is not None and client.read_flow_run(run).state_type is StateType.PAUSED


def _status(stack: Stack) -> str:
    command = [sys.executable, "-m", "engine.cli", "engine", "status", "--home", str(stack.home)]
    done = subprocess.run(
        command, env={**os.environ, **stack.environment()}, cwd=HOUSE, capture_output=True, check=True
    )
    return done.stdout.decode()
