"""What an actor may not know of is left out of every statement of their transaction, so that no query can forget it.

A referral is hidden from whoever declared a conflict of interest in it, and, while it is restricted, from everybody who
is not named. The engine's own steps are nobody's reading: they bind no reader, and see all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.util import find_tables
from sqlmodel import Session, SQLModel, col

import models.tables  # noqa: F401 -- every table must be known before any is searched
from casework import once
from models.break_glass import GlassBreak
from models.referral import Referral
from models.restriction import InterestConflict, NamedPerson, Restriction
from rules.errors import Misconfigured
from rules.permissions import Actor

_CRITERIA = "mash.hidden"
_MAPPERS = list(sa.inspect(Referral).registry.mappers)
#: As plain columns: the rule is not laid over what the rule itself is made of.
_RESTRICTION, _NAMED, _CONFLICT = (sa.inspect(kind).columns for kind in (Restriction, NamedPerson, InterestConflict))
#: Who may know of what: these say it, and are read in casework/restriction.py and its neighbours alone.
ABOUT_ACCESS: frozenset[type[SQLModel]] = frozenset({Restriction, NamedPerson, InterestConflict, GlassBreak})


def read_as(session: Session, reader: Actor) -> None:
    """From now on this transaction reads as `reader`: what is hidden from them is not there."""
    session.info[_CRITERIA] = _criteria_of(reader.id)


@contextmanager
def unhidden(session: Session) -> Iterator[None]:
    """While the block lasts nothing is left out: for a question that the hub asks itself, and answers to nobody."""
    set_aside = {name: session.info.pop(name) for name in (_CRITERIA, once.TOLD) if name in session.info}
    try:
        yield
    finally:
        session.info |= set_aside


def from_account(account_id: str) -> sa.CompoundSelect[tuple[str]]:
    """The references that one account may not know of, in the record's words."""
    return sa.union_all(
        sa.select(_RESTRICTION.reference).where(_RESTRICTION.lifted_at.is_(None), ~is_named(account_id)),
        sa.select(_CONFLICT.reference).where(_CONFLICT.account_id == account_id),
    )


def is_named(account_id: str) -> sa.ColumnElement[bool]:
    """Whether an account is named in a restriction at this moment of the hub's time, in the record's words."""
    return sa.exists().where(
        _NAMED.restriction_id == _RESTRICTION.id,
        _NAMED.account_id == account_id,
        _NAMED.removed_at.is_(None),
        _NAMED.until.is_(None) | (_NAMED.until > sa.func.mash_now()),
    )


def is_restricted() -> sa.ColumnElement[bool]:
    """Whether a referral is restricted, for whatever nobody may see of it, named or not."""
    return sa.exists().where(_RESTRICTION.reference == col(Referral.reference), _RESTRICTION.lifted_at.is_(None))


@cache
def covered() -> Mapping[type[SQLModel], sa.Column[Any]]:
    """Every table that is about a referral, with the column that says about which, or about which row of another."""
    tables = {
        mapper.class_: cast(sa.Table, mapper.local_table) for mapper in _MAPPERS if mapper.class_ not in ABOUT_ACCESS
    }
    found: dict[type[SQLModel], sa.Column[Any]] = {Referral: tables[Referral].c.reference}
    while more := {
        kind: place
        for kind, table in tables.items()
        if kind not in found and (place := _place(table, found.values())) is not None
    }:
        found |= more
    return found


@lru_cache(maxsize=512)
def _criteria_of(account_id: str) -> Mapping[str, ExecutableOption]:
    """What is laid over an account's statements, by table; kept: every request wants it, and it takes milliseconds."""
    hidden = from_account(account_id)
    return {
        column.table.name: with_loader_criteria(
            kind, getattr(kind, column.name).not_in(_keys_of(column, hidden)), include_aliases=True
        )
        for kind, column in covered().items()
    }


def _place(table: sa.Table, known: Iterable[sa.Column[Any]]) -> sa.Column[Any] | None:
    """The `reference` of a table that has one; otherwise its key of a row that is about a referral."""
    about = {column.table.name for column in known}
    keys = {key.parent.name: key.parent for key in table.foreign_keys if key.column.table.name in about}
    return keys.get("reference", next(iter(keys.values()), None))


def _keys_of(column: sa.Column[Any], hidden: sa.CompoundSelect[tuple[str]]) -> sa.SelectBase:
    """What may not stand in a column: hidden references, or the keys of rows that belong to them."""
    if column.name == "reference":
        return hidden
    [key] = column.foreign_keys
    [above] = [each for each in covered().values() if each.table is key.column.table]
    return sa.select(key.column).where(above.in_(_keys_of(above, hidden)))


@event.listens_for(Session, "do_orm_execute")
def _leave_out(asked: ORMExecuteState) -> None:
    criteria = asked.session.info.get(_CRITERIA)
    if criteria is None:
        return
    if isinstance(asked.statement, sa.TextClause):
        raise Misconfigured("who reads in somebody's name reads the record by its models: text cannot leave out")
    if asked.is_select or asked.is_update or asked.is_delete:
        # A millisecond each when all are laid over it, and nothing for tables that are not in it.
        spoken_of = find_tables(cast(sa.ClauseElement, asked.statement), check_columns=True, include_crud=True)
        names = {table.name for table in spoken_of if table is not None}
        asked.statement = asked.statement.options(*(rule for name, rule in criteria.items() if name in names))
