"""The command `mash doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_ENGINE, AsJson, Home, take_settings


def doctor(
    home: Home = DEFAULT_HOME,
    free_megabytes: Annotated[int, typer.Option(min=0, help="How much of the disk should be free.")] = 2048,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with this hub, and the command that mends it. Exit code 0: nothing failed; 1: something did."""
    take_settings(home, (*OF_THE_ENGINE, "MASH_MAIL_URL", "MASH_PORTAL_URL"))
    from engine.doctor.examine import examine  # noqa: PLC0415 -- --help must not wait for these imports
    from engine.doctor.findings import Health, in_words, worst  # noqa: PLC0415

    found = examine(home, free_megabytes)
    health = worst(found)
    if as_json:
        typer.echo(json.dumps({"health": health, "findings": [each.model_dump(mode="json") for each in found]}))
    else:
        typer.echo(in_words(found))
    raise typer.Exit(1 if health is Health.FAIL else 0)
