"""A real record for tests: one embedded PostgreSQL for the session, migrated, and empty before each test.

Tests work in it as the hub does, under the application's role. `record` may also be asked for the owner's view, for
what only an owner (or a thief) could do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

import migrations
from casework import register
from casework.db import database
from engine import databases
from engine.credentials import Credentials, load_or_create
from engine.databases import plain
from engine.ports import ANY_FREE
from engine.postgres import SUPERUSER, binaries
from engine.stack import PARTS, Stack
from models.settings import HOUSE, Settings, settings
from tests.beginnings import Beginnings, use
from tests.hurry import hurry


class RecordServer:
    """The session's PostgreSQL. `home` is the folder of its installation."""

    def __init__(self, home: Path, port: int, credentials: Credentials) -> None:
        self.home, self.port, self._credentials = home, port, credentials

    def url(self, role: str, database_name: str = databases.RECORD) -> str:
        """A SQLAlchemy URL: `role` is one of mash_app, mash_owner and postgres."""
        return databases.url(role, getattr(self._credentials, role), self.port, database_name, "psycopg")

    def connect(self, role: str, database_name: str = databases.RECORD) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of one's own, each statement a transaction."""
        return psycopg.connect(plain(self.url(role, database_name)), autocommit=True, connect_timeout=5)

    def new_database(self, name: str) -> None:
        """An empty database of the record's owner, in place of any of that name."""
        with self.connect(SUPERUSER, "postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(databases.RECORD_OWNER)
                )
            )

    def environment(self) -> dict[str, str]:
        """The settings of a part that works on the record; mail is set by those who send it."""
        return {
            "MASH_DATABASE_URL": self.url(databases.RECORD_USER),
            "MASH_OWNER_DATABASE_URL": self.url(databases.RECORD_OWNER),
            "MASH_KEY": self._credentials.key,
            "MASH_PROFILE": str(HOUSE / "profiles" / "bnes.toml"),
            "MASH_PORTAL_URL": "http://portal.mash.localhost",
        }

    def dump(self) -> bytes:
        """The whole record as pg_dump writes it: what a thief of a backup would hold. Not the figures' calendar, which
        holds every day, and so everybody's birthday.
        """
        found = psycopg.conninfo.conninfo_to_dict(plain(self.url(databases.RECORD_OWNER)))
        surroundings = {"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": str(found.pop("password"))}
        address = psycopg.conninfo.make_conninfo(**found)
        command = [
            *(str(binaries() / "pg_dump"), "--enable-row-security", "--exclude-table-data=reports.office_day"),
            *("--dbname", address, "--no-password"),
        ]
        return subprocess.run(command, env=surroundings, capture_output=True, check=True).stdout


class Record:
    """The record of one test."""

    def __init__(self, server: RecordServer, owner: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.server, self._owner = server, owner

    def as_app(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raw SQL under the application's role, with everything in sight that the application can see."""
        connection = self.server.connect(databases.RECORD_USER)
        connection.execute("SET mash.scope = 'hub'")
        return connection

    def as_owner(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raw SQL under the role that owns the tables."""
        return self.server.connect(databases.RECORD_OWNER)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the record holds, as its owner sees it."""
        return self._owner.execute(query.encode(), values).fetchall()


def forget_settings() -> None:
    """Let this process read its settings afresh, and close the connections that it made under the old ones."""
    if database.cache_info().currsize:
        database().dispose()
    for remembered in (settings, database, register.current_profile):
        remembered.cache_clear()


@pytest.fixture(scope="session")
def record_server() -> Iterator[RecordServer]:
    """PostgreSQL with a migrated record, for the whole session."""
    folder = Path(tempfile.mkdtemp(prefix="mash-record-"))
    # PostgreSQL's account passes through.
    folder.chmod(0o711)
    with Stack(folder, ANY_FREE, without=[part for part in PARTS if part != "postgres"]) as stack:
        server = RecordServer(folder, stack.ports.postgres, load_or_create(folder))
        hurry(stack)
        migrations.upgrade(server.url(databases.RECORD_OWNER))
        yield server
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def record_keys(record_server: RecordServer) -> Iterator[tuple[psycopg.Connection[tuple[Any, ...]], ...]]:
    """One connection as the owner and one as the superuser, kept open: each new one costs more than most tests."""
    with record_server.connect(databases.RECORD_OWNER) as owner, record_server.connect(SUPERUSER) as superuser:
        yield owner, superuser


@pytest.fixture(scope="module")
def record_settings(record_server: RecordServer) -> Iterator[RecordServer]:
    """This process's settings lead to the record, for one module of tests."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("MASH_")]:
        del os.environ[name]
    os.environ.update(record_server.environment())
    forget_settings()
    yield record_server
    forget_settings()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def beginnings(record_keys: tuple[psycopg.Connection[tuple[Any, ...]], ...]) -> Beginnings:
    """What tests of this session began with."""
    return Beginnings(record_keys[1])


@pytest.fixture
def record(
    record_settings: RecordServer,
    record_keys: tuple[psycopg.Connection[tuple[Any, ...]], ...],
    beginnings: Beginnings,
) -> Iterator[Record]:
    """An empty record under the area's own profile."""
    if settings() != Settings():
        # The test before had settings of its own.
        forget_settings()
    beginnings.begin_anew()
    use(beginnings)
    yield Record(record_settings, record_keys[0])
    use(None)
