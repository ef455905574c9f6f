"""A stand-in for the referral flow: it waits twice, and writes down each of its starts."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

from prefect import flow, task
from prefect.flow_runs import suspend_flow_run


@flow(name="stand-in", flow_run_name="{reference}")
def wait_twice(reference: str) -> None:
    """Suspend on the first two starts, end on the third. A line of its diary: process and parent process."""
    diary = Path(os.environ["MASH_DIARY"]) / reference
    note(diary)
    if len(diary.read_text().splitlines()) < 3:
        suspend_flow_run(timeout=None, key=uuid.uuid4().hex)


@task(name="note")
def note(diary: Path) -> None:
    """One line."""
    with diary.open("a") as out:
        out.write(f"{os.getpid()} {os.getppid()} {time.process_time()} {time.time()}\n")


@flow(name="stuck", flow_run_name="{reference}")
def never_ends(reference: str) -> None:
    """Stay at work until killed."""
    (Path(os.environ["MASH_DIARY"]) / reference).write_text(f"{os.getpid()}")
    while True:
        time.sleep(1)


@flow(name="patient", flow_run_name="{reference}")
def ends_when_told(reference: str) -> None:
    """Stay at work until a file says go."""
    diary = Path(os.environ["MASH_DIARY"])
    (diary / reference).write_text(f"{os.getpid()}")
    while not (diary / f"{reference}.go").exists():
        time.sleep(0.05)


@flow(name="failing", flow_run_name="{reference}")
def fails(reference: str) -> None:
    """Fail at once."""
    raise RuntimeError(reference)
