"""The embedded PostgreSQL: starts, stops, survives, and refuses with a sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from engine.ports import ANY_FREE, Ports
from engine.stack import Stack
from engine.unprivileged import Account, require_access
from rules.errors import Misconfigured
from tests.engine.conftest import wait_for

BUT_POSTGRES = ["sink", "portal", "prefect", "worker", "timekeeper"]


@pytest.fixture
def database(home: Path) -> Iterator[Stack]:
    """A stack of PostgreSQL alone."""
    with Stack(home, ANY_FREE, without=BUT_POSTGRES) as stack:
        yield stack


def _connect(stack: Stack, role: str = "MASH_OWNER_DATABASE_URL") -> psycopg.Connection:
    return psycopg.connect(stack.environment()[role].replace("+psycopg", ""), connect_timeout=5)


def _answers(stack: Stack) -> bool:
    try:
        _connect(stack).close()
    except psycopg.OperationalError:
        return False
    return True


def test_what_was_committed_is_there_after_the_server_was_killed(database: Stack):
    with _connect(database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    killed = database.part("postgres").pid
    database.kill("postgres")
    wait_for(lambda: database.part("postgres").pid not in (None, killed) and _answers(database))
    with _connect(database) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_second_start_on_the_same_folder_finds_the_same_data_on_the_same_port(home: Path):
    with Stack(home, ANY_FREE, without=BUT_POSTGRES) as first, _connect(first) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with Stack(home, ANY_FREE, without=BUT_POSTGRES) as second, _connect(second) as connection:
        assert second.ports == first.ports
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_the_applications_role_owns_nothing_and_makes_nothing(database: Stack):
    with (
        _connect(database, "MASH_DATABASE_URL") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE mine (one int)")


def test_the_engines_role_cannot_reach_the_record(database: Stack):
    url = database.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("mash_owner", "prefect").replace(str(password), "guess"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("log_error_verbosity", "terse"),
        ("log_min_error_statement", "panic"),
        ("log_parameter_max_length_on_error", "0"),
    ],
)
def test_the_server_is_durable_local_and_discreet(engine_stack: Stack, setting: str, value: str):
    with _connect(engine_stack) as connection:
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
    assert row == (value,)


def test_a_failed_statement_leaves_no_value_in_the_log(database: Stack):
    with _connect(database) as connection:
        connection.execute("CREATE TABLE unique_names (name text PRIMARY KEY)")
        connection.execute("INSERT INTO unique_names VALUES ('canary-name')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO unique_names VALUES (%s)", ["canary-name"])
    assert "canary-name" not in (database.home / "logs" / "postgres.log").read_text()


def test_what_an_interrupted_first_start_left_is_removed_with_a_sentence(home: Path):
    (home / "postgres.unfinished.x" / "base").mkdir(parents=True)
    said: list[str] = []
    with Stack(home, ANY_FREE, without=BUT_POSTGRES, say=said.append):
        assert not (home / "postgres.unfinished.x").exists()
    assert any("interrupted" in sentence for sentence in said)


def test_a_half_written_data_folder_is_refused_and_left_alone(home: Path):
    with Stack(home, ANY_FREE, without=BUT_POSTGRES):
        pass
    (home / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(Misconfigured, match="not a whole PostgreSQL data folder"):
        Stack(home, ANY_FREE, without=BUT_POSTGRES).start()
    assert (home / "postgres" / "base").is_dir()


def test_a_port_in_use_is_refused_by_its_number(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"Port {port}, meant for postgres, is in use"):
            Stack(home, Ports(0, 0, 0, port), without=BUT_POSTGRES).start()


def test_a_second_copy_is_refused_by_the_first_ones_process(database: Stack):
    with pytest.raises(Misconfigured, match=rf"Another copy \(process {os.getpid()}\)"):
        Stack(database.home, ANY_FREE, without=BUT_POSTGRES).start()
    assert _answers(database)


def test_a_lock_file_that_nobody_holds_is_no_obstacle(home: Path):
    (home / "lock").write_text("4194304\n")
    with Stack(home, ANY_FREE, without=BUT_POSTGRES) as stack:
        assert _answers(stack)


def test_a_folder_that_the_servers_account_may_not_enter_is_named(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Misconfigured, match="may not enter"):
        require_access(Account("nobody-at-all", 65533, 65533), closed)


def test_missing_credentials_beside_data_are_not_replaced(home: Path):
    with Stack(home, ANY_FREE, without=BUT_POSTGRES):
        pass
    (home / "secrets.json").unlink()
    with pytest.raises(Misconfigured, match="from a backup"):
        Stack(home, ANY_FREE, without=BUT_POSTGRES).start()
