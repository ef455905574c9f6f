"""A figure: what was measured, how often, how it spread, and whether it reaches its goal."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, scale

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


@dataclass(frozen=True)
class Row:
    """One thing measured `n` times. `size` is what it grows with, where it does; `goal` is in the row's own unit."""

    what: str
    unit: str
    n: int
    minimum: float
    median: float
    p95: float
    p99: float
    maximum: float
    size: int | None = None
    goal: str | None = None
    reached: bool | None = None


def row(
    what: str,
    unit: str,
    values: Sequence[float],
    *,
    size: int | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
    of: str = "median",
) -> Row:
    """Summarise measured values. A goal is a bound `at_most` or `at_least` on the value named by `of`."""
    ordered = sorted(values)
    spread = {
        "minimum": ordered[0],
        "median": statistics.median(ordered),
        "p95": _percentile(ordered, 0.95),
        "p99": _percentile(ordered, 0.99),
        "maximum": ordered[-1],
    }
    goal, reached = None, None
    if at_most is not None:
        goal, reached = f"{of} ≤ {at_most:g} {unit}", spread[of] <= at_most
    if at_least is not None:
        goal, reached = f"{of} ≥ {at_least:g} {unit}", spread[of] >= at_least
    rounded = {name: float(f"{value:.4g}") for name, value in spread.items()}
    return Row(what, unit, len(ordered), size=size, goal=goal, reached=reached, **rounded)


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def timed(read: Callable[[], object], times: int) -> list[float]:
    """How many seconds each of so many calls takes, after one that does not count."""
    read()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        read()
        found.append(time.perf_counter() - began)
    return found


@dataclass
class Figure:
    """The rows of one question, with the circumstances under which they were measured."""

    name: str
    question: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    began_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    load_at_start: float = field(default_factory=machine.load)
    seconds: float = 0.0

    @property
    def command(self) -> str:
        """What measures this figure alone."""
        return f"python -m bench {self.name}"

    def one(self, what: str, unit: str, value: float, **more: Any) -> None:
        """Add a row of a single value."""
        self.rows.append(row(what, unit, [value], **more))

    def many(self, what: str, unit: str, values: Sequence[float], **more: Any) -> Row:
        """Add a row of several values; the row."""
        self.rows.append(row(what, unit, values, **more))
        return self.rows[-1]


def save(figure: Figure) -> dict[str, Any]:
    """Put a figure into results.json in place of its older self; all that the file holds then."""
    kept = load()
    kept["machine"] = machine.in_words()
    kept.setdefault("figures", {})[figure.name] = {**asdict(figure), "command": figure.command}
    kept["scale"] = scale.derive(kept)
    write(kept)
    return kept


def load() -> dict[str, Any]:
    """What results.json holds; empty before the first run."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def write(results: dict[str, Any]) -> None:
    """Write results.json."""
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
