"""Whoever goes through referrals one after the other is stopped, and told of (S-20)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from casework import openings
from casework.db import now, unit_of_work
from casework.openings import WITHIN, TooManyOpened
from models.account import Account
from models.outbox import Notice
from notifications.account_letters import AccountLetter
from notifications.messages import MessageName
from rules.errors import NotPermitted
from rules.permissions import Actor, Role
from rules.reference import new_reference
from tests.casework.factory import AFTERNOON, SUPPORT
from tests.record import Record

BROWSER = SUPPORT
SYSTEM = Actor("police-system", Role.AGENCY, agency="POLICE")
MANY = [new_reference() for _ in range(61)]
SECOND = timedelta(seconds=1)
LEAD = Actor("ig", Role.IG_LEAD, is_person=True)
ADMIN = Actor("admin", Role.ACCOUNT_ADMIN, is_person=True)


@pytest.fixture(autouse=True)
def overseers(people: Record) -> None:
    """An information-governance lead and an administrator with mailboxes, and one of each who has left or has none."""
    with unit_of_work() as session:
        at = now(session)
        for actor in (LEAD, ADMIN):
            session.add(_account(actor.id, actor.role, at, email=f"{actor.id}@mash.bnes.example"))
        session.add(_account("ig-who-left", Role.IG_LEAD, at, email="left@mash.bnes.example", disabled_at=at))
        session.add(_account("ig-without-mail", Role.IG_LEAD, at))


def _account(name: str, role: Role, at: datetime, **more: object) -> Account:
    digest = name if more.get("email") else None
    return Account(id=name, role=role, is_person=True, added_at=at, email_digest=digest, **more)


def opens(reference: str, at: datetime = AFTERNOON, by: Actor = BROWSER) -> bool:
    """Whether somebody gets to see a referral; being stopped is told of, as the portal does it."""
    try:
        with unit_of_work() as session:
            openings.count(session, reference, by=by, at=at)
    except TooManyOpened as stopped:
        with unit_of_work() as session:
            openings.tell(session, stopped, at=at, real_now=at)
        return False
    return True


def letters() -> list[tuple[str, str]]:
    with unit_of_work() as session:
        told = {MessageName.MANY_OPENED, AccountLetter.MANY_OPENED}
        query = select(Notice.recipient, Notice.message).where(Notice.message.in_(told))  # type: ignore[attr-defined]
        return sorted(session.exec(query).all())


def stops(by: Actor) -> list[openings.Stop]:
    with unit_of_work() as session:
        return openings.stops(session, by=by, at=AFTERNOON)


def test_an_officer_who_goes_through_the_referrals_is_stopped_at_the_sixty_first_and_told_of():
    """S-20: the St Helens scenario, one referral every five seconds"""
    seen = [opens(reference, AFTERNOON + 5 * number * SECOND) for number, reference in enumerate(MANY)]
    assert seen == [True] * 60 + [False]
    assert letters() == [
        ("account:admin", "many_opened"), ("account:ig", "many_opened"), ("mash:alarm", "many_opened"),
    ]  # fmt: skip
    [stop] = stops(LEAD)
    assert (stop.account, stop.most, stop.references) == (BROWSER.id, 60, MANY[:60])


def test_the_administrator_sees_that_it_happened_and_not_which_referrals_they_were():
    """S-20, R47: no access to case content"""
    for reference in MANY:
        opens(reference)
    [stop] = stops(ADMIN)
    assert (stop.account, stop.references) == (BROWSER.id, [])
    with pytest.raises(NotPermitted):
        stops(BROWSER)


def test_what_is_open_stays_open_and_others_open_once_ten_minutes_are_over():
    """S-20: work that is under way is not hampered"""
    for number, reference in enumerate(MANY[:60]):
        assert opens(reference, AFTERNOON + number * SECOND)
    late = AFTERNOON + WITHIN - SECOND
    assert opens(MANY[59], late)
    with unit_of_work() as session, pytest.raises(TooManyOpened) as stopped:
        openings.count(session, MANY[60], by=BROWSER, at=late)
    assert (stopped.value.again_at, stopped.value.wait) == (AFTERNOON + WITHIN, SECOND)
    assert opens(MANY[60], stopped.value.again_at)
    assert not opens("another", stopped.value.again_at)


def test_one_referral_looked_at_all_day_is_one():
    """S-20"""
    assert all(opens(MANY[number % 20], AFTERNOON + 10 * number * SECOND) for number in range(500))
    assert letters() == []


def test_whoever_tries_on_is_told_of_once_in_each_spell():
    """S-20: and each spell is told of"""
    for reference in MANY:
        opens(reference)
    for _ in range(20):
        assert not opens(MANY[60], AFTERNOON + SECOND)
    assert len(letters()) == 3
    later = AFTERNOON + WITHIN
    for reference in MANY:
        opens(reference, later)
    assert (len(letters()), len(stops(LEAD))) == (6, 2)


def test_sixty_one_at_one_moment_are_counted_one_after_the_other():
    """S-20: a race lets nobody through"""
    with ThreadPoolExecutor(10) as together:
        assert list(together.map(opens, MANY)).count(True) == 60
    assert len(letters()) == 3


def test_a_system_fetches_for_many_people_and_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch):
    """S-20"""
    with unit_of_work() as session:
        session.add(Account(id=SYSTEM.id, role=SYSTEM.role, is_person=False, agency="POLICE", added_at=now(session)))
    assert all(opens(reference, by=SYSTEM) for reference in MANY)
    assert opens(MANY[0])


def test_counting_reads_an_index_and_no_table(record: Record):
    """S-20: cheap, with a hub's day of openings there"""
    with record.as_owner() as owner:
        owner.execute(
            "INSERT INTO opening SELECT %s, 'R' || n, clock_timestamp() - n * interval '1 second'"
            " FROM generate_series(1, 20000) n",
            [BROWSER.id],
        )
        owner.execute("ANALYZE opening")
        plan = owner.execute(
            "EXPLAIN SELECT opened_at FROM opening WHERE account_id = %s AND opened_at > clock_timestamp() - %s"
            " ORDER BY opened_at DESC OFFSET 59 LIMIT 1",
            [BROWSER.id, WITHIN],
        ).fetchall()
    assert "opening_by_time" in str(plan)
    assert "Seq Scan" not in str(plan)
