"""What a killed copy left running: noted while it runs, stopped at the next start."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from engine.credentials import write_private
from engine.parts import Part, members, wait_for_exit

FILE = "parts.json"


class Register:
    """`<home>/parts.json`: which process is which part, with its start time, since process ids are used again."""

    def __init__(self, home: Path) -> None:
        self._file = home / FILE
        self._lock = threading.Lock()

    def note(self, parts: Iterable[Part]) -> None:
        """Write down what runs now."""
        with self._lock:
            running = {
                part.name: [pid, _born(pid), int(part.launch.stop_signal), part.launch.grace]
                for part in parts
                if (pid := part.pid) is not None
            }
            write_private(self._file, json.dumps(running))

    def clear_away(self, say: Callable[[str], None]) -> None:
        """Stop whatever the last copy left, the last started first. To be called by the holder of the home's lock."""
        try:
            left = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return
        for name, (pid, born, stop_signal, grace) in reversed(left.items()):
            if _born(pid) in (born, None) and (family := members(pid)):
                say(f"Stopping the {name} (process {pid}) that a killed copy left running.")
                _stop(pid, family, signal.Signals(stop_signal), grace)
        self._file.unlink()


def _born(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _stop(pid: int, family: list[psutil.Process], stop_signal: signal.Signals, grace: float) -> None:
    leader = [process for process in family if process.pid == pid]
    for process in leader:
        process.send_signal(stop_signal)
    wait_for_exit(leader, grace)
    for process in family:
        if process.is_running():
            process.kill()
    wait_for_exit(family, 10)
