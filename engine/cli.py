"""The `mash` command."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.backup.command import backup, restore
from engine.clock_commands import explain as clock_explain
from engine.command_line import DEFAULT_HOME, AsJson, Home, Token
from engine.commands import engine_app
from engine.doctor.command import doctor
from engine.key_commands import keys_app
from engine.metrics_command import metrics
from engine.post_commands import post_app
from engine.profile_commands import profile_app
from engine.record_commands import evidence, ledger_app, retention_app, subject_access
from engine.report_commands import reports_app
from engine.role_commands import roles
from rules.errors import Refused, Unavailable

app = typer.Typer(
    help="Runs a Multi-Agency Safeguarding Hub.\n\nStart with `mash up`, then `mash refer docs/examples/child.json`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db_app = typer.Typer(help="The record's database.", no_args_is_help=True)
account_app = typer.Typer(help="Who may use the hub.", no_args_is_help=True)
clock_app = typer.Typer(help="An agency's clock explained; the hub's own held still to try it.", no_args_is_help=True)
clock_app.command("explain")(clock_explain)
app.add_typer(clock_app, name="clock")
app.add_typer(profile_app, name="profile")
app.add_typer(db_app, name="db")
app.add_typer(account_app, name="account")
app.add_typer(engine_app, name="engine")
app.add_typer(ledger_app, name="ledger")
app.add_typer(retention_app, name="retention")
app.add_typer(keys_app, name="keys")
app.add_typer(post_app, name="post")
app.add_typer(reports_app, name="reports")
db_app.command("roles")(roles)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("doctor")(doctor)
app.command("metrics")(metrics)
app.command("evidence")(evidence)
app.command("subject-access")(subject_access)

Url = Annotated[str | None, typer.Option(help="Where the portal is.", envvar="MASH_PORTAL_URL")]


@app.command()
def up(
    home: Home = DEFAULT_HOME,
    portal_port: Annotated[int, typer.Option(help="Port of the portal's API; 0 for any free one.")] = 8400,
    prefect_port: Annotated[int, typer.Option(help="Port of the Prefect UI; 0 for any free one.")] = 4200,
    mail_port: Annotated[int, typer.Option(help="Port of the mail sink; 0 for any free one.")] = 8425,
    database_port: Annotated[int, typer.Option(help="Port of PostgreSQL; 0 for any free one.")] = 8432,
) -> None:
    """Start every part of the hub on this machine, and stay until Ctrl-C."""
    from engine.ports import Ports  # noqa: PLC0415 -- --help must not wait for the engine's imports
    from engine.stack import Stack  # noqa: PLC0415

    ports = Ports(portal=portal_port, prefect=prefect_port, smtp=mail_port, postgres=database_port)
    stopping = _until_told_to_stop()
    with Stack(home, ports, say=_say) as stack:
        os.environ.update(stack.environment())
        tokens = _open_trial_accounts(stack.home)
        somebody = next(account for account in tokens if account.startswith("rep-"))
        operator = stack.environment()["PREFECT_API_AUTH_STRING"]
        typer.echo(
            f"\nThe hub is running. Everything listens on this machine only.\n"
            f"  portal        http://127.0.0.1:{stack.ports.portal}  (first: mash account invite {somebody})\n"
            f"  portal's API  http://127.0.0.1:{stack.ports.portal}/api/v1/openapi.json\n"
            f"  Prefect UI    http://127.0.0.1:{stack.ports.prefect}  (sign in with {operator})\n"
            f"  mail          {stack.home / 'mail'}  (each message is a file)\n"
            f"  tokens        {stack.home / 'tokens.json'}  (accounts for trying it)\n\n"
            "Try: mash refer docs/examples/child.json   Stop with Ctrl-C."
        )
        with suppress(KeyboardInterrupt):
            stopping.wait()
        typer.echo("Stopping.")
    typer.echo("Stopped. `mash up` carries on with the same data.")


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")] = False,
    profile: Annotated[
        str | None, typer.Option(help="The area to play in: bnes, front-door, or the file of a profile.")
    ] = None,
    home: Home = DEFAULT_HOME / "demo",
) -> None:
    """Play the scenario pack on the real parts, end to end, and say what happened in each."""
    from engine.demo import play  # noqa: PLC0415

    raise typer.Exit(play(home, keep=keep, say=_say, stopping=_until_told_to_stop(), profile=profile))


@app.command()
def refer(
    file: Annotated[Path, typer.Argument(help="A referral as JSON; see README.md and docs/examples/.")],
    home: Home = DEFAULT_HOME,
    token: Token = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Send a referral to the hub, as its duty team's system would. Sending the same one again is safe."""
    document = _read_json(file)
    received = _api(home, token, url, lambda trial: trial.account_to_refer(home, document)).post("/referrals", document)
    if as_json:
        typer.echo(json.dumps(received))
        return
    typer.echo(f"{received['reference']}  {received['stage']}")
    for sentence in received["advice"]:
        typer.echo(sentence)


