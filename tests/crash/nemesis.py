"""What strikes the hub: kills, freezes and silences of its parts, at moments drawn from a seed."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil

from engine.stack import Stack
from tests.crash.deploy import roll_back_and_forward
from tests.crash.driver import Journal

Say = Callable[[str], None]
CHILD_PATIENCE = 2.5


class Nemesis:
    """Strikes one stack. Each kind of strike gives whether it hit anything."""

    #: The longest that a part is frozen or stopped, in seconds.
    longest = 14.0

    def __init__(self, stack: Stack, journal: Journal, rng: random.Random, say: Say) -> None:
        self._stack, self._journal, self._rng, self._say = stack, journal, rng, say
        self.struck: Counter[str] = Counter()
        self._over = threading.Event()
        self._strikes: dict[str, Callable[[], bool]] = {
            "worker and children killed": lambda: self._kill("worker"),
            "a flow's child killed": self._kill_child,
            "timekeeper killed": lambda: self._kill("timekeeper"),
            "portal killed": lambda: self._kill("portal"),
            "portal killed in a POST": self._kill_portal_in_a_post,
            "Prefect server killed": lambda: self._kill("prefect"),
            "PostgreSQL shut down at once": lambda: self._signal("postgres", signal.SIGQUIT),
            "PostgreSQL killed": lambda: self._kill("postgres"),
            "timekeeper frozen": lambda: self._freeze("timekeeper"),
            "worker frozen": lambda: self._freeze("worker"),
            "Prefect server frozen": lambda: self._freeze("prefect"),
            "SMTP server stopped": self._stop_smtp,
            "SMTP server frozen": lambda: self._freeze("sink"),
            "a release rolled back and forward": self._deploy,
        }

    @property
    def kinds(self) -> list[str]:
        """Every kind of strike, by name."""
        return list(self._strikes)

    @property
    def kills(self) -> int:
        """How many processes' deaths were caused so far."""
        return sum(times for kind, times in self.struck.items() if is_kill(kind))

    @property
    def is_over(self) -> bool:
        """Whether the storm was called off."""
        return self._over.is_set()

    def strike(self, kind: str) -> bool:
        """Do one kind of harm now, and count it when it hit something."""
        hit = self._strikes[kind]()
        if hit:
            self.struck[kind] += 1
            self._say(f"    {sum(self.struck.values()):3d}. {kind}")
        return hit

    def rage(
        self, kinds: list[str], *, pause: tuple[float, float], burst: int, calm: tuple[float, float], most_kills: int
    ) -> None:
        """Strike in bursts, with calm between them so that work goes on, until told to stop or after so many kills."""
        before, strikes = self.kills, 0
        while self.kills - before < most_kills and not self._over.wait(self._rng.uniform(*pause)):
            strikes += self.strike(self._rng.choice(kinds))
            if strikes == burst:
                strikes = 0
                self._over.wait(self._rng.uniform(*calm))

    def stop(self) -> None:
        """The storm is over."""
        self._over.set()

    def _kill(self, part: str) -> bool:
        if self._stack.part(part).pid is None:
            return False
        self._stack.kill(part)
        return True

    def _signal(self, part: str, number: signal.Signals) -> bool:
        pid = self._stack.part(part).pid
        if pid is not None:
            psutil.Process(pid).send_signal(number)
        return pid is not None

    def _kill_child(self) -> bool:
        """SIGKILL the process of a run alone; its worker lives on and sees it."""
        given_up = time.monotonic() + CHILD_PATIENCE
        while time.monotonic() < given_up and not self._over.is_set():
            if children := self._children():
                self._over.wait(self._rng.uniform(0, 0.3))
                try:
                    self._rng.choice(children).kill()
                except psutil.NoSuchProcess:
                    continue
                return True
            time.sleep(0.02)
        return False

    def _children(self) -> list[psutil.Process]:
        """Processes forked for runs: the forkserver's children, the worker's grandchildren."""
        pid = self._stack.part("worker").pid
        try:
            servers = psutil.Process(pid).children() if pid else []
            return [child for server in servers for child in server.children()]
        except psutil.NoSuchProcess:
            return []

    def _kill_portal_in_a_post(self) -> bool:
        self._journal.posting.clear()
        if not self._journal.posting.wait(CHILD_PATIENCE):
            return False
        self._over.wait(self._rng.uniform(0, 0.05))
        return self._kill("portal")

    def _freeze(self, part: str) -> bool:
        pid = self._stack.part(part).pid
        if pid is None:
            return False
        try:
            frozen = psutil.Process(pid)
            frozen.suspend()
            self._over.wait(_mostly_short(self._rng, self.longest))
            frozen.resume()
        except psutil.NoSuchProcess:
            return False
        return True

    def _deploy(self) -> bool:
        roll_back_and_forward(self._stack)
        return True

    def _stop_smtp(self) -> bool:
        sink = self._stack.part("sink")
        sink.stop()
        self._over.wait(_mostly_short(self._rng, self.longest))
        sink.start()
        return True


def _mostly_short(rng: random.Random, longest: float) -> float:
    return rng.triangular(1, longest, 1)


def is_kill(kind: str) -> bool:
    """Whether a kind of strike ends processes at once."""
    return "killed" in kind or "at once" in kind
