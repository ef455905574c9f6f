"""The timekeeper's own clock: on time, exactly once, whatever happens to it, to the engine, or to the wall clock."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from casework import ledger, referrals
from casework.db import unit_of_work
from engine.callers import Callers
from engine.deadlines import IS_THE_CLOCKS, keep_time
from engine.listener import Listener
from engine.patience import back_off
from engine.runs import Runs
from engine.waking import Waking, seconds_to_next, wake_runs
from models.settings import HOUSE
from rules.errors import Unavailable
from rules.stages import Stage
from tests.casework.factory import DUE, act, acts_of, check, give_back, open_hub, refer, walk
from tests.engine.conftest import wait_for
from tests.record import Record

MS = timedelta(milliseconds=1)
SUMMER_ENDS = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def hub(record: Record) -> Record:
    """An empty record with its people."""
    open_hub()
    return record


@pytest.fixture
def hub_time(record: Record) -> Callable[[datetime], None]:
    """Hold the hub's clock still at a moment."""

    def hold(at: datetime) -> None:
        with record.as_owner() as owner:
            owner.execute(
                "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = %s", (at, at)
            )

    return hold


def _silent_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _many(how_many: int) -> list[str]:
    return [walk(Stage.CHECKING, sender_id=f"n{number}") for number in range(how_many)]


def _keep_time() -> int:
    done = 0
    while fired := keep_time():
        done += fired
    return done


def _copies(how_many: int, turn: Callable[[], int]) -> int:
    together = Barrier(how_many)

    def take(_: int) -> int:
        together.wait()
        return turn()

    with ThreadPoolExecutor(how_many) as threads:
        return sum(threads.map(take, range(how_many)))


# --- many deadlines at once ---


@pytest.mark.parametrize("copies", [1, 3])
def test_many_deadlines_in_one_minute_are_breaches_once_each_and_every_chain_stays_whole(record, hub_time, copies):
    """L6, F22, INV5, INV11: two or more copies of the timekeeper at once"""
    references = _many(12)
    hub_time(DUE + MS)
    _copies(copies, _keep_time)
    for reference in references:
        asked = len(act(referrals.checks, reference))
        assert acts_of(record, reference).count("CHECK_BREACHED") == asked
        assert ledger.first_broken(act(ledger.entries, reference)) is None
    overdue = "SELECT count(*), count(DISTINCT key) FROM notice WHERE message = 'check_overdue'"
    [(said, different)] = record.ask(overdue)
    [(marked,)] = record.ask("SELECT count(*) FROM agency_check WHERE breached_at = due_at")
    assert said == different == marked == 4 * len(references)
    assert record.ask("SELECT count(*) FROM wake WHERE kind = 'BREACH'") == [(0,)]


def test_an_entry_written_with_many_others_is_the_one_that_would_have_been_written_alone(record, hub_time):
    """INV11"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE")
    hub_time(DUE + MS)
    _keep_time()
    [entry] = [each for each in act(ledger.entries, reference) if each.act == "CHECK_BREACHED"][-1:]
    assert entry.detail == {"agency": entry.detail["agency"], "breached_at": DUE.isoformat()}
    assert (entry.actor, entry.at, entry.digest) == ("HUB", DUE + MS, entry.compute_digest())
    assert (check(reference, "POLICE").status, check(reference, "POLICE").breached_at) == ("RETURNED", None)


def test_a_referral_that_cannot_be_written_holds_up_no_other(record, hub_time):
    """Issue 3, item 2: one referral's failure harms no other"""
    bad, *good = _many(4)
    hub_time(DUE + MS)
    with record.as_owner() as owner:
        owner.execute(f"ALTER TABLE ledger ADD CONSTRAINT trial CHECK (reference <> '{bad}') NOT VALID".encode())
        try:
            _keep_time()
        finally:
            owner.execute("ALTER TABLE ledger DROP CONSTRAINT trial")
    assert [acts_of(record, reference).count("CHECK_BREACHED") for reference in [bad, *good]] == [0, 4, 4, 4]
    held = "SELECT DISTINCT reference, hold_until > clock_timestamp() FROM wake WHERE kind = 'BREACH'"
    assert record.ask(held) == [(bad, True)]
    with record.as_owner() as owner:
        owner.execute("UPDATE wake SET hold_until = clock_timestamp()")
    _keep_time()
    assert acts_of(record, bad).count("CHECK_BREACHED") == 4


def test_a_referral_that_somebody_is_at_work_on_holds_up_no_other(record, hub_time):
    busy, free = _many(2)
    hub_time(DUE + MS)
    with unit_of_work() as session:
        referrals.lock(session, busy)
        assert keep_time() == 4
        assert acts_of(record, free).count("CHECK_BREACHED") == 4
    _keep_time()
    assert acts_of(record, busy).count("CHECK_BREACHED") == 4


# --- the process, stopped and started ---


@pytest.fixture
def timekeeper(record: Record) -> Iterator[subprocess.Popen[bytes]]:
    """A timekeeper of its own on the record, whose engine does not answer and whose zone is London."""
    surroundings = {
        **os.environ,
        "PREFECT_API_URL": f"http://127.0.0.1:{_silent_port()}/api",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "TZ": "Europe/London",
    }
    process = subprocess.Popen([sys.executable, "-m", "engine.timekeeper"], env=surroundings, cwd=HOUSE)
    yield process
    process.send_signal(signal.SIGCONT)
    process.terminate()
    assert process.wait(30) == 0


def _breaches(record: Record) -> int:
    return int(record.ask("SELECT count(*) FROM ledger WHERE act = 'CHECK_BREACHED'")[0][0])


