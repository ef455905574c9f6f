"""What operators are told of a referral on the engine's screen: acts and checks, as the ledger and the record say.

References, agencies and codes alone. Nothing waits for what is told, and telling it again is telling it once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from casework.facts import Waiting, checks_settled
from casework.ledger import Act
from models.check import AgencyCheck, Return
from models.ledger import LedgerEntry
from models.referral import Referral
from models.wake import Wake, WakeKind
from rules.stages import CheckStatus, Stage

#: What each act is called on a run's timeline. What is not here is nothing that moves a referral or its clocks.
EVENT_OF = {
    Act.CHECK_REQUESTED: "mash.check.asked",
    Act.CHECK_ACKNOWLEDGED: "mash.check.acknowledged",
    Act.CHECK_RETURNED: "mash.check.returned",
    Act.CHECK_DECLINED: "mash.check.declined",
    Act.CHECK_CANCELLED: "mash.check.cancelled",
    Act.CHECK_NOT_AWAITED: "mash.check.not-awaited",
    Act.CHECK_CHASED: "mash.check.chased",
    Act.CHECK_WARNED: "mash.deadline.warned",
    Act.CHECK_BREACHED: "mash.deadline.breached",
    Act.CLOCK_EXTENDED: "mash.deadline.extended",
    Act.CLOCK_PAUSED: "mash.clock.paused",
    Act.CLOCK_RESUMED: "mash.clock.resumed",
    Act.COLLATED: "mash.returns.joined",
    Act.DECISION_REQUESTED: "mash.decision.requested",
    Act.DECIDED: "mash.decision.signed",
    Act.HANDED_BACK: "mash.outcome.handed-back",
    Act.ACK_CHASED: "mash.acknowledgement.chased",
    Act.ACKNOWLEDGED: "mash.outcome.acknowledged",
    Act.ENDED_EARLY: "mash.referral.ended-early",
    Act.CLOSED: "mash.referral.closed",
    Act.ENGINE_CANCELLED: "mash.run.stopped",
    Act.ENGINE_RESUMED: "mash.run.resumed",
}
#: At the join every check is shown, also on a run that took over from one that was lost.
_ALL_CHECKS = Act.COLLATED
_NOT_KNOWN = "NOT_KNOWN"
#: A run that is woken within so long tells by itself how far it is.
_SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Told:
    """One act of a referral that a run carries. `at` is hub time, aware UTC."""

    run_id: UUID
    reference: str
    number: int
    at: datetime
    event: str
    agency: str | None


@dataclass(frozen=True)
class Bar:
    """An agency's check as a bar: from its asking to its answer, or to the end of its time."""

    run_id: UUID
    reference: str
    agency: str
    asked_at: datetime
    ends: list[tuple[str, datetime]] = field(default_factory=list)


def newest(session: Session) -> int:
    """The number of the newest entry of all chains; 0 when there is none."""
    number: int = session.execute(sa.select(sa.func.coalesce(sa.func.max(col(LedgerEntry.id)), 0))).scalar_one()
    return number


@dataclass(frozen=True)
class Clock:
    """An agency's clock as operators read it. Moments are hub time, aware UTC."""

    agency: str
    asked_at: datetime
    due_at: datetime
    #: How the check ended, or how it stands.
    stands: str
    paused_at: datetime | None
    settled_at: datetime | None


def told_between(session: Session, after: int, upto: int) -> list[Told]:
    """What was written after one entry of the ledger and up to another, of referrals that a run carries."""
    rows = session.execute(
        sa.select(
            col(Referral.run_id), col(LedgerEntry.reference), col(LedgerEntry.number), col(LedgerEntry.at),
            col(LedgerEntry.act), col(LedgerEntry.detail)["agency"].as_string(),
        )
        .join(Referral, col(Referral.reference) == col(LedgerEntry.reference))
        .where(col(LedgerEntry.id) > after, col(LedgerEntry.id) <= upto, col(LedgerEntry.act).in_(list(EVENT_OF)))
        .where(col(Referral.run_id).is_not(None))
        .order_by(col(LedgerEntry.id))
    )  # fmt: skip
    return [
        Told(run_id, reference, number, at, EVENT_OF[Act(act)], agency)
        for run_id, reference, number, at, act, agency in rows
    ]


