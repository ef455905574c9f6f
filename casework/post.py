"""Whether letters may leave: not out of a record that was put back from a backup, before an operator says so (F29).

Such a record does not know what was sent after the backup was made, and would send it again.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from casework import ledger, referrals
from casework.ledger import Act
from models.outbox import Notice, NoticeStatus, Post
from rules.permissions import Actor, check_may_hold_the_post

_ELSEWHERE = col(Post.place) != sa.func.mash_place()
#: A letter that has neither left nor been given up.
UNSENT = col(Notice.status).in_((NoticeStatus.WAITING, NoticeStatus.SENDING))


def held_since(session: Session) -> datetime | None:
    """Since when, in real time, letters are held; None when they leave. The first look at such a record is noted."""
    asked = sa.select(col(Post.held_since)).where(_ELSEWHERE)
    found = session.execute(asked).first()
    if found is not None and found.held_since is None:
        unseen = sa.update(Post).where(_ELSEWHERE, col(Post.held_since).is_(None))
        session.execute(unseen.values(held_since=sa.func.clock_timestamp()))
        found = session.execute(asked).first()
    since: datetime | None = found.held_since if found else None
    return since


def may_leave(session: Session) -> sa.ColumnElement[bool]:
    """For a query on notices: all of them, or while the post is held only codes that somebody has asked for since."""
    since = held_since(session)
    if since is None:
        return sa.true()
    return col(Notice.expires_at).is_not(None) & (col(Notice.written_at) > since)


def waiting(session: Session) -> dict[str, int]:
    """How many letters wait, by the name of their message."""
    counted = sa.select(col(Notice.message), sa.func.count()).where(UNSENT).group_by(col(Notice.message))
    return dict(session.execute(counted.order_by(col(Notice.message))).all())


def hold(session: Session, *, by: Actor, at: datetime) -> None:
    """Let no letter out until it is let go: before a record is started that was put back by copying its files.

    `at` is real time, as all times of the post are. Raises NotPermitted.
    """
    check_may_hold_the_post(by)
    session.execute(sa.update(Post).values(place="", held_since=at))


def let_go(session: Session, *, send: bool, by: Actor, at: datetime) -> int:
    """The operator's consent: letters leave from now on; those that wait are sent, or discarded if not `send`.

    Each referral's ledger says which, and who said so. Gives how many waited. Raises NotPermitted.
    """
    check_may_hold_the_post(by)
    found = session.execute(sa.select(col(Notice.reference)).where(UNSENT)).scalars().all()
    for reference, times in sorted(Counter(filter(None, found)).items()):
        referrals.lock(session, reference)
        ledger.write(session, reference, Act.POST_RELEASED, by=by, at=at, sent=send, notices=times)
    if not send:
        gone = {"status": NoticeStatus.DROPPED, "secret": None, "lease_until": None, "next_at": None}
        session.execute(sa.update(Notice).where(UNSENT).values(gone))
    session.execute(sa.update(Post).values(place=sa.func.mash_place(), held_since=None))
    return len(found)
