"""`mash keys …`: which keys seal free text, and changing them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, AsJson, Home, take_settings
from rules.errors import Refused

if TYPE_CHECKING:
    import sqlalchemy as sa

    from engine.keys import Use

keys_app = typer.Typer(help="The keys that seal free text in the record.", no_args_is_help=True)
_NEEDED = (*OF_THE_RECORD, "MASH_OWNER_DATABASE_URL")


@keys_app.command("list")
def keys_list(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Say of each key how many values it sealed, and which may go. Prints ids, never a key."""
    take_settings(home, _NEEDED)
    used = _uses(_owner())
    typer.echo(json.dumps([asdict(use) for use in used]) if as_json else "\n".join(map(_said, used)))


@keys_app.command("rotate")
def keys_rotate(
    batch: Annotated[int, typer.Option(min=1, help="Rows in one transaction.")] = 200,
    home: Home = DEFAULT_HOME,
) -> None:
    """Seal everything anew with a fresh key, while the hub runs. Stopped on the way, it goes on when called again."""
    take_settings(home, _NEEDED)
    from engine.keys import add_key, seal_anew  # noqa: PLC0415 -- --help must not wait for these imports
    from models.settings import settings  # noqa: PLC0415

    owner, file = _owner(), settings().key_file
    if not any(use.values for use in _uses(owner) if not use.seals):
        if file is None:
            raise Refused("everything is sealed with the first key of MASH_KEY: put a new one before it, and a comma")
        typer.echo(f"Key {add_key(file)} is new and seals from now on.")
    done = 0
    for rows in seal_anew(owner, batch):
        done += rows
        typer.echo(f"{done} rows sealed anew")
        sys.stdout.flush()
    typer.echo("\n".join(map(_said, _uses(owner))))


def _owner() -> sa.Engine:
    import sqlalchemy as sa  # noqa: PLC0415

    from models.settings import settings  # noqa: PLC0415

    if (url := settings().owner_database_url) is None:
        raise Refused("set MASH_OWNER_DATABASE_URL: only the owner of the tables seals anew")
    return sa.create_engine(url.get_secret_value(), hide_parameters=True, poolclass=sa.NullPool)


def _uses(owner: sa.Engine) -> list[Use]:
    from engine.keys import uses  # noqa: PLC0415

    with owner.begin() as connection:
        return uses(connection)


def _said(use: Use) -> str:
    if use.seals:
        return f"key {use.key_id}: seals; {use.values} values"
    if not use.values:
        return f"key {use.key_id}: seals nothing any more and may be taken away"
    return f"key {use.key_id}: {use.values} values" + ("; still needed" if use.opens else "; it is not here")
