"""What a trial left behind: the record's rows, the letters, what the driver was told, and the engine's runs.

This file and the other parts of the checker share no code with the application: standard library and psycopg alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
TABLES = (
    "account", "agency_check", "agency_return", "clarification", "collated_template", "discussion", "dissent",
    "hand_back", "ledger", "notice", "reconsideration", "referral", "subject", "threshold_decision", "threshold_view",
    "wake",
)  # fmt: skip


@dataclass(frozen=True)
class Violation:
    """One thing that may not be: the invariant's id, a word to count it under, and where it is."""

    invariant: str
    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.where}: {self.what}"


@dataclass(frozen=True)
class Letter:
    """One file of the SMTP sink."""

    message_id: str
    recipients: frozenset[str]
    subject: str


@dataclass(frozen=True)
class Told:
    """One act of somebody, and what the hub said of it: acknowledged, refused, or nothing (None)."""

    account: str
    path: str
    key: str
    entries: int
    end: str | None
    reference: str
    how: str = ""


@dataclass
class Evidence:
    """All that is to be judged. `runs` is the type of state by run id, None when the engine is not looked at."""

    rows: dict[str, list[Row]]
    letters: list[Letter]
    now: datetime
    real_now: datetime
    idle: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    recipients: dict[str, list[str]] = field(default_factory=dict)
    runs: dict[str, str] | None = None

    def of(self, table: str) -> dict[str, list[Row]]:
        """A table's rows by reference, in the order of the record."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows[table]:
            found[row["reference"]].append(row)
        return found

    def entries(self, *acts: str) -> Iterator[Row]:
        """The ledger's entries of some acts, in the order of the chains."""
        return (row for row in self.rows["ledger"] if row["act"] in acts)

    def limited_to(self, references: Collection[str]) -> Evidence:
        """The same of these referrals alone, for a hub on which others work as well."""
        checks = {row["id"] for row in self.rows["agency_check"] if row["reference"] in references}

        def kept(row: Row) -> bool:
            return row["reference"] in references if "reference" in row else row.get("check_id", row["id"]) in checks

        rows = {t: [r for r in found if t == "account" or kept(r)] for t, found in self.rows.items()}
        ours = {f"<{row['id']}@mash.invalid>" for row in rows["notice"]}
        letters = [
            letter
            for letter in self.letters
            if letter.message_id in ours or any(reference in letter.subject for reference in references)
        ]
        told = [act for act in self.told if act.reference in references]
        return replace(self, rows=rows, letters=letters, told=told, idle=[])

    def checks_by_id(self) -> dict[Any, Row]:
        """Each check by its id."""
        return {row["id"]: row for row in self.rows["agency_check"]}


def collect(
    record_url: str,
    mail: Path,
    *,
    journal: Path | None = None,
    recipients: Path | None = None,
    engine_url: str | None = None,
    longest_idle: float = 60.0,
) -> Evidence:
    """Read everything, the record in one snapshot. A superuser's URL also shows everybody's open transactions."""
    with psycopg.connect(record_url, row_factory=dict_row) as connection:
        connection.read_only, connection.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
        times = connection.execute(
            "SELECT coalesce((SELECT now FROM scenario_clock), clock_timestamp()) AS hub, clock_timestamp() AS real"
        ).fetchone()
        rows = {table: _rows(connection, table) for table in TABLES}
        idle = _idle(connection, longest_idle)
    assert times is not None
    return Evidence(
        rows=rows,
        letters=[_letter(file) for file in sorted(mail.glob("*.eml"))],
        now=times["hub"],
        real_now=times["real"],
        idle=idle,
        told=read_journal(journal) if journal else [],
        recipients=json.loads(recipients.read_text()) if recipients else {},
        runs=_runs(engine_url) if engine_url else None,
    )


def read_journal(file: Path) -> list[Told]:
    """What the driver wrote down as it went: a line before each act, and a line with what came of it."""
    acts: dict[int, dict[str, Any]] = {}
    for line in file.read_text().splitlines():
        note = json.loads(line)
        acts.setdefault(note["n"], {}).update(note)
    return [
        Told(
            account=act["account"], path=act["path"], key=act.get("key", ""), entries=act.get("entries", 1),
            end=act.get("end"), reference=act.get("reference", ""), how=act.get("how", ""),
        )
        for act in acts.values()
    ]  # fmt: skip


def _rows(connection: psycopg.Connection[Row], table: str) -> list[Row]:
    order = "ORDER BY reference, number, id" if table == "ledger" else ""
    return connection.execute(f"SELECT * FROM {table} {order}".encode()).fetchall()


def _idle(connection: psycopg.Connection[Row], longest: float) -> list[str]:
    found = connection.execute(
        "SELECT usename, pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' "
        "AND clock_timestamp() - state_change > make_interval(secs => %s)",
        [longest],
    ).fetchall()
    return [f"{row['usename']}, process {row['pid']}" for row in found]


def _letter(file: Path) -> Letter:
    message: Message = message_from_bytes(file.read_bytes())
    named = [
        str(value) for header in ("To", "Cc", "Bcc", "X-Mash-Envelope-To") for value in message.get_all(header, [])
    ]
    return Letter(
        message_id=str(message["Message-ID"]).strip(),
        recipients=frozenset(address.lower() for _, address in getaddresses(named)),
        subject=str(message["Subject"]),
    )


def _runs(engine_url: str) -> dict[str, str]:
    with psycopg.connect(engine_url) as engine:
        return dict(engine.execute("SELECT id::text, state_type::text FROM flow_run").fetchall())
