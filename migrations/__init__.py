"""The record's schema, step by step (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).resolve().parent


def configuration(owner_url: str) -> Config:
    """Alembic's configuration for the record at `owner_url`, a SQLAlchemy URL of the role that owns the tables."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = owner_url
    return config


def head() -> str | None:
    """The newest step that this release has."""
    return ScriptDirectory.from_config(configuration("")).get_current_head()


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the record's schema up to `revision`."""
    command.upgrade(configuration(owner_url), revision)


def downgrade(owner_url: str, revision: str = "base") -> None:
    """Take the record's schema down to `revision`. Destroys what the later steps held."""
    command.downgrade(configuration(owner_url), revision)
