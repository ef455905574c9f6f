"""`mash ledger …`: whether the formal record is whole, and its signed checkpoints."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, AsJson, Home, Token, actor, take_settings
from rules.errors import NotAcceptable, Refused

ledger_app = typer.Typer(help="The formal record: is it whole, and its signed checkpoints.", no_args_is_help=True)

retention_app = typer.Typer(help="What the retention schedule lets go.", no_args_is_help=True)


@ledger_app.command("verify")
def ledger_verify(
    reference: Annotated[str | None, typer.Argument(help="One referral; without it, all.")] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(help="The folder of checkpoints to compare with; the hub's own, if it has one.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The public key they are signed with, in hexadecimal.")] = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the ledger, and name the first that is broken. Exit code 0: whole; 1: broken."""
    take_settings(home, OF_THE_RECORD)
    from casework.checkpoints import Doubtful  # noqa: PLC0415 -- --help must not wait for these imports
    from engine.anchoring import check  # noqa: PLC0415
    from models.settings import settings  # noqa: PLC0415

    try:
        verdict = check(_normal(reference), checkpoints or settings().checkpoints, key)
    except Doubtful as doubt:
        typer.echo(json.dumps({"whole": False, "checkpoint": str(doubt)}) if as_json else f"Broken: {doubt}")
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"whole": verdict.whole, **asdict(verdict)}))
    elif verdict.fault:
        lost = [f"Lost: {each.reference}, entries {each.first} to {each.last}." for each in verdict.lost]
        typer.echo("\n".join([f"Broken: {verdict.fault}", *lost]))
    else:
        typer.echo(
            f"Whole: entries {verdict.entries}, chains {verdict.chains}, signed checkpoints {verdict.checkpoints}."
        )
    raise typer.Exit(0 if verdict.whole else 1)


@ledger_app.command("checkpoint")
def ledger_checkpoint(home: Home = DEFAULT_HOME) -> None:
    """Sign the newest entry of every chain now, in a file outside the database, and print its name."""
    take_settings(home, OF_THE_RECORD)
    from engine.anchoring import write_now  # noqa: PLC0415

    typer.echo(write_now())


@ledger_app.command("key")
def ledger_key(home: Home = DEFAULT_HOME) -> None:
    """Print the public key for those who check, in hexadecimal. Publish it where the hub's database is not."""
    take_settings(home, OF_THE_RECORD)
    from casework.checkpoints import public_hex, signing_key  # noqa: PLC0415

    typer.echo(public_hex(signing_key()))


def evidence(
    reference: Annotated[str, typer.Argument(help="The referral.")],
    out: Annotated[Path, typer.Option(help="The ZIP file to write; it must not be there yet.")],
    *,
    because: Annotated[
        str | None, typer.Option(help="Why its reader may have what was found in it, such as a protected address.")
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(help="The agency or duty team that gets it: all of it is searched for what they must not learn."),
    ] = None,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Write a referral's evidence pack, for a decision maker; docs/evidence.md says how a stranger checks it."""
    take_settings(home, OF_THE_RECORD)
    _write_new(out, _pack(reference, because, partner, token=token, home=home))
    typer.echo(out)


@retention_app.command("show")
def retention_show(home: Home = DEFAULT_HOME, token: Token = None, as_json: AsJson = False) -> None:
    """Show which referrals are over by the retention schedule and would be erased today. It erases nothing."""
    take_settings(home, OF_THE_RECORD)
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.register import current_profile  # noqa: PLC0415
    from casework.retention import over  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415
    from rules.retention import check_may_see_schedule  # noqa: PLC0415

    with unit_of_work() as session:
        check_may_see_schedule(actor(session, token, home, trial.GOVERNANCE))
        found = over(session, current_profile(), at=now(session))
    if as_json:
        told = [{**asdict(each), "kept_until": each.kept_until.isoformat()} for each in found]
        typer.echo(json.dumps({"profile": current_profile().version, "over": told}))
        return
    for each in found:
        typer.echo(f"{each.reference}  {each.kind}  kept until {each.kept_until:%Y-%m-%d}{'  held' * each.held}")
    typer.echo(f"{sum(not each.held for each in found)} would be erased, once two people agree on the page /retention.")


def subject_access(  # noqa: PLR0917 -- options of a command, given by name
    reference: Annotated[str, typer.Argument(help="The referral.")],
    subject: Annotated[str, typer.Argument(help="S1 for the first person of the referral, S2 for the second.")],
    received: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which the request came.")],
    out: Annotated[Path, typer.Option(help="The folder to write both files to.")] = Path(),
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Enter a subject access request, and write what is held about the person, as HTML and as JSON."""
    take_settings(home, OF_THE_RECORD)
    from casework import subject_access as access  # noqa: PLC0415
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.documents import AccessDocument  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415

    try:
        asked = AccessDocument(reference=reference, subject=subject.upper(), received_on=received.date())
    except ValueError:
        raise Refused("give a reference such as 7KQ2-XW9S and a subject such as S1") from None
    with unit_of_work() as session:
        by, at = actor(session, token, home, trial.GOVERNANCE), now(session)
        told = access.export(session, access.ask(session, asked, by=by, at=at), by=by, at=at)
        for name, content in access.files(told).items():
            _write_new(out / name, content)
            typer.echo(out / name)
    typer.echo(f"Left out: {len(told['left_out'])}. To be answered by {told['answer_due_on']}.")


def _write_new(file: Path, content: bytes) -> None:
    try:
        with file.open("xb") as opened:
            opened.write(content)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None


def _pack(reference: str, because: str | None, partner: str | None, *, token: str | None, home: Path) -> bytes:
    from casework.checkpoints import signing_key  # noqa: PLC0415
    from casework.db import now, unit_of_work  # noqa: PLC0415
    from casework.evidence import make  # noqa: PLC0415
    from engine import trial  # noqa: PLC0415

    wanted = _normal(reference) or ""
    with unit_of_work() as session:
        by = actor(session, token, home, trial.DECISION_MAKERS[0])
        try:
            return make(session, wanted, signing_key(), because, partner=partner, by=by, at=now(session))
        except NotAcceptable as refused:
            [found] = refused.fields
            raise Refused(f"--{found.pointer[1:]}: {found.detail}") from None


def _normal(reference: str | None) -> str | None:
    from rules.reference import normalise  # noqa: PLC0415

    try:
        return normalise(reference) if reference else None
    except ValueError as error:
        raise Refused(str(error)) from None
