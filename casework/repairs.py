"""Bringing back referrals that no run carries: counted in the record, and at last told to a person (INV9, F11).

All moments of a repair are the database's real time. `at`, where it is handed in, is the hub's time, for the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.checks import agencies_to_ask
from casework.db import real_time
from casework.ledger import Act
from casework.notices import MASH_ALARM, say
from casework.standing import is_hubs_move, on_the_hub
from casework.wakes import wake, wake_all
from models.referral import Referral
from models.settings import settings
from models.wake import Repair, Turn, Wake, WakeKind
from notifications.messages import MessageName
from rules.permissions import HUB, Actor, check_may_resume
from rules.repair import has_held, is_time
from rules.stages import Stage

#: How long a run may look busy without holding its referral's lock before it is taken for dead. Two sightings at least.
GRACE = timedelta(seconds=15)
#: What a wake is about that wants another run, though the engine says that the present one is about to start.
ANEW = "anew"
_REAL = sa.func.clock_timestamp()


@dataclass(frozen=True)
class Carried:
    """An open referral, the run that should carry it, and whether the record says that the hub is to move."""

    reference: str
    run_id: UUID | None
    hubs_move: bool


def carried(session: Session) -> list[Carried]:
    """Every open referral but those that are about to be woken anyway, and those whose run an operator stopped while
    somebody else is to move.
    """
    due = sa.exists().where(
        col(Wake.reference) == col(Referral.reference),
        col(Wake.kind) == WakeKind.RUN,
        col(Wake.due_at) <= sa.func.mash_now(),
    )
    rows = session.execute(
        sa.select(col(Referral.reference), col(Referral.run_id), is_hubs_move())
        .where(col(Referral.stage) != Stage.CLOSED, ~due)
        .order_by(col(Referral.reference))
    )
    return [Carried(*row) for row in rows]


def doubt(session: Session, states: Mapping[str, UUID]) -> set[str]:
    """Note in which engine state each referral's run was seen lifeless; the references of which it was so for GRACE.

    Kept in the record, so that it survives restarts and copies of the timekeeper share what they saw. A clock that was
    set back begins the doubt again.
    """
    if not states:
        return set()
    stages = session.execute(
        sa.select(col(Referral.reference), col(Referral.stage)).where(col(Referral.reference).in_(states))
    ).all()
    rows = [
        {"reference": reference, "stage": stage, "tries": 0, "doubted_state": states[reference]}
        for reference, stage in sorted(stages)
    ]
    if not rows:
        return set()
    new = insert(Repair).values(rows)
    table = Repair.__table__  # type: ignore[attr-defined]
    same = (table.c.doubted_state == new.excluded.doubted_state) & (table.c.doubted_at <= _REAL)
    kept = new.on_conflict_do_update(
        index_elements=["reference"],
        set_={
            "doubted_state": new.excluded.doubted_state,
            "doubted_at": sa.case((same, table.c.doubted_at), else_=_REAL),
        },
    ).returning(table.c.reference, sa.func.coalesce(_REAL - table.c.doubted_at >= GRACE, sa.false()))
    return {reference for reference, grown in session.execute(kept) if grown}


def bring_back(session: Session, troubled: Mapping[str, UUID | None], *, at: datetime, about: str = "") -> list[str]:
    """Wake referrals whose run is in trouble, each after a longer pause at each try (rules/repair.py).

    Tried so many times at one stage, a person is told, and it is tried on. `troubled` gives the run that was seen in
    trouble by reference: where another one has taken over meanwhile, nothing is to be done. Returns the references that
    were woken.
    """
    query = sa.select(col(Referral.reference), col(Referral.stage), col(Referral.run_id))
    found = session.execute(query.where(col(Referral.reference).in_(troubled)).order_by(col(Referral.reference))).all()
    kept = {row.reference: row for row in session.exec(select(Repair).where(col(Repair.reference).in_(troubled))).all()}
    real = real_time(session)
    woken = [
        reference
        for reference, stage, run_id in found
        if stage is not Stage.CLOSED and run_id == troubled[reference]
        if _try_again(session, kept.get(reference) or _new(session, reference, stage), stage, real, at)
    ]
    wake_all(session, woken, at, about=about)
    return woken


def note_cancelled(session: Session, reference: str, run_id: UUID, *, at: datetime) -> bool:
    """An operator stopped a referral's run: once for each run, it is written down and the MASH is told (F11).

    Says whether it is to be carried on all the same: nobody but the hub is to move, so no person and no deadline would
    ever let it go on.
    """
    referral = referrals.lock(session, reference)
    if referral.stage is Stage.CLOSED or referral.run_id != run_id:
        return False
    repair = _repair_of(session, referral)
    if repair.cancelled_run != run_id:
        repair.cancelled_run, repair.cancelled_at = run_id, real_time(session)
        ledger.write(session, reference, Act.ENGINE_CANCELLED, by=HUB, at=at, run=str(run_id))
        say(
            session, MessageName.RUN_STOPPED, MASH_ALARM, at=at, reference=reference, occasion=str(run_id)
        )  # fmt: skip
    return on_the_hub(session, reference) or bool(agencies_to_ask(session, reference))


def note_retried(session: Session, reference: str, run_id: UUID, *, at: datetime) -> bool:
    """A run that was stopped is retried on the engine's screen: written down once, and no hold-up any more (F11).

    Says whether it was noted: a run that was not stopped, or carries the referral no longer, is left alone.
    """
    referral = referrals.lock(session, reference)
    repair = session.get(Repair, reference, populate_existing=True)
    if repair is None or not (repair.cancelled_run == referral.run_id == run_id):
        return False
    repair.cancelled_run = repair.cancelled_at = None
    ledger.write(session, reference, Act.ENGINE_RESUMED, by=HUB, at=at, run=str(run_id))
    return True


def resume(session: Session, reference: str, *, by: Actor, at: datetime) -> bool:
    """A person lets a referral go on: its run was stopped, or tried so often that it is tried rarely (F11).

    Its count begins again. Says whether there was anything to resume: a closed referral needs no run. Raises NotFound
    or NotPermitted.
    """
    check_may_resume(by)
    referral = referrals.lock(session, reference)
    if referral.stage is Stage.CLOSED:
        return False
    repair = _repair_of(session, referral)
    repair.tries, repair.alarmed_at = 0, None
    ledger.write(session, reference, Act.ENGINE_RESUMED, by=by, at=at)
    wake(session, reference, at)
    return True


def at_rest(session: Session, reference: str) -> None:
    """A referral's run has come through to where somebody else is to move: the tries that took are given back."""
    mended = sa.select(col(Referral.reference)).where(col(Referral.reference) == reference, ~is_hubs_move())
    used = sa.update(Repair).where(col(Repair.tries) > 0, col(Repair.reference).in_(mended))
    session.execute(used.values(tries=0, tried_at=None, alarmed_at=None))


