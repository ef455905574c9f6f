"""One forkserver with everything imported, and the children it forks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from typing import Any

import anyio
import anyio.to_thread

SERVER_LOST = 255
NOTHING = ModuleType("__main__")


class _Popen(popen_forkserver.Popen):
    """Forks without running the worker's own main module in the child once more, which may cost seconds."""

    def _launch(self, process_obj: Any) -> None:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = NOTHING
        try:
            super()._launch(process_obj)  # type: ignore[misc]
        finally:
            sys.modules["__main__"] = main


class Child(ForkServerProcess):
    """A process forked from the forkserver."""

    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:  # noqa: N802 -- multiprocessing's name
        return _Popen(process_obj)


class Nursery:
    """Forks children from one forkserver that has these modules imported, and tells how each of them ended."""

    def __init__(self, preload: Sequence[str]) -> None:
        forkserver.set_forkserver_preload(list(preload))
        self._forking = threading.Lock()

    async def warm_up(self) -> None:
        """Return once the forkserver has imported everything."""
        child = await self.fork(_nothing)
        await self.wait(child)

    async def fork(self, target: Callable[..., None], *arguments: Any) -> Child:
        """Start a child running `target`. The forkserver is started first when there is none or it died."""
        child = Child(target=target, args=arguments)
        await anyio.to_thread.run_sync(self._start, child)
        return child

    async def wait(self, child: Child) -> int:
        """The child's exit code; negative when a signal ended it."""
        await anyio.wait_readable(child.sentinel)
        child.join()
        code = child.exitcode
        if code == SERVER_LOST:
            # The forkserver died and with it the news of this child: make sure that it does not run unwatched.
            kill(child.pid)
        child.close()
        return SERVER_LOST if code is None else code

    async def renew(self) -> None:
        """A new forkserver, with the code as it is now. Only while no child runs: it waits for them all."""
        await anyio.to_thread.run_sync(forkserver._forkserver._stop)  # type: ignore[attr-defined]
        await self.warm_up()

    def _start(self, child: Child) -> None:
        with self._forking:
            child.start()

    @property
    def server_pid(self) -> int | None:
        """The forkserver's process id; None before the first child."""
        return getattr(forkserver._forkserver, "_forkserver_pid", None)


def kill(pid: int | None) -> None:
    """SIGKILL this process if it is still there."""
    if pid is not None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _nothing() -> None:
    """A child that only proves that the forkserver is ready."""
