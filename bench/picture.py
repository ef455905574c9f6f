"""The picture: how each figure grows with what it grows with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

#: Which rows a panel shows (by the beginning of their names), of which figure, and what lies along the axis.
PANELS = (
    ("latency", ("last return", "decision →"), "referrals waiting", "p95"),
    ("waiting", ("hub: memory", "DBOS: memory", "pause_flow_run: memory, multiplied"), "referrals waiting", "median"),
    ("deadlines", ("breach noted",), "deadlines in one minute", "p99"),
    ("screens", ("status", "list", "agency", "count(*) of agency_check"), "referrals in the record", "p95"),
)


def draw(results: dict[str, Any], file: Path) -> None:
    """One panel for each figure that grows; those not measured yet stay empty."""
    # The same results give the same bytes, and text stays text.
    mpl.rcParams.update({"svg.hashsalt": "mash", "svg.fonttype": "none", "font.size": 8})
    canvas = Canvas(figsize=(11, 8), layout="constrained")
    panels = canvas.subplots(2, 2)
    for panel, (name, beginnings, along, value) in zip(panels.flat, PANELS, strict=True):
        rows = results["figures"].get(name, {"rows": []})["rows"]
        _lines(panel, [row for row in rows if row["size"] and row["what"].startswith(beginnings)], value)
        panel.set(xscale="log", yscale="log", xlabel=along, title=f"{name} ({value})")
        panel.grid(visible=True, which="major", linewidth=0.3)
        if panel.lines:
            panel.legend(fontsize=6)
    canvas.savefig(file, metadata={"Date": None})


def _lines(panel: Any, rows: list[dict[str, Any]], value: str) -> None:
    for what in dict.fromkeys(row["what"] for row in rows):
        points = sorted((row["size"], row[value], row["unit"]) for row in rows if row["what"] == what)
        sizes, heights = [point[0] for point in points], [max(point[1], 1e-4) for point in points]
        panel.plot(sizes, heights, marker="o", label=f"{what}, {points[0][2]}")
    for row in rows:
        if row["goal"]:
            panel.axhline(float(row["goal"].split()[2]), linestyle=":", linewidth=0.8, color="black")
            return
