"""Where a transaction begins and ends, and what time it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

import models.tables  # noqa: F401 -- a foreign key is understood only when every table is known
from casework import wall
from models.settings import settings
from rules.errors import OutcomeUnknown, Unavailable

_KEEP_PLANS = sa.select(sa.func.set_config("plan_cache_mode", "auto", sa.true()))


@cache
def database() -> sa.Engine:
    """The connection pool of this process. Parameters never appear in its errors or logs (reliability §0.4)."""
    engine = sa.create_engine(
        settings().database_url.get_secret_value(),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=4,
        pool_timeout=5,
        # No column of ours is one, and each new connection would ask whether the database knows it.
        use_native_hstore=False,
        connect_args={
            "connect_timeout": 5,
            "application_name": "mash",
            # A plan for any value reads all years where one that knows it wants the open reads the few open; and to
            # compile or share out a statement of milliseconds takes longer than to run it.
            "options": "-c plan_cache_mode=force_custom_plan -c jit=off -c max_parallel_workers_per_gather=0",
        },
    )
    sa.event.listen(engine, "begin", wall.open_to_hub)
    return engine


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Raises Unavailable when the record cannot be reached, and nothing was saved; OutcomeUnknown when it fell silent over
    the commit; other errors as they are.
    """
    with _silence(Unavailable, "the record does not answer"), Session(database(), expire_on_commit=False) as session:
        yield session
        session.flush()
        with _silence(OutcomeUnknown, "the record fell silent while it was saving"):
            session.commit()


def keep_plans(session: Session) -> None:
    """Until this transaction ends, PostgreSQL may keep a statement's plan: it reads little, and by its key.

    Then one plan is as good for every referral or person, and to make it takes longer than to read.
    """
    session.execute(_KEEP_PLANS)


@contextmanager
def _silence(kind: type[Unavailable], words: str) -> Iterator[None]:
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise kind(words) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise kind(words) from error
        raise


def now(session: Session) -> datetime:
    """The hub's time, aware UTC: the database's clock, or the scenario's (architecture §4)."""
    moment: datetime = session.execute(sa.select(sa.func.mash_now())).scalar_one()
    return moment.astimezone(UTC)


def real_time(session: Session) -> datetime:
    """The real time, aware UTC, by the database's clock: the one clock that every machine of a hub shares."""
    moment: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


@contextmanager
def holding(reference: str) -> Iterator[None]:
    """Work on a referral only while nobody else does (INV10): its advisory lock, held until the block ends.

    Waits for another run of the same referral to come to rest. Raises Unavailable after a minute. When this process
    dies, PostgreSQL lets go of the lock.
    """
    with database().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET lock_timeout = '60s'"))
        try:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_run_key(reference))))
        except OperationalError as error:
            raise Unavailable("another run holds this referral") from error
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_run_key(reference))))
            connection.execute(sa.text("RESET lock_timeout"))


def is_held(session: Session, reference: str) -> bool:
    """Whether some run works on this referral at this moment."""
    free: bool = session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_run_key(reference)))).scalar_one()
    return not free


def held_among(session: Session, references: Collection[str]) -> set[str]:
    """Those of the referrals that some run works on at this moment: one question, and it takes no lock itself."""
    query = sa.text(
        "SELECT reference FROM unnest(CAST(:references AS text[])) AS asked(reference)"
        " JOIN pg_locks ON (classid::bigint << 32) | objid::bigint = hashtextextended('run/' || reference, 0)"
        " WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return set(session.execute(query, {"references": list(references)}).scalars()) if references else set()


def _run_key(reference: str) -> sa.Function[int]:
    return sa.func.hashtextextended(f"run/{reference}", 0)
