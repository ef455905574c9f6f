"""`mash db roles`: the roles and databases of a hub in a PostgreSQL server of the site's own, each with the least."""

from __future__ import annotations

import secrets
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from rules.errors import Refused, Unavailable

if TYPE_CHECKING:
    from psycopg import Connection

#: Of each role the setting that leads to it; the analyst's is for a BI tool.
_SETTINGS = (
    ("mash_app", "MASH_DATABASE_URL", "+psycopg", "mash"),
    ("mash_owner", "MASH_OWNER_DATABASE_URL", "+psycopg", "mash"),
    ("prefect", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "+asyncpg", "prefect"),
    ("mash_analyst", "# for a BI tool: FIGURES_URL", "", "mash"),
)


def roles(
    admin_url: Annotated[
        str,
        typer.Option(help="The server, as a superuser: postgresql://postgres:…@host:5432/.", envvar="MASH_ADMIN_URL"),
    ],
) -> None:
    """Make what a hub needs in PostgreSQL 16 or newer, and print the settings. Passwords are shown this once.

    mash_owner owns the record's tables and is for `mash db upgrade` alone; mash_app is the hub's: it owns nothing and
    stands behind the wall; mash_analyst reads the figures; prefect owns the engine's database. None is a superuser.
    """
    import psycopg  # noqa: PLC0415 -- --help must not wait for these imports
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415

    from engine.credentials import Credentials  # noqa: PLC0415
    from engine.databases import create_missing_at  # noqa: PLC0415

    made_up = Credentials(**{field.name: secrets.token_urlsafe(32) for field in fields(Credentials)})

    def connect(database: str) -> Connection[tuple[object, ...]]:
        return psycopg.connect(make_conninfo(admin_url, dbname=database), autocommit=True, connect_timeout=5)

    try:
        address = conninfo_to_dict(admin_url)
        made = create_missing_at(connect, made_up)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the server does not answer as that superuser ({type(error).__name__})") from None
    except psycopg.errors.InsufficientPrivilege:
        raise Refused("this account may not make roles: give that of a superuser") from None
    except psycopg.ProgrammingError:
        raise Refused("--admin-url is not written as postgresql://user:password@host:port/") from None
    where = f"{address.get('host', 'localhost')}:{address.get('port', 5432)}"
    for role, setting, driver, database in _SETTINGS:
        if role in made:
            password = quote(getattr(made_up, role), safe="")
            typer.echo(f"{setting}=postgresql{driver}://{role}:{password}@{where}/{database}")
        else:
            typer.echo(f"# {role} is there already; its password stays what it is.")
