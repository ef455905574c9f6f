"""`mash engine …`: what holds referrals up, and bringing them back by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from rules.errors import NotPermitted

engine_app = typer.Typer(help="The engine: what holds referrals up, and bringing them back.", no_args_is_help=True)

Home = Annotated[Path, typer.Option(help="The folder that holds all data of this installation.", envvar="MASH_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Token = Annotated[str | None, typer.Option(help="The credential to use.", envvar="MASH_TOKEN")]
DEFAULT_HOME = Path(".mash")


@engine_app.command("status")
def engine_status(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Say which referrals are held up, how long, and on whom. Shows no content, and works while the engine is down."""
    _take_settings(home)
    from engine.overview import look  # noqa: PLC0415 -- --help must not wait for the engine's imports

    seen = look()
    typer.echo(json.dumps(seen.model_dump(mode="json")) if as_json else seen.in_words())


@engine_app.command("rebuild")
def engine_rebuild(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Give every open referral a run again, after the engine's database was lost. Safe to repeat."""
    _take_settings(home)
    from engine.rebuild import rebuild  # noqa: PLC0415

    woken = rebuild()
    if as_json:
        typer.echo(json.dumps({"brought_back": woken}))
    else:
        typer.echo(f"{len(woken)} open referrals had no run and are brought back.")


@engine_app.command("resume")
def engine_resume(
    reference: Annotated[str, typer.Argument(help="The referral whose run an operator stopped, or that is stuck.")],
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Let a referral go on whose run was stopped, or that was brought back too often. The ledger says who did it."""
    _take_settings(home)
    typer.echo(_resume(reference, token, home))


def _resume(reference: str, token: str | None, home: Path) -> str:
    from casework.accounts import actor_of  # noqa: PLC0415
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.repairs import resume  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415
    from rules.reference import normalise  # noqa: PLC0415

    wanted = normalise(reference)
    with unit_of_work() as session:
        by = actor_of(session, token or trial.token_of(home, trial.OPERATOR))
        if by is None:
            raise NotPermitted("this credential is of nobody")
        found: Any = resume(session, wanted, by=by, at=now(session))
    return f"{wanted} goes on." if found else f"{wanted} is closed: there is nothing to carry on."


def _take_settings(home: Path) -> None:
    from engine.stack import environment_of  # noqa: PLC0415

    if not {"MASH_DATABASE_URL", "MASH_KEY", "PREFECT_API_URL"} <= os.environ.keys():
        os.environ.update(environment_of(home) | dict(os.environ))
