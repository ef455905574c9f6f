"""Figure 1: from resume to running flow code, on the warm worker and on Prefect's stock process worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psutil
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.workers.process import ProcessWorker

from bench import costs, machine
from bench.figures import Figure
from bench.ground import Ground
from bench.word import Word
from engine.parts import members
from models.settings import HOUSE

QUESTION = "From resume to running flow code: warm worker and stock process worker, same flow, same server"
WARM_PER_STOCK = 5
BOOT = psutil.boot_time()


@dataclass(frozen=True)
class Wake:
    """One wake: seconds until flow code ran, CPU seconds of what was started for it, and of the whole worker."""

    wall: float
    cpu: float
    whole: float


def measure(ground: Ground, *, stock_wakes: int = 8) -> Figure:
    """Wake one run of each worker again and again, five warm wakes for each stock one."""
    figure = Figure("wakeup", QUESTION)
    word = Word(ground.word)
    warm_leader = costs.running_parts(ground.stack)["worker"]
    with stock_worker(ground, "wakes") as stock_leader:
        warm = _first_start(ground, word, "wakes/mash", "warm")
        stock = _first_start(ground, word, "wakes/stock", "stock")
        figure.load_at_start = machine.load()
        machine.settle()
        warm_wakes, stock_found = [], []
        for _ in range(stock_wakes):
            warm_wakes += [_wake(ground, word, warm, "warm", warm_leader) for _ in range(WARM_PER_STOCK)]
            stock_found.append(_wake(ground, word, stock, "stock", stock_leader))
    _tell(figure, warm_wakes, stock_found)
    return figure


def _tell(figure: Figure, warm: list[Wake], stock: list[Wake]) -> None:
    ours = figure.many("warm: CPU to running flow code", "s", [w.cpu for w in warm])
    theirs = figure.many("stock: CPU to running flow code", "s", [w.cpu for w in stock])
    figure.one("stock ÷ warm, CPU to running flow code", "×", theirs.median / ours.median, at_least=20)
    figure.many("warm: wall time to running flow code", "s", [w.wall for w in warm], at_most=0.5, of="p95")
    figure.many("stock: wall time to running flow code", "s", [w.wall for w in stock])
    ours = figure.many("warm: CPU of the whole wake on the worker's side", "s", [w.whole for w in warm])
    theirs = figure.many("stock: CPU of the whole wake on the worker's side", "s", [w.whole for w in stock])
    figure.one("stock ÷ warm, CPU of the whole wake", "×", theirs.median / ours.median)
    figure.notes += [
        "CPU to running flow code: of the processes started for this wake (a forked child; the stock worker's new "
        "Python process), up to the flow's first line. The whole wake: everything the worker and its children used "
        "until the run was suspended again and its process was gone.",
        "The stock worker has Prefect's default settings: it asks for due runs every 10 s, which is part of its wall "
        "time, not of its CPU.",
    ]


@contextmanager
def stock_worker(ground: Ground, flow: str) -> Iterator[int]:
    """A stock process worker on a pool of its own, with this stand-in deployed to it; its process id."""
    pool = WorkPoolCreate(name="stock", type="process", base_job_template=ProcessWorker.get_default_base_job_template())
    ground.engine.create_work_pool(pool, overwrite=True)
    ours = ground.engine.read_deployment_by_name(f"{flow}/mash")
    ground.engine.create_deployment(
        flow_id=ours.flow_id,
        name="stock",
        entrypoint=ours.entrypoint,
        path=ours.path,
        pull_steps=ours.pull_steps,
        parameter_openapi_schema=ours.parameter_openapi_schema,
        work_pool_name="stock",
    )
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "stock", "--name", "stock"]
    log = ground.stack.home / "logs" / "stock.log"
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 -- a command of our own
            command, cwd=HOUSE, env=dict(os.environ), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process.pid
    finally:
        found = members(process.pid)
        process.terminate()
        psutil.wait_procs(found, timeout=15)
        for each in found:
            if each.is_running():
                each.kill()
        process.wait()


def _first_start(ground: Ground, word: Word, deployment: str, name: str) -> UUID:
    run = ground.engine.create_flow_run_from_deployment(
        ground.deployment(deployment), parameters={"reference": name}, name=name
    )
    word.wait_for(name)
    _rests(ground, run.id)
    return run.id


def _wake(ground: Ground, word: Word, run: UUID, name: str, leader: int) -> Wake:
    before = costs.cpu(leader)
    resumed = time.time()
    ground.engine.resume_flow_run(run)
    said = word.wait_for(name)
    _rests(ground, run)
    _leaves(int(said["pid"]))
    return Wake(said["at"] - resumed, said["cpu"] + _started_for(said, resumed), costs.cpu(leader) - before)


def _started_for(said: Any, resumed: float) -> float:
    """CPU of the parents that were started for this wake: the worker, and what it keeps, was there before."""
    return sum(float(parent["cpu"]) for parent in said["parents"] if BOOT + parent["began"] > resumed - 1)


def _rests(ground: Ground, run: UUID, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        state = ground.engine.read_flow_run(run).state
        if state is not None and state.type is StateType.PAUSED:
            return
        time.sleep(0.05)
    raise TimeoutError("the stand-in did not come to rest")


def _leaves(pid: int, patience: float = 30.0) -> None:
    end = time.monotonic() + patience
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.02)
    # Whoever waits for it has then counted its CPU.
    time.sleep(0.05)
