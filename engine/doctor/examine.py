"""Looking at a hub from all sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from engine.doctor import machine
from engine.doctor.findings import Finding
from engine.doctor.record import record
from engine.doctor.runs import engine


def this_machine() -> datetime:
    """The time as this machine's own clock shows it, aware UTC."""
    return datetime.now(UTC)


def examine(home: Path, megabytes: int, clock: Callable[[], datetime] = this_machine) -> list[Finding]:
    """Everything that was looked at, whatever was found; raises nothing for what is broken.

    `home` is the installation's folder, `megabytes` what is wanted free on its disk. Needs the hub's settings in the
    environment.
    """
    return [*beside_the_engine(home, megabytes, clock), *engine()]


def beside_the_engine(home: Path, megabytes: int, clock: Callable[[], datetime]) -> list[Finding]:
    """The same without the engine, which a hub can do without for a while."""
    return [
        machine.packages(),
        machine.disk(home, megabytes),
        machine.keys(),
        machine.profile(),
        machine.mail(),
        *machine.certificates(clock()),
        *record(clock),
    ]