@app.command()
def status(
    reference: Annotated[str | None, typer.Argument(help="One referral; without it, all that are not closed.")] = None,
    home: Home = DEFAULT_HOME,
    token: Token = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say where referrals stand, whose move it is, and why they wait. Shows no content."""
    path = f"/referrals/{_as_written(reference)}" if reference else "/referrals"
    found = _api(home, token, url, lambda trial: trial.OPERATOR).get(path)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        from engine.words import in_words  # noqa: PLC0415

        typer.echo(in_words(found))


@db_app.command("upgrade")
def db_upgrade(home: Home = DEFAULT_HOME) -> None:
    """Bring the record's tables up to date, on MASH_OWNER_DATABASE_URL or the installation of --home."""
    import migrations  # noqa: PLC0415

    url = os.environ.get("MASH_OWNER_DATABASE_URL") or _surroundings(home)["MASH_OWNER_DATABASE_URL"]
    _reachable(lambda: migrations.upgrade(url))
    typer.echo("The record's tables are up to date.")


@account_app.command("add")
def account_add(  # noqa: PLR0917 -- options of a command, given by name
    account_id: Annotated[str, typer.Argument(help="A short id, such as rep-police-2. Never a person's name.")],
    role: Annotated[
        str, typer.Option(help="DUTY_TEAM, AGENCY, MASH_SUPPORT, DECISION_MAKER, OPERATOR, ACCOUNT_ADMIN.")
    ],
    duty_team: Annotated[str | None, typer.Option(help="The duty team's code, for DUTY_TEAM.")] = None,
    agency: Annotated[str | None, typer.Option(help="The agency's code, for AGENCY.")] = None,
    system: Annotated[bool, typer.Option("--system", help="A team's or agency's own system, not a person.")] = False,
    mash_profile: Annotated[bool, typer.Option("--mash-profile", help="May open the MASH assessment.")] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Add an account and print its token, which is shown this once."""
    os.environ.update(_surroundings(home) | dict(os.environ))
    from engine.accounts import add  # noqa: PLC0415

    token = _reachable(
        lambda: add(
            account_id, role, duty_team=duty_team, agency=agency, is_person=not system, mash_profile=mash_profile
        )
    )
    typer.echo(token)


@account_app.command("invite")
def account_invite(
    account_id: Annotated[str, typer.Argument(help="The account's id, such as rep-POLICE.")],
    email: Annotated[str | None, typer.Option(help="Its e-mail address, when it has none yet.")] = None,
    name: Annotated[str | None, typer.Option(help="What its owner is called on their own pages.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Mail a person the link by which they choose a password for the portal, and print it."""
    os.environ.update(_surroundings(home) | dict(os.environ))
    from engine.accounts import invite  # noqa: PLC0415

    typer.echo(_reachable(lambda: invite(account_id, email=email, name=name)))


@clock_app.command("hold")
def clock_hold(
    moment: Annotated[str, typer.Argument(help="A local time, such as «Mon 16 Mar 2026 10:00».")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Hold the clock of a hub that is only being tried at a moment. What is due by then happens at once."""
    surroundings = _surroundings(home)
    os.environ.update(surroundings | dict(os.environ))
    from casework.register import current_profile  # noqa: PLC0415
    from engine.held_clock import hold  # noqa: PLC0415

    _reachable(lambda: hold(surroundings["MASH_OWNER_DATABASE_URL"], moment, current_profile().zone_info))
    typer.echo(f"The hub's time stands still at {moment}. `mash clock release` lets real time in again.")


@clock_app.command("release")
def clock_release(home: Home = DEFAULT_HOME) -> None:
    """Let real time in again."""
    from engine.held_clock import release  # noqa: PLC0415

    _reachable(lambda: release(_surroundings(home)["MASH_OWNER_DATABASE_URL"]))
    typer.echo("The hub's time is the real time.")


def main() -> None:
    """Run the command: 0 when it worked, 2 with one sentence when it could not."""
    try:
        app()
    except (Refused, Unavailable) as trouble:
        typer.echo(f"mash: {trouble}", err=True)
        sys.exit(2)
    except Exception as trouble:
        # By name: `--help` must not wait for SQLAlchemy.
        if type(trouble).__name__ != "ProgrammingError":
            raise
        typer.echo("mash: the record has the tables of another release: run `mash db upgrade`.", err=True)
        sys.exit(2)


def _say(sentence: str) -> None:
    typer.echo(sentence)


def _until_told_to_stop() -> threading.Event:
    told = threading.Event()

    def stop(*_: object) -> None:
        if told.is_set():
            return
        told.set()
        # Leave whatever is going on, perhaps a long start, through the context managers.
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return told


def _open_trial_accounts(home: Path) -> dict[str, str]:
    from engine.trial import open_accounts  # noqa: PLC0415

    return open_accounts(home)


def _surroundings(home: Path) -> dict[str, str]:
    from engine.stack import environment_of  # noqa: PLC0415

    return environment_of(home)


def _api(home: Path, token: str | None, url: str | None, account: Callable[[Any], str]) -> Any:
    from engine import trial  # noqa: PLC0415
    from engine.api import Api  # noqa: PLC0415

    where = url or _surroundings(home)["MASH_PORTAL_URL"]
    return Api(where, token or trial.token_of(home, account(trial)))


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{file}: is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Refused(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}") from None


def _as_written(reference: str) -> str:
    from rules.reference import normalise  # noqa: PLC0415

    try:
        return normalise(reference)
    except ValueError as error:
        raise Refused(str(error)) from None


def _reachable(act: Callable[[], Any]) -> Any:
    import psycopg  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    try:
        return act()
    except (OperationalError, psycopg.OperationalError):
        raise Unavailable("the record's database does not answer: is `mash up` running?") from None


if __name__ == "__main__":
    main()
