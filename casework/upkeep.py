"""How the record stands, for those who keep a hub running: counts, ages and codes, never a reference (R73)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework.db import now, real_time
from casework.post import UNSENT
from models.check import AgencyCheck
from models.ledger import LedgerEntry
from models.outbox import Notice, NoticeStatus
from models.referral import Referral
from models.wake import ScenarioClock, Turn
from rules.stages import OPEN_CHECKS, CheckStatus, Stage

_RELEASE = sa.table("alembic_version", sa.column("version_num"))
_FIGURES = sa.table("as_of", sa.column("not_yet"), schema="reports")
_ROLES = sa.table("pg_roles", sa.column("rolname"), sa.column("rolsuper"), sa.column("rolbypassrls"))
_TABLES = sa.table("pg_tables", sa.column("schemaname"), sa.column("tablename"), sa.column("tableowner"))


def release_of_tables(session: Session) -> str | None:
    """The migration that the tables are at; None for a database without any."""
    there = session.execute(sa.select(sa.func.to_regclass("alembic_version"))).scalar()
    found: str | None = session.execute(sa.select(_RELEASE.c.version_num)).scalar() if there else None
    return found


def version_of_server(session: Session) -> str:
    """PostgreSQL's own version, such as 18.6."""
    found: str = session.execute(sa.select(sa.func.current_setting("server_version"))).scalar_one()
    return found.split(maxsplit=1)[0]


def is_too_mighty(session: Session) -> bool:
    """Whether this process works under a role that the second wall does not hold: an owner, or a superuser (S-4)."""
    me = sa.func.current_user()
    free = sa.select(sa.or_(_ROLES.c.rolsuper, _ROLES.c.rolbypassrls)).where(_ROLES.c.rolname == me)
    owns = sa.exists().where(_TABLES.c.schemaname == "public", _TABLES.c.tableowner == me)
    return bool(session.execute(free).scalar()) or bool(session.execute(sa.select(owns)).scalar())


def clock_is_held(session: Session) -> bool:
    """Whether the hub's time stands still, as it does while somebody tries the hub."""
    return bool(session.execute(sa.select(sa.exists().select_from(ScenarioClock))).scalar())


def oldest_unsent(session: Session) -> timedelta | None:
    """How long the oldest letter has waited; None when none waits. Codes and links run out by themselves."""
    query = sa.select(sa.func.min(col(Notice.written_at))).where(UNSENT, col(Notice.expires_at).is_(None))
    oldest: datetime | None = session.execute(query).scalar()
    return max(timedelta(0), now(session) - oldest) if oldest else None


def undelivered(session: Session, within: timedelta) -> int:
    """How many letters written within this time reached nobody by any channel (R42)."""
    query = select(sa.func.count()).where(
        col(Notice.status) == NoticeStatus.UNDELIVERED, col(Notice.written_at) > now(session) - within
    )
    return session.exec(query).one()


def rounds(session: Session) -> Mapping[str, timedelta]:
    """How long ago a timekeeper took each of its rounds."""
    at = real_time(session)
    return {turn.name: at - turn.taken_at for turn in session.exec(select(Turn))}


def open_by_stage(session: Session) -> dict[Stage, int]:
    """How many referrals are open at each stage; none is a number too."""
    query = sa.select(col(Referral.stage), sa.func.count()).where(col(Referral.stage) != Stage.CLOSED)
    counted = dict(session.execute(query.group_by(col(Referral.stage))).all())
    return {stage: counted.get(stage, 0) for stage in Stage if stage is not Stage.CLOSED}


def checks_by_status(session: Session) -> dict[CheckStatus, int]:
    """How many checks of open referrals stand where."""
    query = (
        sa.select(col(AgencyCheck.status), sa.func.count())
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(col(Referral.stage) != Stage.CLOSED)
    )
    counted = dict(session.execute(query.group_by(col(AgencyCheck.status))).all())
    return {status: counted.get(status, 0) for status in CheckStatus}


def lateness(session: Session) -> dict[str, tuple[int, timedelta]]:
    """Of each agency with overdue checks: how many, and how late the oldest is. A clock that is paused is not late."""
    at = now(session)
    query = (
        sa.select(col(AgencyCheck.agency), sa.func.count(), sa.func.min(col(AgencyCheck.due_at)))
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(
            col(Referral.stage) != Stage.CLOSED, col(AgencyCheck.status).in_(OPEN_CHECKS),
            col(AgencyCheck.paused_at).is_(None), col(AgencyCheck.due_at) < at,
        )
    )  # fmt: skip
    found = session.execute(query.group_by(col(AgencyCheck.agency)))
    return {agency: (count, at - oldest) for agency, count, oldest in found}


def last_ledger_entry(session: Session) -> int:
    """The number of the ledger's last entry. Counting them all would read years."""
    return session.execute(sa.select(sa.func.max(col(LedgerEntry.id)))).scalar() or 0


def figures_not_yet(session: Session) -> int:
    """How many referrals changed since their figures were worked out (R25)."""
    return session.execute(sa.select(_FIGURES.c.not_yet)).scalar() or 0
