"""A whole hub to measure on, in a folder of its own, in the benchmarks' area."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, PREFECT_LOGGING_LEVEL, temporary_settings
from psycopg import sql

from bench import area
from casework.db import now, unit_of_work
from casework.register import current_profile
from engine import databases
from engine.credentials import load_or_create
from engine.databases import plain
from engine.ports import ANY_FREE, LOOPBACK
from engine.postgres import SUPERUSER
from engine.stack import Stack
from models.account import Account
from models.settings import HOUSE
from rules.people import Side
from tests.casework import factory
from tests.hub import BUSY
from tests.record import forget_settings

Connection = psycopg.Connection[tuple[Any, ...]]
STAND_INS = ("wakes", "bare", "pauses")


@dataclass(frozen=True)
class Ground:
    """A running hub. `word` is the folder in which stand-in flows leave word."""

    stack: Stack
    engine: SyncPrefectClient
    word: Path

    def record(self, role: str = databases.RECORD_OWNER, database: str = databases.RECORD) -> Connection:
        """Raw SQL on the record, each statement a transaction."""
        return psycopg.connect(plain(self.url(role, database)), autocommit=True)

    def url(self, role: str, database: str) -> str:
        """A SQLAlchemy URL on the hub's PostgreSQL."""
        credentials = load_or_create(self.stack.home)
        secret = {SUPERUSER: credentials.postgres, databases.ENGINE: credentials.prefect}.get(role)
        password = secret or getattr(credentials, role)
        return databases.url(role, password, self.stack.ports.postgres, database, "psycopg")

    def new_database(self, name: str) -> None:
        """An empty database of the record's owner, in place of any of that name."""
        with self.record(SUPERUSER, "postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            owner = sql.Identifier(databases.RECORD_OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), owner))

    def size(self, database: str) -> int:
        """The bytes of one database on the disk."""
        with self.record(SUPERUSER, database) as connection:
            connection.execute("CHECKPOINT")
            [(found,)] = connection.execute("SELECT pg_database_size(%s)", (database,)).fetchall()
            return int(found)

    def deployment(self, name: str) -> UUID:
        """A deployment's id, once the worker has registered it."""
        return self.engine.read_deployment_by_name(name).id

    def mails(self) -> Path:
        """Where the sink keeps what it accepted."""
        return self.stack.home / "mail"


@contextmanager
def hub(without: Collection[str] = ()) -> Iterator[Ground]:
    """A hub for as long as the block lasts; this process's own casework works on its record."""
    with not_started(without) as stack, stack:
        work_on(stack)
        with temporary_settings(_client_settings(stack)), get_client(sync_client=True) as engine:
            ground = Ground(stack, engine, Path(os.environ["MASH_BENCH_WORD"]))
            if "worker" not in without:
                _await_worker(ground)
            yield ground


def work_on(stack: Stack) -> None:
    """From now on this process's casework works on that stack's record, in which everybody has an account."""
    os.environ.update(stack.environment())
    forget_settings()
    _open_accounts()


def portal_answers(stack: Stack) -> bool:
    """Whether the portal says that it is well."""
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://{LOOPBACK}:{stack.ports.portal}/health", timeout=5).status_code == 200
    return False


@contextmanager
def not_started(without: Collection[str] = ()) -> Iterator[Stack]:
    """A hub in an empty folder, in the benchmarks' area, for whoever starts it themselves; gone after the block."""
    before = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="mash-bench-"))
    folder.chmod(0o711)
    word = folder / "word"
    word.mkdir()
    os.environ.update(
        MASH_PROFILE=str(area.write(folder)),
        MASH_DEPLOYMENTS=str(_deployments(folder)),
        MASH_BENCH_WORD=str(word),
        **BUSY,
    )
    try:
        yield Stack(folder / "mash", ANY_FREE, without=without)
    finally:
        forget_settings()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def _client_settings(stack: Stack) -> dict[Any, Any]:
    own = stack.environment()
    return {
        PREFECT_API_URL: own["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"],
        PREFECT_LOGGING_LEVEL: "WARNING",
    }


def _deployments(folder: Path) -> Path:
    """The house's own deployments, and the stand-ins."""
    written = yaml.safe_load((HOUSE / "prefect.yaml").read_text())
    written["deployments"] += [
        {"name": "mash", "entrypoint": f"bench/stand_ins.py:{name}", "work_pool": {"name": "mash"}}
        for name in STAND_INS
    ]
    file = folder / "prefect.yaml"
    file.write_text(yaml.safe_dump(written))
    return file


def _await_worker(ground: Ground, patience: float = 300.0) -> None:
    """The worker registers the deployments once it is warm."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(ObjectNotFound):
            for name in STAND_INS:
                ground.deployment(f"{name}/mash")
            return
        time.sleep(0.5)
    raise TimeoutError("the worker did not register its deployments")


def _open_accounts() -> None:
    with unit_of_work() as session:
        if session.get(Account, factory.DECIDER.id) is not None:
            return
        at = now(session)
    factory.open_hub(at)


def agencies() -> list[str]:
    """The codes of the agencies that are asked about a child: eight."""
    return [agency.code for agency in current_profile().agencies_to_ask({Side.CHILD})]
