"""Suspended runs in bulk: copies, in the engine's own tables, of a run that came to its wait by itself.

Prefect's API makes a run in some 30 ms of the server's CPU: ten thousand would take longer than all the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from bench.ground import Connection, Ground
from engine.databases import ENGINE
from engine.postgres import SUPERUSER

#: Each table, which of its rows belong to a run, and which of its columns name a row that is copied as well.
TABLES = (
    ("flow_run", "was.id = %(run)s", ("id", "state_id")),
    ("flow_run_state", "was.flow_run_id = %(run)s", ("id", "flow_run_id")),
    ("task_run", "was.flow_run_id = %(run)s", ("id", "flow_run_id", "state_id")),
    (
        "task_run_state",
        "was.task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = %(run)s)",
        ("id", "task_run_id"),
    ),
)
#: A fresh id for each old one and each copy, the same wherever it stands.
NEW_ID = "md5({column}::text || copy.reference)::uuid"


def copy(ground: Ground, original: UUID, reference: str, copies: Sequence[str]) -> dict[str, UUID]:
    """A copy of `original`, the suspended run of `reference`, for each of these references: the ids of the copies.

    Task runs and states are copied with it; its events and log lines are not.
    """
    with ground.record(SUPERUSER, ENGINE) as engine:
        told = {"run": original, "was": reference, "copies": list(copies)}
        with engine.transaction():
            engine.execute("SET LOCAL session_replication_role = replica")
            for table, where, ids in TABLES:
                engine.execute(_statement(engine, table, where, ids), told)
        for table, _, _ in TABLES:
            engine.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        query = (
            "SELECT copy.reference, md5(%(run)s::uuid::text || copy.reference)::uuid"
            " FROM unnest(%(copies)s::text[]) AS copy(reference)"
        )
        return dict(engine.execute(query, told).fetchall())


def _statement(engine: Connection, table: str, where: LiteralString, ids: Sequence[str]) -> sql.Composed:
    query = (
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
    )
    kinds: dict[str, LiteralString] = dict(engine.execute(query, (table,)).fetchall())
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in kinds)
    values = sql.SQL(", ").join(_value(column, kind, ids) for column, kind in kinds.items())
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS was,"
        " unnest(%(copies)s::text[]) AS copy(reference) WHERE {where}"
    ).format(table=sql.Identifier(table), columns=columns, values=values, where=sql.SQL(where))


def _value(column: str, kind: LiteralString, ids: Sequence[str]) -> sql.Composed | sql.SQL:
    name = sql.SQL("was.{}").format(sql.Identifier(column))
    if column in ids:
        return sql.SQL(NEW_ID).format(column=name)
    if kind in ("json", "jsonb", "character varying", "text"):
        replaced = sql.SQL(
            "replace(replace({}::text, %(was)s, copy.reference), %(run)s::uuid::text,"
            " md5(%(run)s::uuid::text || copy.reference)::uuid::text)"
        ).format(name)
        return sql.SQL("{}::{}").format(replaced, sql.SQL(kind))
    return name
