"""Flows that do nothing, in place of the referral's: what the engine itself costs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from uuid import uuid4

from prefect import flow, pause_flow_run
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.flow_runs import suspend_flow_run
from prefect.states import Suspended
from prefect.utilities.engine import propose_state_sync

from bench.area import AGENCIES
from tasks.step import step

TICKS = os.sysconf("SC_CLK_TCK")


@flow(name="wakes", flow_run_name="{reference}", persist_result=False)
def wakes(reference: str) -> None:
    """Say when this line was reached, and what CPU the processes that lead here have used; then wait again."""
    at, own = time.time(), time.process_time()
    _leave_word(reference, {"at": at, "cpu": own, "pid": os.getpid(), "parents": _parents()})
    suspend_flow_run(timeout=None, key=uuid4().hex)


@flow(name="bare", flow_run_name="{reference}", persist_result=False)
def bare(reference: str) -> None:
    """As many starts, task runs and suspensions as a referral of eight agencies has, with nothing in them."""
    start, eight = _count_start(reference), range(AGENCIES)
    if start == 1:
        nothing(0)
        nothing.map(eight).result()
    elif start == 2:
        nothing.map(eight).wait()
        nothing(0)
        nothing(0)
    else:
        nothing(0)
    if start < 4:
        _wait(f"{reference}.{start}")
    _leave_word(f"{reference}.4", {})


@flow(name="pauses", flow_run_name="{reference}", persist_result=False)
def pauses(reference: str) -> None:
    """Wait as `pause_flow_run` does: inside a process."""
    _leave_word(reference, {"pid": os.getpid(), "parents": _parents()})
    pause_flow_run(timeout=3600)


@step("nothing")
def nothing(_: int) -> None:
    """A step that does nothing."""


def _count_start(reference: str) -> int:
    """Which start of its run this is; the engine does not count the ones after a suspension."""
    starts = Path(os.environ["MASH_BENCH_WORD"]) / f"{reference}.starts"
    with starts.open("a") as out:
        out.write(".")
    return len(starts.read_text())


def _wait(word: str) -> None:
    """Suspend as `flows.waiting` does, and say so once the engine has it."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("only a run can wait")
    proposed: State[None] = Suspended(pause_key=uuid4().hex)
    with get_client(sync_client=True) as client:
        state = propose_state_sync(client, proposed, flow_run_id=context.flow_run.id)
    _leave_word(word, {})
    raise Pause(state=state)


def _leave_word(name: str, said: object) -> None:
    folder = Path(os.environ["MASH_BENCH_WORD"])
    draft = folder / f".{name}.{os.getpid()}"
    draft.write_text(json.dumps(said))
    draft.rename(folder / f"{name}.{time.time_ns()}.json")


def _parents() -> list[dict[str, float]]:
    """The processes above this one: pid, CPU seconds so far, and when each began, in seconds after the boot."""
    found = []
    pid = os.getppid()
    while pid > 1:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found.append({"pid": pid, "cpu": (int(fields[11]) + int(fields[12])) / TICKS, "began": int(fields[19]) / TICKS})
        pid = int(fields[1])
    return found
