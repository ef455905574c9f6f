"""What the figures mean for a hub of a given size: arithmetic on what was measured, and nothing else."""

from __future__ import annotations

from typing import Any

WORKING_DAYS_A_YEAR = 253
HOURS_A_DAY = 8.5
#: A morning's rush: how much of a working day's referrals come in its busiest hour.
PEAK_HOUR_SHARE = 0.25
SIZES = {
    "England's largest hub (4,000 contacts a month)": 48_000,
    "ten times that": 480_000,
    "the whole country (1.3 million a year)": 1_300_000,
}


def derive(results: dict[str, Any]) -> dict[str, Any] | None:
    """Per referral and per machine, and what each size of hub asks for; None while a figure is missing."""
    figures, cores = results["figures"], results["machine"]["cores"]
    cpu = _median(figures, "throughput", "hub: CPU per referral, all parts")
    an_hour = _median(figures, "throughput", "hub: referrals an hour on this machine")
    record = _median(figures, "waiting", "hub: bytes per waiting referral, record", smallest=True)
    engine = _median(figures, "waiting", "hub: bytes per waiting referral, engine", smallest=True)
    if cpu is None or an_hour is None or record is None or engine is None:
        return None
    return {
        "cpu_seconds_per_referral": cpu,
        "bytes_per_waiting_referral": {"record": record, "engine": engine},
        "referrals_an_hour_on_this_machine": an_hour,
        "cores_of_this_machine": cores,
        "assumed": {
            "working_days_a_year": WORKING_DAYS_A_YEAR,
            "hours_a_day": HOURS_A_DAY,
            "share_of_a_day_in_its_busiest_hour": PEAK_HOUR_SHARE,
        },
        "sizes": [_size(name, a_year, an_hour / cores) for name, a_year in SIZES.items()],
    }


def _size(name: str, a_year: int, an_hour_per_core: float) -> dict[str, Any]:
    a_day = a_year / WORKING_DAYS_A_YEAR
    return {
        "hub": name,
        "referrals a working day": round(a_day),
        "agency checks a working day": round(a_day * 8),
        "referrals in the busiest hour": round(a_day * PEAK_HOUR_SHARE),
        "cores, spread over the day": round(a_day / HOURS_A_DAY / an_hour_per_core, 2),
        "cores, busiest hour without a backlog": round(a_day * PEAK_HOUR_SHARE / an_hour_per_core, 2),
    }


def _median(figures: dict[str, Any], name: str, what: str, *, smallest: bool = False) -> float | None:
    """A row's median; the row of the smallest size where a row is there for several."""
    rows = [row for row in figures.get(name, {"rows": []})["rows"] if row["what"] == what]
    rows.sort(key=lambda row: row["size"] or 0, reverse=not smallest)
    return float(rows[0]["median"]) if rows else None
