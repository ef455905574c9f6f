"""A restricted referral is opened in an emergency for an hour, never unseen, and each use is looked at (S-7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlmodel import select

from casework import break_glass, follow, hidden, interests, restriction, signin
from casework.accounts import issue_token
from casework.break_glass import BreakDocument, VerdictDocument
from casework.db import real_time, unit_of_work
from casework.ledger import entries, first_broken
from casework.restriction_documents import InterestDocument, NamedDocument, RestrictionDocument
from casework.step_up import SecondFactorNeeded
from models.account import Account, ApiToken
from notifications.account_letters import AccountLetter
from rules.errors import NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import ASKED, DECIDER, DUTY, OTHER_DECIDER, SUPPORT, account_of, act, acts_of, london, walk

OFFICER = Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True)
LEAD = Actor("lead", Role.IG_LEAD, is_person=True)
WHY = "The named people are in the air, and the child is alone."


@pytest.fixture(autouse=True)
def a_lead(people: Any) -> None:
    """Information governance has a mailbox, and one decision maker an authenticator app."""
    with unit_of_work() as session:
        for actor in (OFFICER, LEAD):
            account = account_of(actor, ASKED)
            account.email = f"{actor.id}@example.org"
            account.email_digest = signin.email_digest(account.email)
            session.add(account)
        decider = session.get(Account, OTHER_DECIDER.id)
        assert decider is not None
        decider.totp_secret = pyotp.random_base32()


@pytest.fixture
def token() -> str:
    """The credential of the decision maker who is not named, just after they gave their second factor."""
    return a_token(OTHER_DECIDER)


@pytest.fixture
def reference() -> str:
    made = walk(Stage.CHECKING)
    document = RestrictionDocument(ground="HIGH_RISK", reason="He is looking for her.", named=[OFFICER.id])
    as_(DECIDER, restriction.restrict, made, document, at=ASKED)
    return made


def a_token(actor: Actor, proven: timedelta | None = timedelta()) -> str:
    with unit_of_work() as session:
        at = real_time(session)
        token = issue_token(session, actor.id, at=at)
        held = session.exec(select(ApiToken).where(ApiToken.account_id == actor.id)).all()[-1]
        held.proven_at = at - proven if proven is not None else None
        session.add(held)
    return token


def as_(actor: Actor, verb: Any, *arguments: Any, **more: Any) -> Any:
    with unit_of_work() as session:
        hidden.read_as(session, actor)
        return verb(session, *arguments, by=actor, **more)


def break_it(reference: str, token: str, *, by: Actor = OTHER_DECIDER, why: str = WHY, at: datetime = ASKED) -> Any:
    return as_(by, break_glass.break_glass, BreakDocument(reference=reference, reason=why), token, at=at)


def hold(record: Any, at: datetime) -> None:
    with record.as_owner() as owner:
        owner.execute("DELETE FROM scenario_clock")
        owner.execute("INSERT INTO scenario_clock (id, now) VALUES (1, %s)", [at])


@pytest.fixture
def clock(record: Any) -> Iterator[Any]:
    hold(record, ASKED)
    yield lambda at: hold(record, at)
    with record.as_owner() as owner:
        owner.execute("DELETE FROM scenario_clock")


def test_it_is_open_for_an_hour_and_not_a_moment_longer(record: Any, clock: Any, reference: str, token: str):
    """S-7: ends ≤ 60 min"""
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, follow.see, reference, at=ASKED)
    assert break_it(reference.lower(), token) == reference
    clock(ASKED + timedelta(minutes=59, seconds=59))
    assert as_(OTHER_DECIDER, follow.see, reference, at=ASKED).reference == reference
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, restriction.name, reference, NamedDocument(who=OTHER_DECIDER.id), at=ASKED)
    clock(ASKED + timedelta(minutes=60))
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, follow.see, reference, at=ASKED)
    assert acts_of(record, reference)[-1] == "GLASS_BROKEN"
    assert first_broken(act(entries, reference)) is None


def test_information_governance_is_told_a_reference_of_the_alert_and_no_more(
    record: Any, clock: Any, reference: str, token: str
):
    """S-7: the alert waits to leave with the act itself, before all other letters, and names nothing"""
    break_it(reference, token)
    [(to, about, message)] = record.ask(
        "SELECT recipient, reference, message FROM notice WHERE message = 'glass_broken'"
    )
    assert (to, about) == (f"account:{LEAD.id}", None)
    [use] = as_(LEAD, break_glass.uses, at=ASKED)
    from notifications.account_letters import write

    text = write(AccountLetter(message), hub="MASH", secret=use.alert, portal_url="http://portal.example")
    assert use.alert in text.subject
    for word in (reference, OTHER_DECIDER.id, "restricted", WHY):
        assert word not in text.subject + text.body


def test_each_use_is_looked_at_and_overdue_after_two_working_days(clock: Any, reference: str, token: str):
    """S-7: 100 % in the queue; Friday 10:00 → Tuesday 10:00"""
    friday = london("Fri 20 Mar 2026 10:00")
    break_it(reference, token, at=friday)
    break_it("7KQ2-XW9S", token, at=friday)
    tuesday = london("Tue 24 Mar 2026 10:00")
    for at, overdue in ((tuesday, False), (tuesday + timedelta(seconds=1), True)):
        found = as_(LEAD, break_glass.uses, at=at)
        assert [(use.opened, use.overdue) for use in sorted(found, key=lambda use: use.opened)] == [
            (False, overdue), (True, overdue),
        ]  # fmt: skip
    for use in found:
        as_(LEAD, break_glass.review, use.alert, VerdictDocument(verdict="JUSTIFIED"), at=tuesday)
    assert [use.overdue for use in as_(LEAD, break_glass.uses, at=tuesday + timedelta(days=9))] == [False, False]
    with pytest.raises(WrongStage):
        as_(LEAD, break_glass.review, use.alert, VerdictDocument(verdict="JUSTIFIED"), at=tuesday)
    with pytest.raises(NotPermitted):
        as_(DECIDER, break_glass.uses, at=tuesday)


def test_whoever_has_a_conflict_of_interest_stays_out(clock: Any, token: str):
    """S-6 goes before S-7; the try is looked at"""
    made = walk(Stage.CHECKING)
    as_(OTHER_DECIDER, interests.declare, made, InterestDocument(ground="RELATIVE"), at=ASKED)
    document = RestrictionDocument(ground="HIGH_RISK", reason="He is looking for her.", named=[OFFICER.id])
    as_(DECIDER, restriction.restrict, made, document, at=ASKED)
    assert break_it(made, token) is None
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, follow.see, made, at=ASKED)
    assert [use.opened for use in as_(LEAD, break_glass.uses, at=ASKED)] == [False]


def test_there_is_no_way_round_any_of_it(record: Any, clock: Any, reference: str, token: str):
    """S-7: 0 of 50 tries without the role, an authenticator, a fresh second factor, a reason, or anybody to alert"""
    stale = a_token(OTHER_DECIDER, timedelta(hours=1))
    never = a_token(OTHER_DECIDER, None)
    reasons = (
        "",
        "now",
        "x" * 19,
        " " * 40,
        "x" + " " * 40,
        "a\n" * 9,
        "\t" * 25,
        "urgent!",
        "because I must",
        "…" * 19,
    )
    tries: list[tuple[Actor, str, str, str]] = [
        *((OTHER_DECIDER, token, why, reference) for why in reasons),
        *((OTHER_DECIDER, each, f"{WHY} {number}", reference) for each in (stale, never) for number in range(10)),
        *((who, a_token(who), WHY, reference) for who in (DECIDER, SUPPORT, LEAD, OFFICER) for _ in range(3)),
        *((OTHER_DECIDER, token, WHY, wrong) for wrong in ("", "7KQ2", reference[:-1] + "?", f"{reference} OR 1=1")),
    ]
    refused = 0
    for who, credential, why, which in tries:
        with pytest.raises((NotAcceptable, NotPermitted, SecondFactorNeeded, ValueError)):
            break_it(which, credential, by=who, why=why)
        refused += 1
    with unit_of_work() as session:
        lead = session.get(Account, LEAD.id)
        assert lead is not None
        lead.disabled_at = ASKED
    for _ in range(4):
        with pytest.raises(NotPermitted, match="alerted"):
            break_it(reference, token)
        refused += 1
    assert refused == 50
    assert record.ask("SELECT count(*) FROM named_person WHERE until IS NOT NULL") == [(0,)]
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, follow.see, reference, at=ASKED)


def test_the_record_itself_lets_nobody_in_for_longer(record: Any, clock: Any, reference: str, token: str):
    """S-7"""
    import psycopg

    break_it(reference, token)
    with record.as_app() as app, pytest.raises(psycopg.errors.CheckViolation):
        app.execute("UPDATE glass_break SET until = at + interval '61 minutes'")