def test_a_timekeeper_that_was_paused_is_on_time_as_soon_as_it_goes_on(record, hub_time, timekeeper):
    """F4, F10, L6: and breaches go on while the engine is down"""
    first = walk(Stage.CHECKING, sender_id="one")
    hub_time(DUE + MS)
    wait_for(lambda: _breaches(record) == 4)
    timekeeper.send_signal(signal.SIGSTOP)
    hub_time(DUE - timedelta(hours=1))
    walk(Stage.CHECKING, sender_id="two")
    hub_time(DUE + timedelta(hours=1))
    time.sleep(1)
    assert _breaches(record) == 4
    timekeeper.send_signal(signal.SIGCONT)
    wait_for(lambda: _breaches(record) == 8, seconds=5)
    assert check(first, "POLICE").breached_at == DUE


def test_an_hour_that_comes_twice_is_two_hours(record, hub_time, timekeeper):
    """F23, F24: in the night when summer time ends, 01:30 in London is an hour before 01:30"""
    reference = refer()
    with record.as_app() as app:
        for minutes in (-30, 30):
            app.execute(
                "INSERT INTO wake (id, reference, kind, about, due_at, attempts)"
                " VALUES (gen_random_uuid(), %s, 'WARN', %s, %s, 0)",
                (reference, f"NOBODY{minutes}".replace("-", "_"), SUMMER_ENDS + timedelta(minutes=minutes)),
            )
    for minutes, left in ((-31, 2), (-30, 1), (29, 1), (30, 0)):
        hub_time(SUMMER_ENDS + timedelta(minutes=minutes))
        wait_for(lambda left=left: record.ask("SELECT count(*) FROM wake WHERE kind = 'WARN'") == [(left,)], 15)


# --- clocks that jump ---


def test_a_wait_is_as_long_as_it_says_whatever_the_wall_clock_does(monkeypatch):
    """F24"""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    ears = Listener({"wake"})
    began = time.monotonic()
    ears.wait(0.3)
    assert 0.3 <= time.monotonic() - began < 5
    ears.close()


def test_a_loop_hears_of_its_own_tables_alone(record):
    ears = Listener({"wake"})
    ears.wait(0.01)
    with record.as_owner() as owner:
        owner.execute("SELECT pg_notify('mash', 'notice')")
        began = time.monotonic()
        ears.wait(0.3)
        assert time.monotonic() - began >= 0.3
        owner.execute("SELECT pg_notify('mash', 'notice'), pg_notify('mash', 'wake')")
    began = time.monotonic()
    ears.wait(60)
    assert time.monotonic() - began < 30
    ears.close()


def test_what_was_held_back_by_a_clock_that_was_an_hour_ahead_is_not_held(record, hub_time):
    """F24"""
    walk(Stage.CHECKING)
    hub_time(DUE + MS)
    with record.as_owner() as owner:
        owner.execute("UPDATE wake SET hold_until = clock_timestamp() + interval '1 hour'")
    assert _keep_time() == 8


def test_what_is_held_back_is_slept_for_and_no_longer(record, hub_time):
    walk(Stage.CHECKING)
    hub_time(DUE + MS)
    with record.as_owner() as owner:
        owner.execute("DELETE FROM wake WHERE kind = 'RUN'")
        owner.execute("UPDATE wake SET hold_until = clock_timestamp() + interval '4 seconds'")
    with unit_of_work() as session:
        assert 3 < seconds_to_next(session, 10.0) <= 4
    hub_time(DUE - timedelta(days=1))
    with unit_of_work() as session:
        assert seconds_to_next(session, 10.0) == 10.0


def test_neither_the_clock_nor_the_engine_is_kept_awake_by_what_the_other_has_to_do(record, hub_time):
    walk(Stage.CHECKING)
    hub_time(DUE + MS)
    with record.as_owner() as owner:
        owner.execute("DELETE FROM wake WHERE kind = 'RUN'")
    with unit_of_work() as session:
        assert seconds_to_next(session, 10.0, IS_THE_CLOCKS) == 0
        assert seconds_to_next(session, 10.0, ~IS_THE_CLOCKS) == 10


# --- an engine that does not answer ---


@pytest.mark.parametrize(("failures", "least", "most"), [(1, 0.5, 1), (2, 1, 2), (4, 4, 8), (6, 15, 30), (500, 15, 30)])
def test_each_failure_is_waited_for_longer_up_to_a_bound_and_nobody_at_the_same_time(failures, least, most):
    """F10: exponential, with jitter"""
    waits = {back_off(failures) for _ in range(50)}
    assert all(least <= wait <= most for wait in waits)
    assert len(waits) > 10


def test_wakes_are_kept_while_the_engine_is_down(record):
    """F10: the rows stay, and are free again a moment later"""
    for number in range(3):
        refer(sender_id=f"n{number}")
    nowhere = {PREFECT_API_URL: f"http://127.0.0.1:{_silent_port()}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    before = record.ask("SELECT count(*) FROM wake WHERE kind = 'RUN'")
    with record.as_owner() as owner:
        owner.execute("INSERT INTO scenario_clock VALUES (1, %s)", (DUE,))
    with temporary_settings(nowhere), get_client(sync_client=True) as client, Callers(2) as callers:
        with pytest.raises(Unavailable):
            wake_runs(Runs(client), callers, 10)
        with pytest.raises(Unavailable):
            Waking(Runs(client), callers)._room()
    assert record.ask("SELECT count(*) FROM wake WHERE kind = 'RUN'") == before
    soon = "SELECT max(hold_until) < clock_timestamp() + interval '1 minute', max(attempts) FROM wake"
    assert record.ask(soon) == [(True, 1)]
