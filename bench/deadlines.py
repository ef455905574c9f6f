"""Figure 6: how late a breach is noted when very many deadlines fall in the same minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bench import copies, costs, machine, waiting
from bench.figures import Figure
from bench.ground import Connection, Ground, agencies

QUESTION = "Deadlines that fall in one minute: how late each breach is noted; none lost, none twice"
LEVELS = (104, 1_000, 10_000)
MINUTE = 60.0
#: Copies are made before the first of them is due.
AHEAD, SECONDS_A_COPY = 10.0, 0.03
GOAL = 60.0
NOTED = "SELECT count(breach_noticed_at) FROM agency_check WHERE reference = ANY(%s)"
LATENESS = (
    "SELECT extract(epoch FROM breach_noticed_at - due_at)::float FROM agency_check"
    " WHERE reference = ANY(%s) AND breach_noticed_at IS NOT NULL"
)
ONCE = (
    "SELECT count(*), count(DISTINCT (reference, detail->>'agency')) FROM ledger"
    " WHERE act = 'CHECK_BREACHED' AND reference = ANY(%s)"
)
JOINED = "SELECT count(*) FROM referral WHERE reference = ANY(%s) AND stage = 'AWAITING_DECISION'"
MAILS = "SELECT count(*) FROM notice WHERE reference = ANY(%s) AND message = 'check_overdue'"


def measure(ground: Ground) -> Figure:
    """Copies whose checks are all due within the coming minute, and nobody answers."""
    figure = Figure("deadlines", QUESTION)
    waiting.by_themselves(ground, 1)
    for level in LEVELS:
        machine.settle()
        _measure_level(ground, figure, level)
    figure.notes += [
        "Due times are spread evenly over one real minute, eight checks of one referral at each; lateness is the "
        "breach's own `breach_noticed_at` minus `due_at`. Meanwhile the hub mails every agency that is overdue, and "
        "wakes every referral whose time is up: both compete for the same two cores.",
    ]
    return figure


def _measure_level(ground: Ground, figure: Figure, level: int) -> None:
    with ground.record() as record:
        references, last = _due_soon(ground, record, level)
        before = costs.cpu_of_parts(ground.stack)
        _until_noted(record, references, level)
        used = costs.since(before, costs.cpu_of_parts(ground.stack))
        noted_by = (datetime.now(UTC) - last).total_seconds()
        lateness = [found for (found,) in record.execute(LATENESS, (references,))]
        [(entries, distinct)] = record.execute(ONCE, (references,)).fetchall()
        [(mails,)] = record.execute(MAILS, (references,)).fetchall()
        [(joined,)] = record.execute(JOINED, (references,)).fetchall()
    goal = GOAL if level == LEVELS[-1] else None
    figure.many("breach noted − due time", "s", lateness, size=level, at_most=goal, of="p99")
    figure.one("deadlines lost", "", level - len(lateness), size=level, at_most=0)
    figure.one("breaches noted twice", "", entries - distinct, size=level, at_most=0)
    figure.tables.setdefault("When the last breach was noted", []).append(
        {
            "deadlines": level, "seconds after the last due time": round(noted_by, 1), "notices written": mails,
            "referrals joined by then": joined, "of": len(references),
            **{f"CPU s {part}": round(seconds, 1) for part, seconds in used.items()},
        }
    )  # fmt: skip


def _due_soon(ground: Ground, record: Connection, level: int) -> tuple[list[str], datetime]:
    """Referrals due within a minute from soon on, and the last due time."""
    query = "SELECT reference FROM referral WHERE stage = 'CHECKING' ORDER BY received_at LIMIT 1"
    [(original,)] = record.execute(query).fetchall()
    count = level // len(agencies())
    begin = datetime.now(UTC) + timedelta(seconds=AHEAD + count * SECONDS_A_COPY)
    moments = [begin + timedelta(seconds=MINUTE * number / count) for number in range(count)]
    return copies.make(ground, original, count, change=copies.due_at(moments)), moments[-1]


def _until_noted(record: Connection, references: list[str], level: int, patience: float = 420.0) -> None:
    end = time.monotonic() + patience
    while record.execute(NOTED, (references,)).fetchone() != (level,) and time.monotonic() < end:
        time.sleep(1)
