"""What the commands of `mash` have in common: their options, the settings of a hub, and who is asking."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rules.errors import NotPermitted

if TYPE_CHECKING:
    from sqlmodel import Session

    from rules.permissions import Actor

Home = Annotated[Path, typer.Option(help="The folder that holds all data of this installation.", envvar="MASH_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Token = Annotated[str | None, typer.Option(help="The credential to use.", envvar="MASH_TOKEN")]
DEFAULT_HOME = Path(".mash")
OF_THE_RECORD = ("MASH_DATABASE_URL", "MASH_KEY")
OF_THE_ENGINE = (*OF_THE_RECORD, "PREFECT_API_URL")


def take_settings(home: Path, needed: tuple[str, ...]) -> None:
    """Take what this process lacks of a hub's settings from its home folder; what is set already wins.

    Raises Misconfigured when nothing was ever started there.
    """
    from engine.stack import environment_of  # noqa: PLC0415 -- --help must not wait for the engine's imports

    given = os.environ.keys() | ({"MASH_KEY"} if "MASH_KEY_FILE" in os.environ else set())
    if not set(needed) <= given:
        os.environ.update(environment_of(home) | dict(os.environ))


def actor(session: Session, token: str | None, home: Path, trial_account: str) -> Actor:
    """Whose credential this is; without one, that of an account for trying the hub. Raises NotPermitted."""
    from casework.accounts import actor_of  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415

    by = actor_of(session, token or trial.token_of(home, trial_account))
    if by is None:
        raise NotPermitted("this credential is of nobody")
    return by
