"""Every half year somebody says who still works there, or the account is closed (R47)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from casework import confirmation, sessions
from casework.accounts import events
from casework.db import unit_of_work
from casework.documents import ConfirmationDocument
from casework.register import current_profile
from casework.sessions import real_now
from models.account import Account
from models.outbox import Notice
from notifications.account_letters import AccountLetter
from rules.confirmation import Standing
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor, Role
from tests.record import Record

DAY = timedelta(days=1)
ADMIN = Actor("admin", Role.ACCOUNT_ADMIN, is_person=True)
MANAGER = Actor("manager", Role.AGENCY, agency="POLICE", is_person=True, manages_colleagues=True)
ACCOUNTS: tuple[dict[str, object], ...] = (
    {"id": "admin", "role": Role.ACCOUNT_ADMIN},
    {"id": "manager", "role": Role.AGENCY, "agency": "POLICE", "manages_colleagues": True},
    {"id": "rep", "role": Role.AGENCY, "agency": "POLICE"},
    {"id": "nurse", "role": Role.AGENCY, "agency": "CAMHS"},
    {"id": "officer", "role": Role.DUTY_TEAM, "duty_team": "CHILDREN_DUTY"},
)


@pytest.fixture(autouse=True)
def people(record: Record) -> datetime:
    """Everybody was confirmed just now; that moment."""
    from casework.register import use_profile

    with unit_of_work() as session:
        at = real_now(session)
        use_profile(session, current_profile(), at)
        for each in ACCOUNTS:
            address = f"{each['id']}@people.example"
            session.add(
                Account(
                    **each, is_person=True, added_at=at, confirmed_at=at, email=address, email_digest=str(each["id"])
                )
            )
    return at


def said(by: Actor, at: datetime, **answers: str) -> None:
    with unit_of_work() as session:
        confirmation.confirm(session, ConfirmationDocument(people=answers), by=by, at=at)  # type: ignore[arg-type]


def kept(at: datetime) -> list[str]:
    with unit_of_work() as session:
        return confirmation.keep_round(session, current_profile(), at=at)


def acts(account_id: str) -> list[str]:
    with unit_of_work() as session:
        return [event.act for event in events(session, account_id)]


def waits(at: datetime) -> dict[str, Standing]:
    with unit_of_work() as session:
        listed = confirmation.waiting(session, current_profile(), by=ADMIN, at=at)
        return {seen.id: seen.standing for seen in listed}


def test_a_manager_confirms_their_own_agency_alone(people: datetime):
    """R47, R49"""
    with unit_of_work() as session:
        listed = confirmation.colleagues(session, current_profile(), by=MANAGER, at=people)
    assert [seen.id for seen in listed] == ["rep"]
    said(MANAGER, people + 90 * DAY, rep="STAYS")
    assert acts("rep") == ["CONFIRMED"]
    for other in ("nurse", "officer", "manager", "admin", "nobody"):
        with pytest.raises(NotFound):
            said(MANAGER, people, **{other: "LEFT"})


def test_whoever_left_is_out_at_once(people: datetime):
    """R47, S-8"""
    with unit_of_work() as session:
        rep = session.get(Account, "rep")
        assert rep is not None
        token = sessions.open_session(session, rep, at=real_now(session))
    said(MANAGER, people, rep="LEFT")
    with unit_of_work() as session:
        assert sessions.visitor_of(session, token) is None
    assert acts("rep") == ["LEFT"]


def test_an_answer_about_nobody_is_none(people: datetime):
    with pytest.raises(NotAcceptable):
        said(MANAGER, people)


def test_stale_accounts_are_listed_and_closed_after_the_grace_with_an_entry(people: datetime):
    """R47"""
    half_a_year = people + 183 * DAY
    assert waits(people) == {}
    said(ADMIN, half_a_year, officer="STAYS", manager="STAYS")
    assert waits(half_a_year) == {"admin": Standing.STALE, "nurse": Standing.STALE, "rep": Standing.STALE}
    assert kept(half_a_year + 27 * DAY) == []
    assert kept(half_a_year + 28 * DAY) == ["nurse", "rep"]
    assert acts("nurse")[0] == "NOT_CONFIRMED"
    assert kept(half_a_year + 28 * DAY) == []


def test_the_last_administrator_is_never_closed_by_the_clock(people: datetime):
    """R47"""
    with unit_of_work() as session:
        session.add(
            Account(id="admin-2", role=Role.ACCOUNT_ADMIN, is_person=True, added_at=people, confirmed_at=people)
        )
    assert "admin" in kept(people + 400 * DAY)
    assert "admin-2" not in kept(people + 800 * DAY)


def test_an_account_from_before_this_began_is_counted_from_now_on(people: datetime, record: Record):
    """R47"""
    with record.as_owner() as owner:
        owner.execute("UPDATE account SET confirmed_at = NULL, added_at = added_at - interval '9 years'")
    assert kept(people) == []
    assert record.ask("SELECT count(*) FROM account WHERE confirmed_at IS NULL") == [(0,)]


def letters() -> list[tuple[str, str]]:
    with unit_of_work() as session:
        query = select(Notice).where(Notice.message == AccountLetter.CONFIRM_COLLEAGUES)
        return sorted((notice.recipient, notice.secret or "") for notice in session.exec(query))


def test_whoever_is_to_answer_is_asked_by_mail_once_a_fortnight(people: datetime):
    """R47"""
    kept(people + 168 * DAY)
    assert letters() == []
    for days in (169, 170, 182):
        kept(people + days * DAY)
    assert letters() == [("account:admin", "/accounts-stale"), ("account:manager", "/colleagues")]
    kept(people + 184 * DAY)
    assert len(letters()) == 4


def test_an_administrator_names_the_manager(people: datetime):
    """R47, S-9"""
    with unit_of_work() as session:
        confirmation.name_manager(session, "nurse", True, by=ADMIN, at=people)
        nurse = session.get(Account, "nurse")
        assert nurse is not None
        assert nurse.as_actor().manages_colleagues
        with pytest.raises(Conflict):
            confirmation.name_manager(session, "officer", True, by=ADMIN, at=people)
        with pytest.raises(NotPermitted):
            confirmation.name_manager(session, "rep", True, by=MANAGER, at=people)
        with pytest.raises(NotPermitted):
            confirmation.waiting(session, current_profile(), by=MANAGER, at=people)
