"""Every column that could hold something about a person has a purpose, a basis and a period (S-29)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models.base import SealedJson, SealedText
from models.processing import DIFFERING, FILE, NOT_PERSONAL, PURPOSES, page, register
from models.profile import load_profile
from models.settings import HOUSE
from models.tables import METADATA

COLUMNS = {f"{table.name}.{column.name}" for table in METADATA.tables.values() for column in table.columns}


def test_no_column_is_without_purpose_basis_and_period():
    """S-29: say in models/processing.py what a new column is for, then `python -m models.processing`"""
    rows, unknown = register(METADATA.sorted_tables)
    assert unknown == []
    assert all(row.purpose and all(row.ground) for row in rows)
    sealed = {
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedText | SealedJson)
    }
    assert sealed <= {row.column for row in rows}
    assert not sealed & NOT_PERSONAL


@pytest.mark.parametrize("kind", [SealedText(), sa.String(40), sa.Text(), sa.JSON(), sa.Date()], ids=repr)
def test_a_new_column_that_nobody_has_said_anything_about_is_named(kind: sa.types.TypeEngine[object]):
    """S-29"""
    table = sa.Table("subject", sa.MetaData(), sa.Column("id", sa.Uuid()), sa.Column("nickname", kind))
    assert register([table]) == ([], ["subject.nickname"])


def test_nothing_is_said_of_columns_that_are_not_there():
    named = {f"{table}.{column}" for table, (_, purposes) in PURPOSES.items() for column in purposes}
    assert (named | NOT_PERSONAL | set(DIFFERING)) - COLUMNS == set()


def test_the_register_is_not_stale():
    """S-29: to renew it, python -m models.processing"""
    assert FILE.read_text(encoding="utf-8") == page(load_profile(HOUSE / "profiles" / "bnes.toml"))
