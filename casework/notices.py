"""Notices: written in the transaction of an act, delivered afterwards, each at least once and never silently not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from casework import confidants, ledger, referrals
from casework.db import now, unit_of_work
from casework.ledger import Act
from casework.post import may_leave
from casework.register import current_profile
from models.account import Account
from models.base import new_id
from models.outbox import Notice, NoticeStatus
from models.profile import Contact, Profile
from models.settings import settings
from notifications import account_letters, alarm_letters, channels, messages
from notifications.account_letters import AccountLetter
from notifications.letter import Outcome
from notifications.messages import Fields, MessageName
from rules.alarms import Alarm
from rules.errors import Misconfigured
from rules.permissions import HUB

#: A sender that has not said how it went within this time is taken for dead.
LEASE = timedelta(seconds=60)
MASH_TEAM = "mash:team"
MASH_ALARM = "mash:alarm"
#: Whoever runs the hub: the site's own to say (MASH_OPERATIONS); the MASH's alarm where it says nothing.
OPERATIONS = "mash:operations"
INFORMATION_GOVERNANCE = "mash:information_governance"
_ACCOUNT = "account:"


def to_agency(code: str) -> str:
    """The recipient that stands for an agency."""
    return f"agency:{code}"


def to_account(account_id: str) -> str:
    """The recipient that stands for one person, at the address of their account."""
    return f"{_ACCOUNT}{account_id}"


def to_duty_team(code: str) -> str:
    """The recipient that stands for a duty team."""
    return f"duty:{code}"


def say(
    session: Session, message: MessageName | Alarm, to: str, *,
    at: datetime, reference: str | None = None, occasion: str = "",
) -> None:  # fmt: skip
    """Put one message to one recipient into the outbox, once for each occasion, however often a step is repeated."""
    row = _row(message, to, at, reference, occasion)
    session.execute(insert(Notice).values(row).on_conflict_do_nothing(index_elements=["key"]))


def say_all(
    session: Session, message: MessageName, told: Sequence[tuple[str, str]], *, at: datetime, occasion: str = ""
) -> None:
    """As `say`, in one statement: `told` holds a reference and a recipient for each."""
    rows = [_row(message, to, at, reference, occasion) for reference, to in told]
    if rows:
        session.execute(insert(Notice).on_conflict_do_nothing(index_elements=["key"]), rows)


def _row(message: MessageName | Alarm, to: str, at: datetime, reference: str | None, occasion: str) -> dict[str, Any]:
    return {
        "id": new_id(), "key": ":".join(part for part in (reference, message, to, occasion) if part),
        "reference": reference, "message": message, "recipient": to, "written_at": at,
        "status": NoticeStatus.WAITING, "channel": "primary", "attempts": 0, "perhaps_twice": False,
    }  # fmt: skip


def say_privately(
    session: Session, letter: AccountLetter, account_id: str, secret: str, *, at: datetime, expires_at: datetime
) -> None:
    """Put a one-time code or link for one person into the outbox. It is dropped, unsent, once `expires_at` is past.

    Both times are real time. The secret is sealed, and forgotten when the letter is sent or dropped.
    """
    session.add(
        Notice(
            key=f"{letter}:{account_id}:{new_id()}", message=letter, recipient=to_account(account_id),
            written_at=at, secret=secret, expires_at=expires_at,
        )
    )  # fmt: skip


class _Parcel(NamedTuple):
    """What a sender needs to know of a notice, with no transaction open."""

    id: UUID
    message_id: str
    #: None for a recipient whom the profile in force does not know, and for somebody who has left.
    address: str | None
    text: messages.Text


def deliver_due(real_now: datetime, *, limit: int = 5) -> int:
    """Deliver notices whose turn has come, and return how many were tried; what is more urgent waits for few others.

    `real_now` is the real time, aware UTC: mail servers do not live by a scenario's clock. No transaction is open
    while the mail server is spoken to.
    """
    parcels = _claim(real_now, limit)
    for parcel in parcels:
        _record(parcel.id, _attempt(parcel), real_now)
    return len(parcels)


def next_turn(session: Session) -> datetime | None:
    """When (in real time) the next waiting notice is due; None when nothing waits that may leave."""
    turn: datetime | None = session.execute(
        sa.select(sa.func.min(sa.func.coalesce(col(Notice.next_at), col(Notice.lease_until), sa.func.now()))).where(
            col(Notice.status).in_([NoticeStatus.WAITING, NoticeStatus.SENDING]), may_leave(session)
        )
    ).scalar()
    return turn


#: Somebody waits at a screen for a code. A duty team waits for its outcome, of which agencies are told too, and has
#: few letters: however many reminders wait when many deadlines fall together, those go after it.
_TURN = (
    col(Notice.expires_at).is_(None),
    col(Notice.recipient).not_like(to_duty_team("%")),
    col(Notice.written_at),
)


def _claim(real_now: datetime, limit: int) -> list[_Parcel]:
    waiting = (col(Notice.status) == NoticeStatus.WAITING) & (
        col(Notice.next_at).is_(None) | (col(Notice.next_at) <= real_now)
    )
    abandoned = (col(Notice.status) == NoticeStatus.SENDING) & (col(Notice.lease_until) < real_now)
    with unit_of_work() as session:
        free = select(Notice).where(waiting | abandoned, may_leave(session))
        query = free.order_by(*_TURN).limit(limit).with_for_update(skip_locked=True)
        profile = current_profile()
        found = list(session.exec(query))
        _drop_expired(session, found, real_now)
        passed_by = _readdress(session, found)
        due = [notice for notice in found if notice.status is not NoticeStatus.DROPPED]
        parcels = [_lease(session, notice, profile, real_now) for notice in due]
    # Those who are told instead wait by now.
    return _claim(real_now, limit) if passed_by and not parcels else parcels


def _drop_expired(session: Session, notices: list[Notice], real_now: datetime) -> None:
    """A code that came too late to be used would only confuse."""
    for notice in notices:
        if notice.expires_at is not None and notice.expires_at <= real_now:
            notice.status, notice.secret, notice.lease_until, notice.next_at = NoticeStatus.DROPPED, None, None, None
            session.add(notice)


def _readdress(session: Session, notices: list[Notice]) -> int:
    """Who may not know of a referral is not written to; who is told instead is found when the letter leaves (S-5).

    Returns how many recipients were passed by.
    """
    passed_by = 0
    private = confidants.not_for_everybody(session, {notice.reference for notice in notices if notice.reference})
    for notice in notices:
        if notice.reference is None or notice.reference not in private:
            continue
        instead = confidants.instead_of(session, notice.reference, notice.message, notice.recipient)
        if instead is None:
            continue
        if notice.status is NoticeStatus.SENDING:
            _mark_perhaps_twice(session, notice)
        for account in instead.accounts:
            say(
                session, instead.message, to_account(account), at=notice.written_at, reference=notice.reference,
                occasion=str(notice.id),
            )  # fmt: skip
        notice.status, notice.lease_until, notice.next_at = NoticeStatus.DROPPED, None, None
        session.add(notice)
        passed_by += 1
    return passed_by


def _lease(session: Session, notice: Notice, profile: Profile, real_now: datetime) -> _Parcel:
    if notice.status is NoticeStatus.SENDING:
        _mark_perhaps_twice(session, notice)
    notice.status, notice.lease_until, notice.next_at = NoticeStatus.SENDING, real_now + LEASE, None
    notice.attempts += 1
    session.add(notice)
    if notice.recipient.startswith(_ACCOUNT):
        return _private_parcel(session, notice, profile, real_now)
    contact = _contact(profile, notice.recipient, real_now)
    address = None
    if contact:
        address = contact.primary if notice.channel == "primary" else contact.second
    return _Parcel(notice.id, notice.message_id, address, _text(notice, profile, contact.name if contact else ""))


def _text(notice: Notice, profile: Profile, organisation: str) -> messages.Text:
    if notice.recipient == OPERATIONS:
        return alarm_letters.write(Alarm(notice.message), hub=profile.wording.hub_name)
    link = settings().portal_url + (f"/r/{notice.reference}" if notice.reference else "")
    fields = Fields(
        hub=profile.wording.hub_name, organisation=organisation, reference=notice.reference or "", link=link
    )
    return messages.write(MessageName(notice.message), fields)


def _private_parcel(session: Session, notice: Notice, profile: Profile, real_now: datetime) -> _Parcel:
    account = session.get(Account, notice.recipient.removeprefix(_ACCOUNT))
    if notice.message in set(AccountLetter):
        text = account_letters.write(
            AccountLetter(notice.message), hub=profile.wording.hub_name, secret=notice.secret or "",
            portal_url=settings().portal_url,
        )  # fmt: skip
    else:
        body = to_agency(account.agency) if account and account.agency else MASH_TEAM
        contact = _contact(profile, body, real_now)
        text = _text(notice, profile, contact.name if contact else "")
    is_here = account is not None and account.disabled_at is None
    return _Parcel(notice.id, notice.message_id, account.email if account and is_here else None, text)


def _contact(profile: Profile, recipient: str, real_now: datetime) -> Contact | None:
    """Whom a recipient stands for. One whom a newer profile no longer knows must not hold up everybody else's (F16)."""
    if recipient == OPERATIONS:
        return _operations(profile)
    try:
        return profile.contact(recipient, real_now.date())
    except Misconfigured:
        return None


