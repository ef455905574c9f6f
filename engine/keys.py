"""New sealing keys, and sealing anew what older ones sealed, while the hub runs (R51, decision 7)."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from casework.db import database
from engine.credentials import write_private
from models.base import SealedJson, SealedText, seal, seal_of, unseal
from models.keyring import ID_LENGTH, keyring, keys_in, with_keys
from models.tables import METADATA

#: What a value sealed before keys had ids is counted under.
UNNAMED = "no id"
_HEAD = 1 + ID_LENGTH


@dataclass(frozen=True)
class Use:
    """How many values a key has sealed that are still there."""

    key_id: str
    values: int
    seals: bool
    opens: bool


def add_key(file: Path) -> str:
    """Put a fresh key first into a key file, and return its id; the key for digests stays what it was."""
    text = file.read_text()
    keys, digests = keys_in(text)
    fresh = base64.b64encode(secrets.token_bytes(32)).decode()
    write_private(file, with_keys(text, (fresh, *keys), digests or keys[-1]))
    return keyring().newest.hex()


def uses(connection: sa.Connection) -> list[Use]:
    """Each key that this process holds, or that sealed something, newest first."""
    counted: Counter[str] = Counter()
    for column in sealed_columns():
        head = sa.func.substring(_raw(column), 1, _HEAD)
        for prefix, count in connection.execute(
            sa.select(head, sa.func.count()).where(sa.func.length(_raw(column)) > 0).group_by(head)
        ):
            counted[_name_of(bytes(prefix))] += count
    held = [key.hex() for key in keyring().ciphers]
    names = [*held, *sorted(counted.keys() - set(held))]
    return [Use(name, counted[name], name == held[0], name in held) for name in names]


def foreign_seals(connection: sa.Connection, sample: int = 20) -> list[str]:
    """The ids of keys that are not here and that sealed something in a sample of each column; a quick look."""
    held = {key.hex() for key in keyring().ciphers} | {UNNAMED}
    found: set[str] = set()
    for column in sealed_columns():
        head = sa.func.substring(_raw(column), 1, _HEAD)
        some = sa.select(head).where(sa.func.length(_raw(column)) > 0).limit(sample)
        found |= {_name_of(bytes(prefix)) for prefix in connection.execute(some).scalars()}
    return sorted(found - held)


def seal_anew(owner: sa.Engine, batch: int) -> Iterator[int]:
    """Seal with the newest key whatever another sealed, so many rows at a time; yields how many each time.

    Each batch is a transaction, and what is done is told by the values themselves: whoever begins again after a kill
    goes on where it stopped. Rows that somebody else is changing are left for the next round. It ends once nothing is
    left that was sealed before it began, by transactions of the hub that still knew the old key alone too.
    """
    with owner.begin() as connection:
        began = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    while True:
        waited_for = _older_transactions(began)
        for table in sealed_tables():
            while done := _batch(owner, table, batch):
                yield done
        with owner.begin() as connection:
            if not waited_for and not _left(connection):
                return
            connection.execute(sa.select(sa.func.pg_sleep(0.2)))


@cache
def sealed_columns() -> tuple[sa.Column[object], ...]:
    """Every column that holds sealed values."""
    return tuple(
        column
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedText | SealedJson)
    )


def sealed_tables() -> list[sa.Table]:
    """Every table with such a column."""
    return list(dict.fromkeys(column.table for column in sealed_columns() if isinstance(column.table, sa.Table)))


def _batch(owner: sa.Engine, table: sa.Table, batch: int) -> int:
    columns = [column for column in sealed_columns() if column.table is table]
    keys = list(table.primary_key.columns)
    wanted = (
        sa.select(*keys, *(_raw(column).label(column.name) for column in columns))
        .where(sa.or_(*(_is_old(column) for column in columns)))
        .limit(batch)
        .with_for_update(skip_locked=True)
    )
    with owner.begin() as connection:
        # What was said for good is never changed by anybody; this changes no word of it, and says so to the trigger.
        connection.execute(sa.text("SELECT set_config('mash.erasing', 'sealed anew', true)"))
        rows = connection.execute(wanted).mappings().all()
        for row in rows:
            anew = {
                column.name: sa.literal(seal(unseal(bytes(row[column.name]))), sa.LargeBinary)
                for column in columns
                if row[column.name]
            }
            where = sa.and_(*(key == row[key.name] for key in keys))
            if table.name == "ledger_content":
                # Nobody changes a row of it, its owner neither: it is erased, and put in again, in one transaction.
                connection.execute(sa.delete(table).where(where))
                kept = {column.name: sa.literal(row[column.name], sa.LargeBinary) for column in columns}
                connection.execute(sa.insert(table).values({key.name: row[key.name] for key in keys} | kept | anew))
            else:
                connection.execute(sa.update(table).where(where).values(anew))
    return len(rows)


def _left(connection: sa.Connection) -> bool:
    return any(
        connection.execute(sa.select(sa.exists().where(_is_old(column)))).scalar_one() for column in sealed_columns()
    )


def _older_transactions(began: object) -> bool:
    """Whether the hub is still at work on something that it began before: under its own role, which sees it."""
    query = sa.text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start < :began)"
    )
    with database().begin() as connection:
        return bool(connection.execute(query, {"began": began}).scalar_one())


def _is_old(column: sa.Column[object]) -> sa.ColumnElement[bool]:
    newest = sa.literal(seal_of(keyring().newest), sa.LargeBinary)
    # Erasure leaves no bytes at all.
    return sa.and_(sa.func.length(_raw(column)) > 0, sa.func.substring(_raw(column), 1, _HEAD) != newest)


def _raw(column: sa.Column[object]) -> sa.ColumnElement[bytes]:
    return sa.type_coerce(column, sa.LargeBinary)


def _name_of(prefix: bytes) -> str:
    return prefix[1:].hex() if prefix[:1] == seal_of(b"")[:1] else UNNAMED
