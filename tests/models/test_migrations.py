"""The migrations make, on real PostgreSQL, exactly the record that the models describe."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command

import migrations
from engine.databases import RECORD_OWNER
from models.tables import METADATA
from tests.record import RecordServer

#: What a database holds, in words that can be compared: columns, constraints and indexes.
STRUCTURE = """
SELECT table_name, column_name, data_type, is_nullable, coalesce(character_maximum_length, 0)::text
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
UNION ALL
SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT tablename, indexname, indexdef, '', ''
FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
LEFT_OVER = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')
UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
def empty(record_server: RecordServer) -> str:
    """The owner's URL of a database without a table."""
    record_server.new_database("tried")
    return record_server.url(RECORD_OWNER, "tried")


def _structure(server: RecordServer, name: str) -> set[tuple[str, ...]]:
    with server.connect(RECORD_OWNER, name) as connection:
        return set(connection.execute(STRUCTURE).fetchall())


def test_the_record_goes_up_down_and_up_again(empty: str, record_server: RecordServer):
    """Issue 1: migrations, on real PostgreSQL"""
    migrations.upgrade(empty)
    first = _structure(record_server, "tried")
    migrations.downgrade(empty)
    with record_server.connect(RECORD_OWNER, "tried") as connection:
        assert {row[0] for row in connection.execute(LEFT_OVER)} == {"alembic_version"}
    migrations.upgrade(empty)
    assert _structure(record_server, "tried") == first


def test_migrating_twice_changes_nothing(empty: str, record_server: RecordServer):
    migrations.upgrade(empty)
    first = _structure(record_server, "tried")
    migrations.upgrade(empty)
    assert _structure(record_server, "tried") == first


def test_alembic_finds_no_drift_between_models_and_migrations(empty: str):
    migrations.upgrade(empty)
    command.check(migrations.configuration(empty))


def test_models_and_migrations_agree_on_every_column_constraint_and_index(empty: str, record_server: RecordServer):
    """Alembic's own check does not look at constraints; this one does."""
    engine = sa.create_engine(empty, poolclass=sa.NullPool)
    METADATA.create_all(engine)
    engine.dispose()
    by_models, by_migrations = _structure(record_server, "tried"), _structure(record_server, "mash")
    assert by_models - by_migrations == set()
    assert by_migrations - by_models == set()
