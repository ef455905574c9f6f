"""`python -m bench [NAME …]`: measure these figures, or all but the long ones; writes results.json and results.md."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from functools import partial

from bench import (
    abuse,
    boot,
    deadlines,
    figures,
    latency,
    ledger,
    machine,
    pages,
    radar,
    recovery,
    report,
    reports,
    rush,
    screens,
    soak,
    throughput,
    waiting,
    wakeup,
)
from bench.ground import Ground, hub

ON_ONE_HUB: dict[str, Callable[[Ground], figures.Figure]] = {
    "wakeup": wakeup.measure,
    "throughput": throughput.measure,
    "waiting": waiting.measure,
    "latency": latency.measure,
    "deadlines": deadlines.measure,
}
#: On a hub that nothing else has left its work on.
BY_ITSELF: dict[str, Callable[[Ground], figures.Figure]] = {"recovery": recovery.measure}
#: Measured only when asked for by name: an hour of one day's work, half an hour of ten days' work, and strangers who
#: want the machine to themselves; what analysts read of eight million checks, which half an hour is too short to write
#: and to work out where others are at work too; and the radar among a million people.
LONG: dict[str, Callable[[Ground], figures.Figure]] = {
    "soak": soak.measure,
    "rush": rush.measure,
    "abuse": abuse.measure,
}
#: Of a hub that is not there yet; by name too.
BEFORE_THE_HUB: dict[str, Callable[[], figures.Figure]] = {"boot": boot.measure}
LONG_ON_THE_RECORD: dict[str, Callable[[Ground], figures.Figure]] = {
    "reports": reports.measure,
    "radar": radar.measure,
}
ON_THE_RECORD: dict[str, Callable[[Ground], figures.Figure]] = {
    "screens": screens.measure,
    "pages": pages.measure,
    "ledger": ledger.measure,
}
NO_ENGINE = ("prefect", "worker", "timekeeper", "sink")


def main() -> None:
    """Measure what was asked for, in the house's order; each figure is kept as soon as it is there."""
    # Whoever ends it ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    names = sys.argv[1:] or [*ON_ONE_HUB, *BY_ITSELF, *ON_THE_RECORD]
    alone = {**BY_ITSELF, **LONG}
    record = {**ON_THE_RECORD, **LONG_ON_THE_RECORD}
    every = {**BEFORE_THE_HUB, **ON_ONE_HUB, **alone, **record}
    if unknown := [name for name in names if name not in every]:
        sys.exit(f"no figure {unknown[0]}: use {', '.join(every)}")
    for name in names:
        if name in BEFORE_THE_HUB:
            _measure(name, BEFORE_THE_HUB[name])
    _run({name: ON_ONE_HUB[name] for name in names if name in ON_ONE_HUB}, ())
    for name in names:
        if name in alone:
            _run({name: alone[name]}, ())
        elif name in record:
            # Each fills a record of its own.
            _run({name: record[name]}, NO_ENGINE)


def _run(wanted: dict[str, Callable[[Ground], figures.Figure]], without: tuple[str, ...]) -> None:
    if not wanted:
        return
    with hub(without) as ground:
        for name, measure in wanted.items():
            _measure(name, partial(measure, ground))


def _measure(name: str, measure: Callable[[], figures.Figure]) -> None:
    _say(f"{name}: measuring (load {machine.load()})")
    began = time.monotonic()
    figure = measure()
    figure.seconds = round(time.monotonic() - began, 1)
    report.write(figures.save(figure))
    for row in figure.rows:
        _say(f"  {row.what}{f' at {row.size:,}' if row.size else ''}: {row.median:g} {row.unit}")
    for row in figure.rows:
        if row.reached is False:
            _say(f"  NOT REACHED {row.what}: {row.goal}; median {row.median:g}, p95 {row.p95:g} {row.unit}")
    _say(f"{name}: done in {figure.seconds:.0f} s")


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
