"""Which loopback port each part listens on, and whether it is free."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from engine.credentials import write_private
from rules.errors import Misconfigured

LOOPBACK = "127.0.0.1"
FILE = "ports.json"


@dataclass(frozen=True)
class Ports:
    """The loopback ports of one installation; 0 means: any free one."""

    portal: int = 8400
    prefect: int = 4200
    smtp: int = 8425
    postgres: int = 8432


ANY_FREE = Ports(0, 0, 0, 0)


def settle(home: Path, wanted: Ports) -> Ports:
    """The ports to use, remembered in `ports.json`: each 0 becomes the one used last time, or else a free one."""
    last = used_last(home)
    remembered = asdict(last) if last else {}
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        port = getattr(wanted, field.name) or remembered.get(field.name, 0)
        if not port or (not getattr(wanted, field.name) and is_taken(port)):
            port = _free_port(taken=set(chosen.values()) | set(remembered.values()))
        chosen[field.name] = port
    write_private(home / FILE, json.dumps(chosen))
    return Ports(**chosen)


def used_last(home: Path) -> Ports | None:
    """The ports that the last start on this home folder settled on; None before the first."""
    try:
        return Ports(**json.loads((home / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_taken(port: int) -> bool:
    """Whether something listens on this loopback port already."""
    with socket.socket() as probe:
        # As servers do: a port whose last connection is still lingering is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def refuse_if_taken(part: str, port: int) -> None:
    """Raises Misconfigured when something listens on this port already."""
    if is_taken(port):
        raise Misconfigured(
            f"Port {port}, meant for {part}, is in use by another program: stop that one, or choose another port."
        )


def answers(port: int) -> bool:
    """Whether anything accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _free_port(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
