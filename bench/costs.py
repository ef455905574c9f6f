"""What the parts of a running stack cost: CPU seconds, memory, processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psutil

from engine.parts import members
from engine.stack import PARTS, Stack


def running_parts(stack: Stack) -> dict[str, int]:
    """The process id of each part that runs."""
    found = {}
    for name in PARTS:
        try:
            pid = stack.part(name).pid
        except KeyError:
            continue
        if pid is not None:
            found[name] = pid
    return found


def cpu(leader: int) -> float:
    """CPU seconds of a process, of all it started, and of those of them that ended and were waited for."""
    total = 0.0
    for process in members(leader):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def cpu_of_parts(stack: Stack) -> dict[str, float]:
    """CPU seconds so far, by part."""
    return {name: cpu(pid) for name, pid in running_parts(stack).items()}


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds between two looks, by part."""
    return {name: round(after[name] - before.get(name, 0.0), 3) for name in after}


def memory(leader: int, since: float | None = None) -> tuple[int, float]:
    """How many processes a part has, and the memory that is theirs: proportional set size, in megabytes.

    Shared pages are counted once over all who share them, so that forked processes are not counted twice. With
    `since` (seconds of the epoch) only those that were there before.
    """
    found = members(leader)
    return _memory(found if since is None else [each for each in found if _began(each) < since])


def _began(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return float("inf")


def _memory(processes: Iterable[psutil.Process]) -> tuple[int, float]:
    count, total = 0, 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
        count += 1
    return count, total
