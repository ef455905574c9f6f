"""One part of the stack: a child process in a session of its own, with its log, started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.unprivileged import Account

LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0


@dataclass(frozen=True)
class Launch:
    """How one part is started and stopped."""

    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 15
    # What it had started may come to its end by itself when it dies.
    heirs: bool = False


class Part:
    """Runs one Launch and keeps it running until told to stop."""

    def __init__(
        self, launch: Launch, log: Path, say: Callable[[str], None], noted: Callable[[], None] = lambda: None
    ) -> None:
        self.launch = launch
        self.starts = 0
        self._log = log
        self._say = say
        self._noted = noted
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._wanted = threading.Event()
        self._unwanted = threading.Event()
        self._unwanted.set()

    @property
    def name(self) -> str:
        """What the stack calls this part."""
        return self.launch.name

    @property
    def pid(self) -> int | None:
        """The process id, also its session's; None while it is not running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it, and keep it running. Nothing happens when it is wanted already."""
        if not self._unwanted.is_set():
            return
        self._unwanted.clear()
        self._spawn()
        self._keeper = threading.Thread(target=self._keep, name=f"keep-{self.name}", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Ask it to end, within its grace; then kill it with all it started. Harmless when it is not running."""
        self._unwanted.set()
        process = self._process
        if process is not None:
            family = members(process.pid)
            _signal(process, self.launch.stop_signal)
            if not _ended(process, self.launch.grace):
                self._say(f"{self.name} did not stop within {self.launch.grace:.0f} s and was killed.")
            _kill(family + members(process.pid))
            process.wait()
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join()
        self._noted()

    def kill(self) -> None:
        """SIGKILL it with all it started, as a crash would. It is started again."""
        process = self._process
        if process is not None:
            _kill(members(process.pid))
            process.wait()

    def _spawn(self) -> None:
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- a command of our own
                self.launch.command,
                env=self.launch.environment,
                cwd=self.launch.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **(self.launch.account.as_popen() if self.launch.account else {}),
            )
        self.starts += 1
        self._noted()

    def _keep(self) -> None:
        pause = 0.5
        while self._process is not None:
            began = time.monotonic()
            code = self._process.wait()
            if self._unwanted.is_set():
                return
            pause = 0.5 if time.monotonic() - began > STEADY_AFTER else pause
            self._say(f"{self.name} ended ({ending(code)}); starting it again in {pause:g} s. Log: {self._log}")
            if not self.launch.heirs:
                _kill(members(self._process.pid))
            if self._unwanted.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE)
            self._spawn()


def ending(code: int) -> str:
    """An exit code in words."""
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def members(leader: int) -> list[psutil.Process]:
    """The processes of this session and their descendants, also when the leader itself is gone."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader:
                found[process.pid] = process
                found.update({child.pid: child for child in process.children(recursive=True)})
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return list(found.values())


def wait_for_exit(processes: Iterable[psutil.Process], patience: float) -> bool:
    """Whether all of them ended in time."""
    _, alive = psutil.wait_procs(list(processes), timeout=patience)
    return not alive


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _ended(process: subprocess.Popen[bytes], patience: float) -> bool:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True