def take_turn(session: Session, name: str, every: timedelta) -> bool:
    """Whether this copy of the timekeeper is to take a round that one of them takes in every so long.

    By the database's clock; one that was set back does not hold the round up.
    """
    row = {"name": name, "taken_at": _REAL}
    table = Turn.__table__  # type: ignore[attr-defined]
    is_time = (table.c.taken_at <= _REAL - every) | (table.c.taken_at > _REAL)
    taken = (
        insert(Turn)
        .values(row)
        .on_conflict_do_update(index_elements=["name"], set_={"taken_at": _REAL}, where=is_time)
        .returning(table.c.name)
    )
    return session.execute(taken).first() is not None


def stopped(session: Session, references: Collection[str]) -> set[str]:
    """Of these referrals, those whose present run was seen to be stopped by an operator."""
    query = (
        sa.select(col(Referral.reference))
        .join(Repair, col(Repair.reference) == col(Referral.reference))
        .where(col(Referral.reference).in_(references), col(Repair.cancelled_run) == col(Referral.run_id))
    )
    return set(session.execute(query).scalars())


def _try_again(session: Session, repair: Repair, stage: Stage, real: datetime, at: datetime) -> bool:
    since = real - repair.tried_at if repair.tried_at else None
    if repair.stage is not stage or has_held(repair.tries, since):
        repair.stage, repair.tries, repair.alarmed_at, since = stage, 0, None, None
    if repair.tries >= settings().repairs:
        _tell(session, repair, real, at)
    if not is_time(repair.tries, since):
        return False
    repair.tries, repair.tried_at, repair.doubted_state = repair.tries + 1, real, None
    return True


def _tell(session: Session, repair: Repair, real: datetime, at: datetime) -> None:
    if repair.alarmed_at is None:
        repair.alarmed_at = real
        say(
            session, MessageName.RUN_NEEDS_HELP, MASH_ALARM,
            at=at, reference=repair.reference, occasion=real.isoformat(),
        )  # fmt: skip


def _repair_of(session: Session, referral: Referral) -> Repair:
    found = session.get(Repair, referral.reference, populate_existing=True)
    return found or _new(session, referral.reference, referral.stage)


def _new(session: Session, reference: str, stage: Stage) -> Repair:
    repair = Repair(reference=reference, stage=stage)
    session.add(repair)
    return repair
