"""One copy at a time on one home folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from rules.errors import Misconfigured


class HomeLock:
    """An operating-system lock on `<home>/lock`. It goes with its process, so the file alone is never an obstacle."""

    def __init__(self, home: Path) -> None:
        self._file = home / "lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises Misconfigured when another copy runs on this home folder."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode().strip() or "unknown"
            os.close(descriptor)
            raise Misconfigured(
                f"Another copy (process {holder}) already runs on {self._file.parent}: "
                "stop it first, or choose another home folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next copy in. Harmless when not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
