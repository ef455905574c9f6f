"""`mash post …`: letters are held after a backup was put back, until an operator says what is to become of them."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, Home, Token, actor, take_settings

post_app = typer.Typer(help="The hub's letters, held after a backup was put back.", no_args_is_help=True)


@post_app.command("status")
def post_status(home: Home = DEFAULT_HOME) -> None:
    """Say whether letters leave, and how many of each kind wait."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import unit_of_work  # noqa: PLC0415 -- --help must not wait for these imports
    from casework.post import held_since, waiting  # noqa: PLC0415

    with unit_of_work() as session:
        since, letters = held_since(session), waiting(session)
    if since:
        typer.echo(
            f"No letter leaves since {since:%d %b %Y %H:%M} UTC but codes that somebody asks for: this record was put "
            "back from a backup, or an operator holds the post. `mash post release` lets them go."
        )
    else:
        typer.echo("Letters leave.")
    for message, times in letters.items():
        typer.echo(f"{times:6d} wait: {message}")


@post_app.command("hold")
def post_hold(home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """Let no letter out: before a record is used that was put back by copying its files or its disk."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import real_time, unit_of_work  # noqa: PLC0415
    from casework.post import hold  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415

    with unit_of_work() as session:
        hold(session, by=actor(session, token, home, trial.OPERATOR), at=real_time(session))
    typer.echo("No letter leaves until `mash post release`.")


@post_app.command("release")
def post_release(
    send: Annotated[
        bool, typer.Option("--send/--discard", help="Send what waits, or only what comes to be said from now on.")
    ],
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Let letters leave again. What the record forgot may have been sent already; say what becomes of what waits."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.post import let_go  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415

    with unit_of_work() as session:
        by = actor(session, token, home, trial.OPERATOR)
        letters = let_go(session, send=send, by=by, at=now(session))
    typer.echo(f"Letters leave again. {letters} waited and are {'sent' if send else 'discarded'}.")
