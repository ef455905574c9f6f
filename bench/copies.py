"""Many waiting referrals in a short time: copies of one that came to its wait by itself, each with a suspended run.

The copy is made row by row in the record, with references, ids and a ledger chain of its own; what was said for the
original is not said again. Its run is a copy too: see `bench.runs`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bench import runs
from bench.ground import Connection, Ground
from engine.postgres import SUPERUSER
from engine.runs import TOLD, Runs
from models.ledger import GENESIS, LedgerEntry
from rules.reference import new_reference

TABLES = ("referral", "subject", "agency_check", "notice", "wake", "ledger")
Row = dict[str, Any]
Change = Callable[[str, Row, int], Row | None]


def _as_it_is(_table: str, row: Row, _number: int) -> Row | None:
    return row


def make(ground: Ground, original: str, count: int, *, change: Change = _as_it_is) -> list[str]:
    """So many copies of a waiting referral, each with a suspended run of its own; their references.

    `change` may alter a row of a copy (table, row, the copy's number), or leave it out by giving None.
    """
    # Past the second wall, which COPY cannot write through.
    with ground.record(SUPERUSER) as record:
        rows = {table: _rows(record, table, original) for table in TABLES}
        [referral] = rows["referral"]
        run_of = runs.copy(ground, referral["run_id"], original, [new_reference() for _ in range(count)])
        made: dict[str, list[Row]] = {table: [] for table in TABLES}
        for number, (reference, run) in enumerate(run_of.items()):
            for table, found in _copy(rows, reference, run).items():
                changed = [change(table, row, number) for row in found]
                made[table] += _chained(table, [row for row in changed if row is not None])
        with record.transaction():
            for table in TABLES:
                put(record, table, made[table])
        record.execute("ANALYZE")
        [(newest,)] = record.execute("SELECT max(id) FROM ledger").fetchall()
    # As if it had been told of each when it came: nothing of the copies' past is news to the engine.
    Runs(ground.engine).note_told(newest, TOLD)
    return list(run_of)


def due_at(moments: Sequence[datetime]) -> Change:
    """Let copy number n be due at moments[n]: its checks, the wakes for them, and what the ledger says of them."""

    def change(table: str, row: Row, number: int) -> Row | None:
        due = moments[number]
        if table == "agency_check":
            row["requested_at"], row["due_at"] = due - timedelta(days=1), due
        elif table == "wake":
            if row["kind"] == "WARN":
                return None
            row["due_at"] = due + timedelta(milliseconds=1)
        elif table == "ledger" and "due_at" in row["detail"]:
            row["detail"]["due_at"] = due.isoformat()
        return row

    return change


def _rows(record: Connection, table: str, reference: str) -> list[Row]:
    cursor = psycopg.Cursor[Row](record, row_factory=dict_row)
    query = sql.SQL("SELECT * FROM {} WHERE reference = %s").format(sql.Identifier(table))
    return cursor.execute(query, (reference,)).fetchall()


def _copy(rows: dict[str, list[Row]], reference: str, run: UUID) -> dict[str, list[Row]]:
    made = {table: [{**copy.copy(row), "reference": reference} for row in found] for table, found in rows.items()}
    for table in ("subject", "agency_check", "notice", "wake"):
        for row in made[table]:
            row["id"] = uuid4()
    for row in made["referral"]:
        row.update(sender_id=reference, run_id=run, runs=1)
    for row in made["notice"]:
        row.update(key=f"{reference}:{row['id']}", status="SENT", next_at=None, lease_until=None)
    for row in made["ledger"]:
        row.pop("id")
        row["detail"] = dict(row["detail"])
    return made


def _chained(table: str, rows: list[Row]) -> list[Row]:
    """A referral's ledger entries, each with the digest that follows from the one before it."""
    previous = GENESIS
    for row in rows if table == "ledger" else ():
        entry = LedgerEntry(**{**row, "previous": previous, "digest": ""})
        row["previous"], row["digest"] = previous, entry.compute_digest()
        previous = row["digest"]
    return rows


def put(record: Connection, table: str, rows: list[Row]) -> None:
    """Put rows of a table into the record, as COPY does."""
    if not rows:
        return
    columns = list(rows[0])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with record.cursor().copy(statement) as out:
        for row in rows:
            out.write_row([_plain(row[column]) for column in columns])


def _plain(value: Any) -> Any:
    return Jsonb(value, dumps=json.dumps) if isinstance(value, dict | list) else value