def bars(session: Session, told: Collection[Told]) -> list[Bar]:
    """The checks that these acts are about, as they stand now (R13, R22, R24)."""
    joined = {each.reference for each in told if each.event == EVENT_OF[_ALL_CHECKS]}
    touched = {(each.reference, each.agency) for each in told if each.agency}
    rows = session.execute(
        sa.select(
            col(Referral.run_id), col(AgencyCheck.reference), col(AgencyCheck.agency), col(AgencyCheck.requested_at),
            col(AgencyCheck.status), col(AgencyCheck.breached_at), col(AgencyCheck.settled_at), _result(),
        )
        .join(Referral, col(Referral.reference) == col(AgencyCheck.reference))
        .where(col(AgencyCheck.reference).in_({reference for reference, _ in touched} | joined))
        .where(col(Referral.run_id).is_not(None))
        .order_by(col(AgencyCheck.reference), col(AgencyCheck.agency))
    )  # fmt: skip
    return [
        Bar(run_id, reference, agency, asked_at, _ends(status, breached_at, settled_at, result))
        for run_id, reference, agency, asked_at, status, breached_at, settled_at, result in rows
        if reference in joined or (reference, agency) in touched
    ]


def clocks(session: Session, references: Collection[str]) -> dict[str, list[Clock]]:
    """The clocks of these referrals' checks as they stand now, by reference, in the order of the agencies' codes."""
    rows = session.execute(
        sa.select(
            col(AgencyCheck.reference), col(AgencyCheck.agency), col(AgencyCheck.requested_at), col(AgencyCheck.due_at),
            col(AgencyCheck.status), col(AgencyCheck.breached_at), col(AgencyCheck.paused_at),
            col(AgencyCheck.settled_at), _result(),
        )
        .where(col(AgencyCheck.reference).in_(references))
        .order_by(col(AgencyCheck.reference), col(AgencyCheck.agency))
    )  # fmt: skip
    found: dict[str, list[Clock]] = {}
    for reference, agency, asked_at, due_at, status, breached_at, paused_at, settled_at, result in rows:
        open_now = "Overdue" if breached_at else "Clock paused" if paused_at else "Awaited"
        stands = in_words(status, result) if settled_at else open_now
        found.setdefault(reference, []).append(Clock(agency, asked_at, due_at, stands, paused_at, settled_at))
    return found


def _result() -> sa.ScalarSelect[str]:
    """What the newest version of a check's return says: whether the agency knows anything."""
    return (
        sa.select(col(Return.result))
        .where(col(Return.check_id) == col(AgencyCheck.id))
        .order_by(col(Return.version).desc())
        .limit(1)
        .scalar_subquery()
    )


def _ends(
    status: CheckStatus, breached_at: datetime | None, settled_at: datetime | None, result: str | None
) -> list[tuple[str, datetime]]:
    ends = [("Overdue", breached_at)] if breached_at else []
    return ends + ([(in_words(status, result), settled_at)] if settled_at else [])


def progress(session: Session, references: Collection[str], at: datetime) -> dict[UUID, Waiting]:
    """Why the runs of these referrals wait for returns by now, if they do; not those that are about to be woken."""
    soon = sa.exists().where(
        col(Wake.reference) == col(Referral.reference),
        col(Wake.kind) == WakeKind.RUN,
        col(Wake.due_at) <= sa.func.mash_now() + _SOON,
    )
    rows = session.execute(
        sa.select(col(Referral.run_id), col(Referral.reference))
        .where(col(Referral.reference).in_(references), col(Referral.stage) == Stage.CHECKING)
        .where(col(Referral.run_id).is_not(None), ~soon)
        .order_by(col(Referral.reference))
    )
    waits = {run_id: checks_settled(session, reference, at) for run_id, reference in rows.all()}
    return {run_id: waiting for run_id, waiting in waits.items() if waiting}


def in_words(status: CheckStatus, result: str | None) -> str:
    """How a check ended, as operators read it: what an agency knows is not among it, only whether it knows anything."""
    if status is CheckStatus.RETURNED and result == _NOT_KNOWN:
        return "Nothing known"
    return status.replace("_", " ").capitalize()
