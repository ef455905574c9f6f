"""`mash clock explain`: how one agency's clock ran, in words."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, Home, Token, actor, take_settings
from rules.errors import Refused


def explain(
    reference: Annotated[str, typer.Argument(help="The referral.")],
    agency: Annotated[str, typer.Argument(help="The agency's code, such as POLICE.")],
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Say why an agency's answer was due when it was, what moved its clock, and how late it is."""
    take_settings(home, OF_THE_RECORD)
    from casework import clock_words, hidden  # noqa: PLC0415 -- --help must not wait for these imports
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415
    from rules.reference import normalise  # noqa: PLC0415

    try:
        wanted = normalise(reference)
    except ValueError as error:
        raise Refused(str(error)) from None
    with unit_of_work() as session:
        by = actor(session, token, home, trial.DECISION_MAKERS[0])
        hidden.read_as(session, by)
        told = clock_words.explain(session, wanted, agency.upper(), by=by, at=now(session))
    typer.echo("\n".join(told))
