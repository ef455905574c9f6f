"""Keeping the engine's database small: runs of referrals that closed long ago are deleted, through its own API.

With a run go its pages, states, task runs, inputs and logs. Events have a retention of the engine's own, a day in
`mash up`. The record keeps everything: whatever is deleted here is nothing that anybody has to answer for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from prefect.client.schemas.objects import FlowRun
from sqlmodel import Session, col

from casework.db import now, real_time, unit_of_work
from casework.register import current_profile
from engine.runs import Runs
from engine.turns import is_ours
from models.referral import Referral
from rules.stages import Stage

log = logging.getLogger("mash.timekeeper")

EVERY = timedelta(hours=1)
BATCH = 50
#: Seconds between batches: the engine has better things to do.
REST = 1.0


def prune_in_turn(runs: Runs, stopping: threading.Event) -> None:
    """Prune, if no copy of the timekeeper has done so for an hour. Raises Unavailable."""
    if is_ours("prune", EVERY):
        prune(runs, timedelta(days=current_profile().retention.engine_run.days), stopping)


def prune(runs: Runs, keep: timedelta, stopping: threading.Event | None = None) -> int:
    """Delete the runs of referrals that have been closed for longer than `keep`; say how many. Raises Unavailable.

    Never a run of an open referral, nor one whose referral the record does not know. Safe to repeat, and to break off.
    """
    stopping = stopping or threading.Event()
    with unit_of_work() as session:
        begun_before = real_time(session) - keep
    deleted = passed = 0
    while not stopping.is_set() and (page := runs.older_than(begun_before, passed, BATCH)):
        over = _over(page, keep)
        for run_id in over:
            runs.delete(run_id)
        deleted, passed = deleted + len(over), passed + len(page) - len(over)
        if over:
            stopping.wait(REST)
    if deleted:
        log.info("%d runs of closed referrals pruned from the engine", deleted)
    return deleted


def _over(page: Sequence[FlowRun], keep: timedelta) -> list[UUID]:
    with unit_of_work() as session:
        closed = _closed(session, {_reference(run) for run in page}, keep)
        carrying = _carrying(session, {run.id for run in page})
    return [run.id for run in page if _reference(run) in closed and run.id not in carrying]


def _reference(run: FlowRun) -> str:
    """By its parameter: anybody may rename a run on the engine's screen."""
    return str(run.parameters.get("reference", ""))


def _closed(session: Session, references: set[str], keep: timedelta) -> set[str]:
    query = sa.select(col(Referral.reference)).where(
        col(Referral.reference).in_(references),
        col(Referral.stage) == Stage.CLOSED,
        col(Referral.closed_at) <= now(session) - keep,
    )
    return set(session.execute(query).scalars())


def _carrying(session: Session, runs: set[UUID]) -> set[UUID | None]:
    """The runs among these that carry an open referral, whatever they are said to be about."""
    query = sa.select(col(Referral.run_id)).where(col(Referral.run_id).in_(runs), col(Referral.stage) != Stage.CLOSED)
    return set(session.execute(query).scalars())