def _operations(profile: Profile) -> Contact:
    alarm = profile.contacts[MASH_ALARM.removeprefix("mash:")]
    own = settings().operations
    if own is None or own == alarm.primary:
        return alarm
    # Should the site's own way be blocked, the MASH is told, which can ring them.
    return alarm.model_copy(update={"primary": own, "second": alarm.primary})


def _attempt(parcel: _Parcel) -> Outcome:
    if parcel.address is None:
        return Outcome.REFUSED
    mail_url = settings().mail_url
    try:
        return channels.send(
            parcel.text,
            to=parcel.address,
            message_id=parcel.message_id,
            mail_url=mail_url.get_secret_value() if mail_url else None,
        )
    except Misconfigured:
        return Outcome.REFUSED


def _record(notice_id: UUID, outcome: Outcome, real_now: datetime) -> None:
    with unit_of_work() as session:
        if outcome is Outcome.SENT:
            gone = {"status": NoticeStatus.SENT, "sent_at": real_now, "secret": None, "lease_until": None}
            session.execute(sa.update(Notice).where(col(Notice.id) == notice_id).values(gone))
            return
        notice = session.exec(select(Notice).where(Notice.id == notice_id).with_for_update()).one()
        notice.lease_until = None
        if outcome is Outcome.UNKNOWN:
            _mark_perhaps_twice(session, notice)
        _plan_next_attempt(session, notice, refused=outcome is Outcome.REFUSED, real_now=real_now)
        session.add(notice)


