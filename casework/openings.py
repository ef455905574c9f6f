"""How many referrals one account opens in a short time: whoever goes through them is stopped, and told of (S-20).

A referral counts once in ten minutes, however often it is looked at or acted on. All times of counting are real time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from casework import hidden, throttle
from casework.accounts import note, within_reach
from casework.follow import Seen
from casework.notices import MASH_ALARM, say, say_privately
from casework.throttle import Limit
from models.account import AccountEvent
from models.settings import settings
from models.signin import Opening
from notifications.account_letters import AccountLetter
from notifications.messages import MessageName
from rules.administration import check_may_read_register
from rules.errors import Refused
from rules.permissions import HUB, Actor, Role

WITHIN = timedelta(minutes=10)
#: Told once in each spell, however often somebody who was stopped tries again.
_TOLD = Limit("openings-told", 1, WITHIN)
_ACT = "OPENED_TOO_MANY"
_PAGE = "/openings"
_LETTER_LIFE = timedelta(days=7)
#: How many stops are shown: the newest.
_SHOWN = 100


class TooManyOpened(Refused):
    """An account has opened as many referrals as it may for now. `again_at` is real time, `wait` counts from now."""

    def __init__(self, by: Actor, most: int, again_at: datetime, wait: timedelta) -> None:
        super().__init__(f"{most} referrals were opened within {WITHIN.seconds // 60} minutes")
        self.by, self.most, self.again_at, self.wait = by, most, again_at, wait


class Stop(Seen):
    """An account that was stopped, and what it had opened by then."""

    account: str
    at: datetime
    most: int
    references: list[str]


def count(session: Session, reference: str, *, by: Actor, at: datetime) -> None:
    """Count that an account opens a referral. What it opened within ten minutes stays open to it.

    Raises TooManyOpened for one more than `MASH_OPENED_BY_PERSON`, or `MASH_OPENED_BY_SYSTEM` (S-20).
    """
    since = at - WITHIN
    before = session.get(Opening, (by.id, reference))
    if before is not None and before.opened_at > since:
        return
    # Fifty requests at one moment are counted one after the other.
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"opening/{by.id}", 0))))
    most = settings().opened_by_person if by.is_person else settings().opened_by_system
    mine = select(Opening.opened_at).where(Opening.account_id == by.id, col(Opening.opened_at) > since)
    oldest = session.exec(mine.order_by(col(Opening.opened_at).desc()).offset(most - 1).limit(1)).first()
    if oldest is not None:
        raise TooManyOpened(by, most, oldest + WITHIN, oldest + WITHIN - at)
    row = insert(Opening).values(account_id=by.id, reference=reference, opened_at=at)
    session.execute(row.on_conflict_do_update(index_elements=["account_id", "reference"], set_={"opened_at": at}))


def tell(session: Session, stopped: TooManyOpened, *, at: datetime, real_now: datetime) -> None:
    """An account was stopped: it is written down, and those who answer for information governance are told."""
    by = stopped.by
    if not throttle.allowed(session, _TOLD, by.id, at=real_now):
        return
    opened = select(Opening.reference).where(Opening.account_id == by.id, col(Opening.opened_at) > real_now - WITHIN)
    references = list(session.exec(opened.order_by(col(Opening.opened_at))))
    note(session, by.id, _ACT, by=HUB, at=at, most=stopped.most, references=references)
    say(session, MessageName.MANY_OPENED, MASH_ALARM, at=at, occasion=f"{by.id}/{real_now.isoformat()}")
    for account in within_reach(session, Role.IG_LEAD, Role.ACCOUNT_ADMIN):
        expires_at = real_now + _LETTER_LIFE
        say_privately(session, AccountLetter.MANY_OPENED, account.id, _PAGE, at=real_now, expires_at=expires_at)


def stops(session: Session, *, by: Actor, at: datetime) -> list[Stop]:
    """Which accounts were stopped, the newest first; what they had opened is for information governance to read.

    What is hidden from the reader is left out of that, as what never was one is (S-5). Raises NotPermitted.
    """
    check_may_read_register(by)
    query = select(AccountEvent).where(AccountEvent.act == _ACT).order_by(col(AccountEvent.id).desc()).limit(_SHOWN)
    unseen = set(session.execute(hidden.from_account(by.id)).scalars())
    return [_stop(event, unseen, in_full=by.role is Role.IG_LEAD) for event in session.exec(query)]


def _stop(event: AccountEvent, unseen: Collection[str], *, in_full: bool) -> Stop:
    opened = [each for each in event.detail["references"] if each not in unseen] if in_full else []
    return Stop(account=event.account_id, at=event.at, most=event.detail["most"], references=opened)
