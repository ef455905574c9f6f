"""The embedded PostgreSQL: starts, stops, survives, and refuses with a sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from engine.cli import app
from engine.credentials import load_or_create
from engine.ports import ANY_FREE, Ports
from engine.stack import Stack
from engine.unprivileged import Account, require_access
from rules.errors import Misconfigured, Refused, Unavailable
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


ROLES = ("mash_app", "mash_owner", "prefect", "mash_analyst")


def _roles(admin_url: str) -> list[str]:
    done = CliRunner().invoke(app, ["db", "roles", "--admin-url", admin_url])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_a_site_makes_the_roles_in_its_own_server_and_none_of_them_is_mighty(database: Stack):
    """S-4, issue 7: the settings that are printed work, and saying it again changes no password"""
    admin = f"postgresql://postgres:{load_or_create(database.home).postgres}@127.0.0.1:{database.ports.postgres}/"
    with psycopg.connect(admin, dbname="postgres", autocommit=True) as server:
        server.execute("DROP DATABASE mash")
        server.execute("DROP DATABASE prefect")
        for role in ROLES:
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        lines = _roles(admin)
        flags = "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication), count(*)"
        assert server.execute(f"{flags} FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)]).fetchone() == (False, 4)
    found = dict(line.removeprefix("# for a BI tool: ").split("=", 1) for line in lines)
    assert set(found) == {
        "MASH_DATABASE_URL", "MASH_OWNER_DATABASE_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "FIGURES_URL",
    }  # fmt: skip
    for url in found.values():
        psycopg.connect(url.replace("+psycopg", "").replace("+asyncpg", ""), connect_timeout=5).close()
    owner = found["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE one (number int)")
    with (
        psycopg.connect(found["MASH_DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE two (number int)")
    assert _roles(admin) == [f"# {role} is there already; its password stays what it is." for role in ROLES]
    psycopg.connect(owner, connect_timeout=5).close()


@pytest.mark.parametrize(
    ("admin_url", "sentence"),
    [("nonsense", "is not written as"), ("postgresql://postgres:x@127.0.0.1:1/", "does not answer")],
)
def test_a_server_that_cannot_be_reached_is_one_sentence(admin_url: str, sentence: str):
    done = CliRunner().invoke(app, ["db", "roles", "--admin-url", admin_url])
    assert sentence in str(done.exception)
    assert isinstance(done.exception, Refused | Unavailable)