def _plan_next_attempt(session: Session, notice: Notice, *, refused: bool, real_now: datetime) -> None:
    """Wait and try again; then the second channel; then say aloud that somebody was not told (R42)."""
    delivery = current_profile().delivery
    notice.status = NoticeStatus.WAITING
    if not refused and notice.attempts < delivery.attempts_per_channel:
        delays = delivery.retry_after_seconds
        notice.next_at = real_now + timedelta(seconds=delays[min(notice.attempts, len(delays)) - 1])
    elif notice.recipient.startswith(_ACCOUNT):
        # One person has one mailbox, and asks for another code or link when this one does not come.
        notice.status, notice.secret = NoticeStatus.UNDELIVERED, None
        if notice.reference:
            _raise_alarm(session, notice)
    elif notice.channel == "primary":
        notice.channel, notice.attempts, notice.next_at = "second", 0, real_now
    else:
        notice.status = NoticeStatus.UNDELIVERED
        _raise_alarm(session, notice)


def _raise_alarm(session: Session, notice: Notice) -> None:
    at = now(session)
    if notice.reference:
        referrals.lock(session, notice.reference)
        detail = {"message": notice.message, "recipient": notice.recipient}
        ledger.write(session, notice.reference, Act.NOTICE_UNDELIVERED, by=HUB, at=at, **detail)
    if notice.message != MessageName.NOTICE_UNDELIVERED:
        say(
            session, MessageName.NOTICE_UNDELIVERED, MASH_ALARM,
            at=at, reference=notice.reference, occasion=str(notice.id),
        )  # fmt: skip


def _mark_perhaps_twice(session: Session, notice: Notice) -> None:
    if notice.perhaps_twice:
        return
    notice.perhaps_twice = True
    if notice.reference:
        referrals.lock(session, notice.reference)
        detail = {"message": notice.message, "recipient": notice.recipient}
        ledger.write(session, notice.reference, Act.NOTICE_PERHAPS_TWICE, by=HUB, at=now(session), **detail)
