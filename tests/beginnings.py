"""What many tests begin with is played once by the verbs, and put back row by row for the next test that begins so.

Playing costs a hundred statements and more, putting back one for each table that has rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import sql

from casework import register
from models.profile import Profile
from models.settings import settings
from models.tables import METADATA

T = TypeVar("T")
#: What a migration fills, and no test empties.
FILLED_BY_MIGRATIONS = {"stage_move", "alembic_version", "post"}
#: What the record works out for reports, and what it was left word of.
_FIGURES = (
    "stale", "kept_check", "kept_decision", "kept_referral", "kept_month", "kept_cause", "kept_stage",
    "kept_re_referral", "kept_view", "kept_judgement", "kept_count", "kept_asked_hour", "kept_length",
    "kept_length_hour", "freshness",
)  # fmt: skip
#: A table by its schema and its name.
_Table = tuple[str, str]


class _Kept(NamedTuple):
    result: Any
    rows: dict[_Table, bytes]


class Beginnings:
    """The rows of beginnings played so far, for one database.

    A beginning is the steps since the record was emptied. Once anybody else has written, there is no beginning to keep.
    """

    def __init__(self, superuser: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._superuser = superuser
        self._kept: dict[tuple[object, ...], _Kept] = {}
        self._steps: tuple[object, ...] = ()
        self._unchanged_at: int | None = None

    def begin_anew(self) -> None:
        """Delete every row. Triggers and foreign keys rest meanwhile, which only a superuser can order."""
        with self._superuser.transaction():
            self._superuser.execute("SET LOCAL session_replication_role = replica")
            self._superuser.execute(_deletions())
        self._steps, self._unchanged_at = (), self._next_write()

    def step(self, name: tuple[object, ...], play: Callable[[], T]) -> T:
        """What `play` gives, and its rows in the record; `name` says all that it depends on beside what came before."""
        began = self._next_write()
        if began != self._unchanged_at:
            return play()
        surroundings = sorted((name, value) for name, value in os.environ.items() if name.startswith("MASH_"))
        profile = _text_of(register.current_profile())
        self._steps = (*self._steps, repr(name), repr(settings()), repr(surroundings), profile)
        kept = self._kept.get(self._steps)
        if kept is None:
            result = play()
            kept = self._kept[self._steps] = _Kept(result, self._rows_since(began))
        else:
            self._put_back(kept.rows)
        self._unchanged_at = self._next_write()
        result = kept.result
        return result

    def _next_write(self) -> int:
        """The number that the next writing transaction gets: as long as it is the same, nobody has written."""
        [[number]] = self._superuser.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(number)

    def _rows_since(self, number: int) -> dict[_Table, bytes]:
        return {table: rows for table in _tables() if (rows := self._copied(table, number))}

    def _copied(self, table: _Table, number: int) -> bytes:
        query = sql.SQL("COPY (SELECT * FROM {} WHERE xmin::text::bigint >= {}) TO STDOUT (FORMAT binary)")
        name, rows = sql.Identifier(*table), []
        with self._superuser.cursor() as cursor:
            with cursor.copy(query.format(name, sql.Literal(number))) as copy:
                rows = [bytes(chunk) for chunk in copy]
            return b"".join(rows) if cursor.rowcount else b""

    def _put_back(self, tables: dict[_Table, bytes]) -> None:
        with self._superuser.transaction():
            self._superuser.execute("SET LOCAL session_replication_role = replica")
            for table, rows in tables.items():
                statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(*table))
                with self._superuser.cursor() as cursor, cursor.copy(statement) as copy:
                    copy.write(rows)


@cache
def _tables() -> list[_Table]:
    ours = [("public", table) for table in sorted(METADATA.tables.keys() - FILLED_BY_MIGRATIONS)]
    return ours + [("reports", table) for table in _FIGURES]


@cache
def _deletions() -> sql.Composed:
    return sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)) for table in _tables())


def _text_of(profile: Profile) -> str:
    if id(profile) not in _profiles:
        _profiles[id(profile)] = (profile, profile.model_dump_json())
    return _profiles[id(profile)][1]


#: By identity, and kept so that no other takes its place: a profile has no hash.
_profiles: dict[int, tuple[Profile, str]] = {}


_beginnings: Beginnings | None = None


def use(beginnings: Beginnings | None) -> None:
    """From now on `beginning` works on this record; on none, it plays."""
    global _beginnings  # noqa: PLW0603 -- the tests' factory is made of functions, and each process has one record
    _beginnings = beginnings


def beginning(*name: object, play: Callable[[], T]) -> T:
    """What `play` gives, played or put back."""
    return _beginnings.step(name, play) if _beginnings else play()
