"""Hearing what the stand-in flows say, without asking the engine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class Word:
    """The folder in which stand-ins leave word; each file is heard once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def heard(self) -> dict[str, Any]:
        """What was said since the last time, by name."""
        found = {}
        for file in sorted(self._folder.glob("*.json")):
            found[file.name.rpartition(".json")[0].rpartition(".")[0]] = json.loads(file.read_text())
            file.unlink()
        return found

    def wait_for(self, name: str, patience: float = 120.0) -> Any:
        """What is said under this name. Raises TimeoutError when nothing is."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if name in (found := self.heard()):
                return found[name]
            time.sleep(0.01)
        raise TimeoutError(f"no word of {name} within {patience:.0f} s")
