"""The command `mash metrics`."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_ENGINE, Home, take_settings
from engine.ports import LOOPBACK
from rules.errors import Misconfigured


def metrics(
    serve: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve them on this port of this machine, until Ctrl-C.")
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Print the hub's numbers as Prometheus reads them: by stage and code, never by referral. Only counts and ages."""
    take_settings(home, OF_THE_ENGINE)
    from prometheus_client import generate_latest, start_http_server  # noqa: PLC0415 -- --help must not wait

    from engine.metrics import registry  # noqa: PLC0415

    numbers = registry(home)
    if serve is None:
        typer.echo(generate_latest(numbers).decode(), nl=False)
        return
    try:
        # This machine alone: whoever watches from elsewhere comes through the site's own proxy.
        server, thread = start_http_server(serve, addr=LOOPBACK, registry=numbers)
    except OSError as error:
        raise Misconfigured(f"port {serve}: {error.strerror}") from None
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    typer.echo(f"Served at http://{LOOPBACK}:{serve}/metrics until Ctrl-C.")
    stopping.wait()
    server.shutdown()
    server.server_close()
    thread.join()
