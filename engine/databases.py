"""The two databases of the embedded PostgreSQL and their owners, made when missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import psycopg
from psycopg import sql

from engine.credentials import Credentials
from engine.ports import LOOPBACK
from engine.postgres import SUPERUSER
from rules.errors import Misconfigured, Unavailable

RECORD, RECORD_OWNER, RECORD_USER = "mash", "mash_owner", "mash_app"
#: Reads the figures in the schema `reports`, and nothing else: for a BI tool.
RECORD_ANALYST = "mash_analyst"
ENGINE = "prefect"
# Of the server's 150: a busy engine can never starve the record.
ENGINE_CONNECTIONS, RECORD_CONNECTIONS = 40, 100

Connection = psycopg.Connection[tuple[object, ...]]


def url(role: str, password: str, port: int, database: str, driver: str) -> str:
    """A SQLAlchemy URL for one role of the embedded server."""
    return f"postgresql+{driver}://{role}:{quote(password, safe='')}@{LOOPBACK}:{port}/{database}"


def plain(url: str) -> str:
    """A SQLAlchemy URL as psycopg and PostgreSQL's own programs take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def wait_until_ready(port: int, password: str, *, alive: Callable[[], bool], patience: float) -> None:
    """Return once the server answers a query; a crash recovery may take a while.

    Raises Misconfigured when the server ended instead, Unavailable when it did not answer in time.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            with _connect(port, password, "postgres"):
                return
        except psycopg.OperationalError:
            if not alive():
                raise Misconfigured("PostgreSQL ended while starting: its log says why.") from None
            time.sleep(0.05)
    raise Unavailable(f"PostgreSQL did not answer on port {port} within {patience:.0f} s.")


def create_missing(port: int, credentials: Credentials) -> None:
    """Make roles, databases and rights as they should be. Safe to repeat; takes milliseconds when all is there."""
    create_missing_at(lambda database: _connect(port, credentials.postgres, database), credentials)


def create_missing_at(connect: Callable[[str], Connection], credentials: Credentials) -> list[str]:
    """The same in a server of the site's own, through a superuser's connections. Gives the roles that were made.

    The password of a role that is there stays what it is.
    """
    roles = {
        RECORD_OWNER: credentials.mash_owner,
        RECORD_USER: credentials.mash_app,
        RECORD_ANALYST: credentials.mash_analyst,
        ENGINE: credentials.prefect,
    }
    with connect("postgres") as connection:
        made = [role for role, password in roles.items() if _ensure_role(connection, role, password)]
        _ensure_database(connection, RECORD, RECORD_OWNER, RECORD_CONNECTIONS)
        _ensure_database(connection, ENGINE, ENGINE, ENGINE_CONNECTIONS)
        for role in (RECORD_USER, RECORD_ANALYST):
            _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", RECORD, role)
        for setting in (
            "CONNECTION LIMIT 8",
            "SET default_transaction_read_only = on",
            "SET statement_timeout = '60s'",
        ):
            _run(connection, f"ALTER ROLE {{}} {setting}", RECORD_ANALYST)
    with connect(RECORD) as connection:
        _run(connection, "GRANT USAGE ON SCHEMA public TO {}", RECORD_USER)
    with connect(ENGINE) as connection:
        _run(connection, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    return made


def _connect(port: int, password: str, database: str) -> Connection:
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        user=SUPERUSER,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def _run(connection: Connection, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _ensure_role(connection: Connection, role: str, password: str) -> bool:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None:
        return False
    # Hashed here, so that the password itself is never part of a statement.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))
    return True


def _ensure_database(connection: Connection, name: str, owner: str, connections: int) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        _run(connection, "CREATE DATABASE {} OWNER {}", name, owner)
    _run(connection, f"ALTER DATABASE {{}} CONNECTION LIMIT {connections:d}", name)
    _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
