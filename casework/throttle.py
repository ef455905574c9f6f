"""Counting tries, so that guessing takes longer than anybody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from models.keyed import keyed_digest
from models.signin import Throttle


@dataclass(frozen=True)
class Limit:
    """At most so many tries of one kind within a time."""

    kind: str
    most: int
    within: timedelta


def allowed(session: Session, limit: Limit, what: str, *, at: datetime) -> bool:
    """Count one try, and say whether it was within the limit. `at` is real time; `what` is kept as a digest alone.

    Two tries at the same moment are counted one after the other: the second waits for the first's transaction.
    """
    begun = col(Throttle.since) <= at - limit.within
    query = insert(Throttle).values(bucket=_bucket(limit, what), since=at, tries=1)
    counted = query.on_conflict_do_update(
        index_elements=["bucket"],
        set_={
            "since": sa.case((begun, at), else_=col(Throttle.since)),
            "tries": sa.case((begun, 1), else_=col(Throttle.tries) + 1),
        },
    ).returning(col(Throttle.tries))
    return bool(session.execute(counted).scalar_one() <= limit.most)


def forget(session: Session, limit: Limit, what: str) -> None:
    """Start counting anew: whoever tried has shown who they are."""
    session.execute(sa.update(Throttle).where(col(Throttle.bucket) == _bucket(limit, what)).values(tries=0))


def _bucket(limit: Limit, what: str) -> str:
    return keyed_digest(f"throttle/{limit.kind}", what)
