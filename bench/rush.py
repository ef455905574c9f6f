"""Load L2: ten times the biggest hub's busiest hours for half an hour, on top of ten thousand that wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bench import copies, deadlines, machine, waiting
from bench.figures import Figure
from bench.ground import Connection, Ground, agencies
from bench.soak import Watch, come_in
from engine.stack import PARTS

QUESTION = "Ten times the biggest hub: 900 referrals an hour for half an hour, while 10,000 wait and deadlines pass"
REFERRALS, MINUTES, OPEN = 450, 30.0, 10_000
#: Referrals whose checks nobody answers, due evenly over the half hour.
SILENT = 60
DRAINED_WITHIN = 600.0


def measure(
    ground: Ground, *, referrals: int = REFERRALS, minutes: float = MINUTES, waits: int = OPEN, silent: int = SILENT
) -> Figure:
    """Send referrals in evenly, act on them as soon as it can be done, and look every ten seconds."""
    figure = Figure("rush", QUESTION)
    waiting.fill(ground, waits)
    machine.settle()
    with ground.record() as record:
        watch, unanswered = Watch(ground, record), _due_meanwhile(ground, record, silent, minutes)
        began = time.monotonic()
        come_in(record, watch, referrals, minutes, patience=2 * DRAINED_WITHIN)
        drained = time.monotonic() - began - minutes * 60
        lateness = [float(found) for (found,) in record.execute(deadlines.LATENESS, (unanswered,))]
    figure.many("a screen: the open referrals, an agency's queue", "s", watch.answers, at_most=0.5, of="p95")
    figure.one("answers that were no answer", "", watch.errors, at_most=0)
    figure.many("breach noted − due time", "s", lateness, at_most=120, of="maximum")
    figure.one("deadlines lost", "", silent * len(agencies()) - len(lateness), at_most=0)
    figure.one("after the last referral came in, all are closed", "s", drained, at_most=DRAINED_WITHIN)
    held = [sum(found) for found in zip(*(_megabytes(watch, part) for part in PARTS), strict=False)]
    figure.many("memory of all parts", "MB", held, at_most=6 * 1024, of="maximum")
    figure.many("connections to PostgreSQL", "", watch.connections, at_most=60, of="maximum")
    figure.notes += [
        f"{referrals} referrals came in evenly over {minutes:g} minutes of real time, each with {len(agencies())} "
        f"agencies, and everybody acts on them at once, while {waits:,} others wait and {silent * len(agencies())} "
        "checks that nobody answers fall due, evenly over the same time.",
        "Connections are counted with the benchmark's own.",
    ]
    return figure


def _due_meanwhile(ground: Ground, record: Connection, count: int, minutes: float) -> list[str]:
    query = "SELECT reference FROM referral WHERE stage = 'CHECKING' ORDER BY received_at LIMIT 1"
    [(original,)] = record.execute(query).fetchall()
    begin = datetime.now(UTC) + timedelta(seconds=deadlines.AHEAD + count * deadlines.SECONDS_A_COPY)
    moments = [begin + timedelta(minutes=minutes * number / count) for number in range(count)]
    return copies.make(ground, original, count, change=copies.due_at(moments))


def _megabytes(watch: Watch, part: str) -> list[float]:
    return [megabytes for _, megabytes in watch.memory[part]]
