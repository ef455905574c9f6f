"""What the retention schedule lets go: listed, erased once two people agreed, and never what is held (R51, S-27).

Erased are the words, by a function of the record that checks all of this once more; codes, times and the ledger stay,
and the chain stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from casework import hidden, ledger
from casework.db import unit_of_work
from casework.ledger import Act
from casework.legal_hold import is_held
from models.check import AgencyCheck
from models.profile import Profile
from models.referral import Referral, Subject
from models.retention import Erasure, ErasureList, LegalHold
from rules.errors import Conflict, NotFound
from rules.people import Side
from rules.permissions import HUB, Actor
from rules.retention import Kind, check_may_see_schedule, check_second, kept_until, kind_of
from rules.stages import Stage

#: What one list holds at most: two people are to look at it, and what is over stays over until the next.
MOST = 500
#: Sent notices that one round deletes at most.
_MOST_NOTICES = 10_000
HELD, RESTRICTED, KEPT_LONGER = "HELD", "RESTRICTED", "KEPT_LONGER"


@dataclass(frozen=True)
class Over:
    """A referral whose time is over: what it is called, of which kind it is, and whether a hold keeps it."""

    reference: str
    kind: Kind
    kept_until: datetime
    held: bool


@dataclass(frozen=True)
class Listed:
    """A list with what is on it, for whoever is to agree."""

    round: ErasureList
    erasures: list[Erasure]


def over(session: Session, profile: Profile, *, at: datetime) -> list[Over]:
    """The referrals whose time is over by the schedule of this profile, the longest over first; those held too.

    None that is restricted: whoever agrees to a list may know of all that is on it. At most so many as one list holds,
    apart from those that are held.
    """
    found: list[Over] = []
    to_erase = 0
    for each in _over(session, profile, at):
        if to_erase == MOST:
            break
        found.append(each)
        to_erase += not each.held
    return found


def list_what_is_over(session: Session, profile: Profile, *, at: datetime) -> UUID | None:
    """Put what is over on a list for two people to look at; its id, or None when nothing is.

    A list that two people have not agreed to gives way to the new one; one that is being worked off does not.
    """
    if _being_worked_off(session):
        return None
    for stale in session.exec(_open_lists().with_for_update()):
        stale.ended_at = at
    erasable = [each for each in over(session, profile, at=at) if not each.held]
    if not erasable:
        return None
    new = ErasureList(listed_at=at, profile_version=profile.version)
    session.add(new)
    session.flush()
    session.add_all(
        Erasure(list_id=new.id, reference=each.reference, kind=each.kind, kept_until=each.kept_until)
        for each in erasable
    )
    return new.id


def agree(session: Session, list_id: UUID, *, by: Actor, at: datetime) -> bool:
    """A person agrees to a list; whether they were the second to do so, and it is erased now.

    Raises NotPermitted, NotFound, and Conflict for the same person twice, or a list that another took the place of.
    """
    check_may_see_schedule(by)
    found = session.get(ErasureList, list_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("there is no such list")
    if found.ended_at is not None or found.seconded_by is not None:
        raise Conflict("this list was agreed to by two people, or another one took its place: look at the page anew")
    session.add(found)
    if found.agreed_by is None:
        found.agreed_by, found.agreed_at = by.id, at
        return False
    check_second(found.agreed_by, by)
    found.seconded_by, found.seconded_at = by.id, at
    return True


def newest(session: Session, *, by: Actor, at: datetime) -> Listed | None:
    """The newest list, for whoever may agree to it. Raises NotPermitted."""
    check_may_see_schedule(by)
    found = session.exec(select(ErasureList).order_by(col(ErasureList.listed_at).desc()).limit(1)).first()
    return Listed(found, _on_list(session, found.id)) if found else None


def erase_agreed(profile: Profile, *, at: datetime) -> int:
    """Erase what is on lists that two people agreed to, each in a transaction of its own; how many there were.

    What has been put under a hold or was restricted since, or is kept longer by the schedule in force now, is passed
    over, and the list says so. Safe to repeat, and to break off. Raises Unavailable.
    """
    with unit_of_work() as session:
        agreed = [each.id for each in session.exec(_open_lists().where(col(ErasureList.seconded_by).is_not(None)))]
    done = 0
    for list_id in agreed:
        with unit_of_work() as session:
            to_erase = [
                each.reference for each in _on_list(session, list_id) if not (each.erased_at or each.passed_over)
            ]
        for reference in to_erase:
            with unit_of_work() as session:
                done += _erase(session, list_id, reference, profile, at)
        with unit_of_work() as session:
            session.get_one(ErasureList, list_id, with_for_update=True).ended_at = at
    return done


def clear_notices(session: Session, profile: Profile) -> int:
    """Delete notices that were sent long ago, of closed referrals and of accounts; how many."""
    query = sa.select(sa.func.clear_sent_notices(profile.retention.sent_notice.days, _MOST_NOTICES))
    deleted: int = session.execute(query).scalar_one()
    return deleted


def _erase(session: Session, list_id: UUID, reference: str, profile: Profile, at: datetime) -> bool:
    session.get_one(Referral, reference, with_for_update=True)
    erasure, agreed = session.get_one(Erasure, (list_id, reference)), session.get_one(ErasureList, list_id)
    if erasure.erased_at is not None:
        return False
    now_over = next(iter(_over(session, profile, at, reference)), None)
    if now_over is None or is_held(session, reference):
        kept = RESTRICTED if _is_restricted(session, reference) else KEPT_LONGER
        erasure.passed_over = HELD if now_over else kept
        session.add(erasure)
        return False
    ledger.write(
        session, reference, Act.CONTENT_ERASED, by=HUB, at=at, kind=now_over.kind, list=str(list_id),
        agreed_by=agreed.agreed_by, seconded_by=agreed.seconded_by,
    )  # fmt: skip
    session.execute(sa.select(sa.func.erase_content(reference, list_id)))
    return True


def _over(session: Session, profile: Profile, at: datetime, reference: str | None = None) -> Iterator[Over]:
    """Of the closed referrals, or of the one, those whose time is over, oldest first."""
    days = profile.retention.days()
    child, adult = (
        sa.exists().where(col(Subject.reference) == col(Referral.reference), col(Subject.side) == side)
        for side in (Side.CHILD, Side.ADULT)
    )
    asked = sa.exists().where(col(AgencyCheck.reference) == col(Referral.reference))
    held = sa.exists().where(col(LegalHold.reference) == col(Referral.reference), col(LegalHold.lifted_at).is_(None))
    query = (
        sa.select(col(Referral.reference), col(Referral.closed_at), child, adult, asked, held)
        .where(
            col(Referral.stage) == Stage.CLOSED,
            col(Referral.erased_at).is_(None),
            ~hidden.is_restricted(),
            col(Referral.closed_at) <= at - timedelta(days=min(days.values())),
        )
        .order_by(col(Referral.closed_at), col(Referral.reference))
        .execution_options(yield_per=1000)
    )
    if reference is not None:
        query = query.where(col(Referral.reference) == reference)
    for found, closed_at, about_child, about_adult, was_asked, is_kept in session.execute(query):
        sides = {side for side, about in ((Side.CHILD, about_child), (Side.ADULT, about_adult)) if about}
        kind = kind_of(sides, was_asked, days)
        if (until := kept_until(closed_at, days[kind])) <= at:
            yield Over(found, kind, until, is_kept)


def _is_restricted(session: Session, reference: str) -> bool:
    query = select(Referral.reference).where(Referral.reference == reference, hidden.is_restricted())
    return session.exec(query).first() is not None


def _open_lists() -> SelectOfScalar[ErasureList]:
    return select(ErasureList).where(col(ErasureList.ended_at).is_(None)).order_by(col(ErasureList.listed_at))


def _being_worked_off(session: Session) -> bool:
    return session.exec(_open_lists().where(col(ErasureList.seconded_by).is_not(None))).first() is not None


def _on_list(session: Session, list_id: UUID) -> list[Erasure]:
    query = select(Erasure).where(Erasure.list_id == list_id)
    return list(session.exec(query.order_by(col(Erasure.kept_until), col(Erasure.reference))))
