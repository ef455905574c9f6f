"""A release is put in and taken back while referrals are open at every stage: each goes on to its end (F28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import migrations
from casework import legal_gate, outcome, referrals
from casework.checks import agencies_to_ask
from casework.db import database
from casework.ledger_check import verify
from engine.databases import RECORD_OWNER
from rules.stages import Stage
from tests.casework.factory import (
    ASKED,
    acknowledge,
    act,
    all_give_back,
    ask,
    completion,
    decide,
    duty,
    give_back,
    join,
    referral,
    walk,
)
from tests.record import Record

#: What the flow and people do next at each stage.
NEXT: dict[Stage, Callable[[str], Any]] = {
    Stage.RECEIVED: ask,
    Stage.QUEUED_OUT_OF_HOURS: ask,
    Stage.AWAITING_BASIS: lambda reference: (_complete(reference), ask(reference)),
    Stage.CHECKING: lambda reference: (_rest_give_back(reference), join(reference)),
    Stage.AWAITING_DECISION: decide,
    Stage.HANDING_BACK: lambda reference: act(outcome.hand_back, reference, at=referral(reference).decided_at),
    Stage.AWAITING_ACK: acknowledge,
}
_COLUMNS = """
SELECT table_name::text, column_name::text FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
Columns = set[tuple[str, str]]
Rows = list[tuple[str, dict[str, Any]]]


def _complete(reference: str) -> None:
    act(legal_gate.complete, reference, completion(reference), by=duty(), at=ASKED)


def _rest_give_back(reference: str) -> None:
    answered = [each.agency for each in act(referrals.checks, reference) if each.status.settled]
    all_give_back(reference, but=answered)


def _columns(record: Record) -> Columns:
    return {(table, column) for table, column in record.ask(_COLUMNS)}


def _everything(record: Record) -> Rows:
    """Every row of every table."""
    tables = {table for table, _ in _columns(record)}
    return [(table, row) for table in tables for (row,) in record.ask(f"SELECT to_jsonb(t) FROM {table} t")]


def _as_told_by(columns: Columns, kinds: str, rows: Rows) -> list[tuple[str, str]]:
    """Rows as far as these columns tell them, and wakes of these kinds."""
    both = ((table, row) for table, row in rows if table != "wake" or f"'{row['kind']}'" in kinds)
    told = ((table, {name: row[name] for name in row if (table, name) in columns}) for table, row in both)
    return sorted((table, str(row)) for table, row in told if row)


def _redeploy(record: Record) -> tuple[Columns, str]:
    """The newest migration is undone, and done again, on the record as it stands.

    The columns of the one before, and its condition for the kinds of wakes.
    """
    database().dispose()
    owner = record.server.url(RECORD_OWNER)
    try:
        migrations.downgrade(owner, "-1")
        [(kinds,)] = record.ask("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'wakekind'")
        return _columns(record), kinds
    finally:
        migrations.upgrade(owner)


def test_referrals_at_every_stage_outlive_a_release_and_its_withdrawal(record: Record) -> None:
    """F28, INV1, INV3, INV4, INV11: nothing that both releases know differs, and each case goes on where it stood"""
    at = {stage: walk(stage, sender_id=stage) for stage in Stage}
    give_back(at[Stage.CHECKING], "POLICE")
    before = _everything(record)
    known, kinds = _redeploy(record)
    assert _as_told_by(known, kinds, _everything(record)) == _as_told_by(known, kinds, before)
    assert {row["kind"] for table, row in _everything(record) if table == "wake"} >= {"RUN", "BREACH", "CHASE_BASIS"}
    assert {"referral", "ledger", "agency_check", "notice", "wake"} <= {table for table, _ in known}
    assert {stage: referral(reference).stage for stage, reference in at.items()} == {stage: stage for stage in Stage}
    for stage, reference in at.items():
        while (found := referral(reference).stage) is not Stage.CLOSED:
            NEXT[found](reference)
        assert act(agencies_to_ask, reference) == [], stage
    decided = "SELECT reference, subject_id, count(*) FROM threshold_decision GROUP BY 1, 2 HAVING count(*) > 1"
    assert record.ask(decided) == []
    assert act(verify).whole
