"""`mash engine …`: what holds referrals up, and bringing them back by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_ENGINE, AsJson, Home, Token, actor, take_settings

engine_app = typer.Typer(help="The engine: what holds referrals up, and bringing them back.", no_args_is_help=True)


@engine_app.command("status")
def engine_status(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Say which referrals are held up, how long, and on whom. Shows no content, and works while the engine is down."""
    take_settings(home, OF_THE_ENGINE)
    from engine.overview import look  # noqa: PLC0415 -- --help must not wait for the engine's imports

    seen = look()
    typer.echo(json.dumps(seen.model_dump(mode="json")) if as_json else seen.in_words())


@engine_app.command("rebuild")
def engine_rebuild(home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Give every open referral a run again, after the engine's database was lost. Safe to repeat."""
    take_settings(home, OF_THE_ENGINE)
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
    take_settings(home, OF_THE_ENGINE)
    typer.echo(_resume(reference, token, home))


def _resume(reference: str, token: str | None, home: Path) -> str:
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.repairs import resume  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415
    from rules.reference import normalise  # noqa: PLC0415

    wanted = normalise(reference)
    with unit_of_work() as session:
        by = actor(session, token, home, trial.OPERATOR)
        found: Any = resume(session, wanted, by=by, at=now(session))
    return f"{wanted} goes on." if found else f"{wanted} is closed: there is nothing to carry on."
