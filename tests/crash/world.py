"""A copy of what a play left in the record and the mail, to be broken and judged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from engine import databases
from engine.postgres import binaries
from tests.crash.evidence import TABLES, Evidence, collect
from tests.crash.trial import Scene

#: The database that every copy is made from.
WORLD = "crash_world"


@dataclass(frozen=True)
class World:
    """A copy of what a play left. Break it with `sql` and in `mail`, then ask the checker for `evidence`."""

    scene: Scene
    database: str
    mail: Path
    references: frozenset[str]

    def sql(self, statement: str, *values: object) -> int:
        """Change the copied record as its owner could who switched every trigger off; gives how many rows."""
        with psycopg.connect(self.scene.url(self.database)) as record:
            record.execute("SET session_replication_role = replica")
            return record.execute(statement.encode(), values or None).rowcount

    def evidence(self) -> Evidence:
        """What the checker sees of this world."""
        return collect(
            self.scene.url(self.database),
            self.mail,
            journal=self.scene.folder / "journal.jsonl",
            recipients=self.scene.folder / "recipients.json",
            engine_url=self.scene.url(databases.ENGINE),
        ).limited_to(self.references)


def copy_record(scene: Scene, references: Collection[str]) -> None:
    """Through a dump, since a database in use cannot be a template; of these referrals alone."""
    with psycopg.connect(scene.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(WORLD)))
    surroundings = {"PATH": os.defpath, "LC_ALL": "C"}
    dump = subprocess.run(
        [binaries() / "pg_dump", "--dbname", scene.url(databases.RECORD)],
        env=surroundings, capture_output=True, check=True,
    )  # fmt: skip
    subprocess.run(
        [binaries() / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", scene.url(WORLD)],
        env=surroundings, input=dump.stdout, capture_output=True, check=True,
    )  # fmt: skip
    with psycopg.connect(scene.url(WORLD)) as record:
        record.execute("SET session_replication_role = replica")
        for table in TABLES:
            record.execute(f"DELETE FROM {table} WHERE {_of_others(table)}".encode(), [list(references)])


def _of_others(table: str) -> str:
    if table == "account":
        return "%s::text[] IS NULL"
    mine = "SELECT id FROM agency_check WHERE reference = ANY(%s)"
    by_check = table in ("agency_return", "clarification")
    return f"check_id NOT IN ({mine})" if by_check else "(reference = ANY(%s)) IS NOT TRUE"
