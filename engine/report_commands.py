"""`mash reports …`: the figures that analysts read, and how another tool reads them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, AsJson, Home, take_settings
from rules.errors import Misconfigured

reports_app = typer.Typer(help="The figures: what they mean, and reading them with other tools.", no_args_is_help=True)


@reports_app.command("describe")
def describe(home: Home = DEFAULT_HOME) -> None:
    """Print what every view and column means, as docs/reports.md holds it."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import unit_of_work  # noqa: PLC0415 -- --help must not wait for these imports
    from reports.definitions import page  # noqa: PLC0415

    with unit_of_work() as session:
        typer.echo(page(session), nl=False)


@reports_app.command("rebuild")
def rebuild(home: Home = DEFAULT_HOME) -> None:
    """Work out every figure anew from the record. The hub may run meanwhile; years of referrals take minutes."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import unit_of_work  # noqa: PLC0415
    from reports import refresh  # noqa: PLC0415

    with unit_of_work() as session:
        refresh.rebuild(session)
    typer.echo("Every figure was worked out anew.")


@reports_app.command("url")
def url(home: Home = DEFAULT_HOME) -> None:
    """Print where a BI tool reads the figures of the installation of --home, with the password of its role."""
    from engine import databases  # noqa: PLC0415
    from engine.credentials import load_or_create  # noqa: PLC0415
    from engine.ports import used_last  # noqa: PLC0415

    ports = used_last(home)
    if ports is None:
        raise Misconfigured(f"Nothing was ever started on {home}: run `mash up` first, or choose another home folder.")
    password = load_or_create(home).mash_analyst
    found = databases.url(databases.RECORD_ANALYST, password, ports.postgres, databases.RECORD, "psycopg")
    typer.echo(databases.plain(found))


@reports_app.command("rehearse")
def rehearse(
    profile: Annotated[Path, typer.Argument(help="The profile with the other clocks, hours or bank holidays.")],
    first: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day on which checks were asked.")],
    last: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day.")],
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Compare the breaches of a past period with those that another profile's clocks would have made. Changes nothing.

    Whether agencies would have answered sooner under a shorter clock, it cannot know.
    """
    take_settings(home, OF_THE_RECORD)
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from models.profile import load_profile  # noqa: PLC0415
    from reports import rehearsal  # noqa: PLC0415

    other = load_profile(profile)
    with unit_of_work() as session:
        rows = rehearsal.rehearse(session, first.date(), last.date(), other, now(session))
    rows.append(rehearsal.in_all(rows))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    typer.echo(f"{'':40}{'asked':>8}{'breached':>10}{'would':>8}{'no more':>9}{'newly':>7}")
    for row in rows:
        figures = f"{row.asked:>8,}{row.breached:>10,}{row.would_breach:>8,}{row.no_more:>9,}{row.newly:>7,}"
        typer.echo(f"{row.agency or 'all':40}{figures}")
