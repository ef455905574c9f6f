"""Figure 5: from the last return to the decision being wanted; from the decision to the outcome's mail accepted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from bench import machine, people, waiting
from bench.figures import Figure
from bench.ground import Connection, Ground, agencies

QUESTION = "With so many waiting: last return to decision wanted, decision to the outcome's mail accepted by SMTP"
LEVELS = ((100, 20), (1_000, 20), (10_000, 60))
GOAL = 2.0
NEXT = (
    "SELECT reference FROM referral r WHERE stage = 'CHECKING' AND run_id IS NOT NULL AND"
    " (SELECT count(*) FROM agency_check c WHERE c.reference = r.reference AND status = 'REQUESTED') = %s"
    " ORDER BY random() LIMIT %s"
)
TIMES = "SELECT act, max(at) FROM ledger WHERE reference = %s GROUP BY act"
OUTCOME = "SELECT id FROM notice WHERE reference = %s AND message = 'outcome_ready'"


def measure(ground: Ground) -> Figure:
    """One referral after the other is answered, decided and handed back, while the others wait."""
    figure = Figure("latency", QUESTION)
    for level, count in LEVELS:
        if waiting.waiting_now(ground) > level and level < LEVELS[-1][0]:
            # Filled already, by the figure before: the smaller levels are measured by this one alone.
            continue
        waiting.fill(ground, level + count)
        machine.settle()
        _measure_level(ground, figure, level, count)
    figure.notes += [
        "Times of returns, requests and decisions are those of the ledger (one clock, the record's); a mail is "
        "accepted when its file appears in the sink, which answers 250 after fsync.",
        "One referral at a time, on a machine that does nothing else but keep the hub.",
    ]
    return figure


def _measure_level(ground: Ground, figure: Figure, level: int, count: int) -> None:
    with ground.record() as record:
        references = [row[0] for row in record.execute(NEXT, (len(agencies()), count))]
        found = [_one(ground, record, reference) for reference in references]
    wanted, told = zip(*found, strict=True)
    goal = GOAL if level == LEVELS[-1][0] else None
    figure.many("last return → decision wanted", "s", wanted, size=level, at_most=goal, of="p95")
    figure.many("decision → outcome's mail accepted", "s", told, size=level, at_most=goal, of="p95")


def _one(ground: Ground, record: Connection, reference: str) -> tuple[float, float]:
    people.all_answer(reference, agencies())
    _stage(record, reference, "AWAITING_DECISION")
    at: dict[str, datetime] = dict(record.execute(TIMES, (reference,)).fetchall())
    wanted = (at["DECISION_REQUESTED"] - at["CHECK_RETURNED"]).total_seconds()
    people.decides(reference)
    _stage(record, reference, "AWAITING_ACK")
    [(decided,)] = record.execute("SELECT decided_at FROM referral WHERE reference = %s", (reference,)).fetchall()
    [(notice,)] = record.execute(OUTCOME, (reference,)).fetchall()
    return wanted, (_accepted(ground.mails(), str(notice), decided) - decided).total_seconds()


def _stage(record: Connection, reference: str, stage: str, patience: float = 120.0) -> None:
    end = time.monotonic() + patience
    query = "SELECT stage FROM referral WHERE reference = %s"
    while record.execute(query, (reference,)).fetchone() != (stage,):
        if time.monotonic() > end:
            raise TimeoutError(f"{reference} did not reach {stage} within {patience:.0f} s")
        time.sleep(0.02)


def _accepted(folder: Path, notice: str, since: datetime, patience: float = 120.0) -> datetime:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        for file in _newer(folder, since):
            message = message_from_bytes(file.read_bytes(), policy=SMTP)
            if notice in str(message["Message-ID"]):
                return datetime.fromtimestamp(file.stat().st_ctime_ns / 1e9, UTC)
        time.sleep(0.02)
    raise TimeoutError(f"no mail of notice {notice} within {patience:.0f} s")


def _newer(folder: Path, since: datetime) -> Iterator[Path]:
    """The mails that arrived after a moment: their names begin with the nanoseconds of their arrival."""
    first = f"{int(since.timestamp() * 1e9):020d}"
    return (file for file in folder.iterdir() if file.suffix == ".eml" and file.name >= first)
