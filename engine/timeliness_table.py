"""Timeliness of agency checks as a table on the engine's screen: the analyst's board, for operators (issue 6, point 3).

Codes and counts alone, of the same days as the board shows before anybody chooses others.
"""

from __future__ import annotations

from datetime import timedelta

from casework.db import now, unit_of_work
from casework.register import current_profile
from engine.runs import Runs
from engine.turns import is_ours
from reports import figures
from reports.figures import Asked, By, Figures, usual_first

KEY = "timeliness"
EVERY = timedelta(minutes=15)


def show_in_turn(runs: Runs) -> None:
    """Show it, if no copy of the timekeeper has done so for a quarter of an hour. Raises Unavailable."""
    if is_ours(KEY, EVERY):
        show(runs)


def show(runs: Runs) -> None:
    """Put the table in place of the last one: one row for each agency, and the last for all. Raises Unavailable."""
    with unit_of_work() as session:
        last = now(session).astimezone(current_profile().zone_info).date()
        asked = Asked(usual_first(last), last)
        found, fresh = figures.table(session, asked, By.AGENCY), figures.as_of(session)
    as_of = f"as of {fresh:%d %b %Y %H:%M} UTC" if fresh else "not worked out yet"
    told = f"Agency checks asked {asked.first:%d %b %Y} to {asked.last:%d %b %Y}, {as_of}. Minutes are office time."
    runs.show_table(KEY, [_row(row) for row in (*found.rows, found.total)], told)


def _row(row: Figures) -> dict[str, str | int]:
    counts = {
        name.replace("_", " "): getattr(row, name)
        for name in ("asked", "on_time", "late", "silent", "declined", "cancelled", "open", "breached")
    }
    return {
        "agency": row.of or "all",
        **counts,
        "breach rate": "–" if row.breach_rate is None else f"{row.breach_rate:.1%}",
        "median minutes": "–" if row.median_open_minutes is None else row.median_open_minutes,
        "90th percentile": "–" if row.p90_open_minutes is None else row.p90_open_minutes,
    }
