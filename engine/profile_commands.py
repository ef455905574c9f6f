"""`mash profile`: is a profile right, a new one to begin with, and what it says of data protection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

profile_app = typer.Typer(help="The area profile: agencies, duty teams, clocks, wording.", no_args_is_help=True)


@profile_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="An area profile, such as profiles/bnes.toml.")],
) -> None:
    """Check an area profile and name every mistake by file and key."""
    from models.profile import load_profile  # noqa: PLC0415 -- --help must not wait for it

    profile = load_profile(file)
    typer.echo(
        f"{file}: {profile.area.name}, version {profile.version}: "
        f"{len(profile.agencies)} agencies, {len(profile.duty_teams)} duty teams. No mistakes found."
    )


@profile_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="What the file is called, such as wessex: wessex.toml.")],
    area: Annotated[str | None, typer.Option(help="What the area is called; without it, its name.")] = None,
    mode: Annotated[
        str, typer.Option(help="BACK_OFFICE: behind the duty teams. FRONT_DOOR: the first point of contact itself.")
    ] = "BACK_OFFICE",
    folder: Annotated[Path, typer.Option(help="Where it is written, with the code sets beside it.")] = Path("profiles"),
) -> None:
    """Write a commented profile to begin with, for another area. It has no mistakes, and overwrites nothing."""
    from engine.new_profile import write  # noqa: PLC0415
    from models.profile_parts import Mode  # noqa: PLC0415
    from rules.errors import Refused  # noqa: PLC0415

    if mode not in tuple(Mode):
        raise Refused(f"--mode: {mode}: use {' or '.join(Mode)}")
    file = write(name, area or name.replace("-", " ").title(), Mode(mode), folder)
    typer.echo(
        f"{file} is written; `mash profile check {file}` finds no mistakes in it.\n"
        "Now make it true: docs/your-area.md says which setting is decided at which step. A changed profile needs a "
        f"new version.\nTo see it at work: mash demo --profile {file}"
    )


@profile_app.command("dpia")
def dpia(
    file: Annotated[Path, typer.Argument(help="An area profile, such as profiles/bnes.toml.")],
) -> None:
    """Print a data protection impact assessment to complete, filled in from a profile, as Markdown."""
    from models.impact_assessment import page  # noqa: PLC0415
    from models.profile import load_profile  # noqa: PLC0415

    typer.echo(page(load_profile(file)), nl=False)
