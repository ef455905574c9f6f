"""What is to be said is said once, tried again when it failed, and never silently not said."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from casework import notices, signin
from casework.db import database
from casework.ledger import entries, first_broken
from casework.notices import LEASE, MASH_TEAM, deliver_due, next_turn, say, say_privately, to_agency, to_duty_team
from casework.register import current_profile
from notifications.account_letters import AccountLetter
from notifications.messages import MessageName
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import DUTY, FOR_A_CHILD, account_of, act, acts_of, ask, london, refer, walk
from tests.notifications.post import Postman
from tests.record import forget_settings

#: Real time, by which mail lives; the hub's clock plays no part.
T0 = london("Mon 16 Mar 2026 12:00")
SECOND = timedelta(seconds=1)


@pytest.fixture
def one(postman: Postman) -> str:
    """A referral with one notice to be sent: that the team is wanted."""
    reference = refer()
    act(say, MessageName.DECISION_WANTED, MASH_TEAM, at=T0, reference=reference)
    return reference


def _deliver_all(at: datetime) -> int:
    return sum(iter(lambda: deliver_due(at), 0))


def _state(record) -> list[tuple]:
    return record.ask(
        "SELECT message, status, channel, attempts, perhaps_twice FROM notice ORDER BY written_at, message"
    )


def _recipients(postman: Postman) -> list[str]:
    return [address for envelope in postman.envelopes for address in envelope.rcpt_tos]


def _next_turn() -> datetime | None:
    return act(next_turn)


# --- in turn ---


def test_a_code_goes_first_and_a_duty_team_before_the_agencies(postman: Postman):
    """R42: whoever waits for it hears of it first, however many letters were written before"""
    reference, waiting = refer(), account_of(Actor("waiting", Role.MASH_SUPPORT, is_person=True), T0)
    waiting.email, waiting.email_digest = "waiting@mash.bnes.example", signin.email_digest("waiting@mash.bnes.example")
    act(lambda session, at: session.add(waiting), at=T0)
    for agency in FOR_A_CHILD:
        act(say, MessageName.OUTCOME_SHARED, to_agency(agency), at=T0, reference=reference)
    later = T0 + SECOND
    act(say, MessageName.OUTCOME_READY, to_duty_team(DUTY), at=later, reference=reference)
    act(say_privately, AccountLetter.SIGN_IN_CODE, "waiting", "123456", at=later, expires_at=later + timedelta(hours=1))
    _deliver_all(later)
    duty = current_profile().duty_team(DUTY).notify.primary
    assert _recipients(postman)[:2] == ["waiting@mash.bnes.example", duty]
    assert len(_recipients(postman)) == 2 + len(FOR_A_CHILD)


# --- once ---


def test_every_agency_that_was_asked_is_told_once(record, postman: Postman):
    """INV7, INV8: recipients sent = recipients computed"""
    reference = refer()
    ask(reference)
    assert _deliver_all(T0) == len(FOR_A_CHILD)
    assert _deliver_all(T0 + timedelta(days=1)) == 0
    profile = current_profile()
    assert sorted(_recipients(postman)) == sorted(profile.agency(code).notify.primary for code in FOR_A_CHILD)
    assert record.ask("SELECT DISTINCT status, sent_at, attempts FROM notice") == [("SENT", T0, 1)]
    assert _next_turn() is None


def test_a_letter_says_organisation_reference_and_link_and_no_more(postman: Postman):
    """R42, R51, INV14"""
    reference = refer()
    ask(reference)
    _deliver_all(T0)
    for letter in postman.letters:
        text = str(letter["Subject"]) + letter.get_body().get_content()
        assert reference in str(letter["Subject"])
        assert f"http://portal.mash.localhost/r/{reference}" in text
        for word in ("Wren", "Ashdown", "Imagined Row", "neighbour", "bruise", "attended the address"):
            assert word not in letter.as_string()


def test_saying_the_same_thing_again_is_saying_it_once(record, one):
    """INV7: every step may run twice"""
    for _ in range(3):
        act(say, MessageName.DECISION_WANTED, MASH_TEAM, at=T0 + SECOND, reference=one)
    act(say, MessageName.DECISION_WANTED, MASH_TEAM, at=T0, reference=one, occasion="2")
    assert record.ask("SELECT count(*) FROM notice") == [(2,)]


def test_what_is_rolled_back_is_not_said(record):
    """Transactional outbox"""
    reference = refer()
    with Session(database()) as session:
        say(session, MessageName.DECISION_WANTED, MASH_TEAM, at=T0, reference=reference)
        session.rollback()
    assert record.ask("SELECT count(*) FROM notice") == [(0,)]


@pytest.mark.parametrize("senders", [2, 4])
def test_any_number_of_senders_send_each_notice_once(record, postman: Postman, senders):
    """INV7, F12"""
    for number in range(6):
        ask(refer(sender_id=str(number)))
    together = Barrier(senders)

    def send(_: int) -> int:
        together.wait()
        return sum(iter(lambda: deliver_due(T0, limit=3), 0))

    with ThreadPoolExecutor(senders) as threads:
        tried = sum(threads.map(send, range(senders)))
    assert tried == 24
    assert Counter(Counter(letter["Message-ID"] for letter in postman.letters).values()) == {1: 24}
    assert record.ask("SELECT DISTINCT status FROM notice") == [("SENT",)]


# --- again ---


@pytest.mark.parametrize("failure", [{"at_recipient": "451 4.3.0 Later"}, {"at_data": "451 4.3.0 Later"}])
def test_what_failed_is_tried_again_by_the_profiles_plan_then_by_the_second_channel_then_the_alarm_is_raised(
    record, postman: Postman, one, failure
):
    """R42, INV7, F13"""
    for name, value in failure.items():
        setattr(postman, name, value)
    delivery, at, gaps = current_profile().delivery, T0, []
    for _ in range(2 * delivery.attempts_per_channel):
        assert at == T0 or deliver_due(at - SECOND) == 0
        assert deliver_due(at) == 1
        turn = _next_turn()
        gaps.append((turn - at).total_seconds())
        at = turn
    # After the last attempt the next turn is the alarm's own.
    assert gaps[:-1] == [10, 60, 300, 0, 10, 60, 300]
    assert _state(record)[0] == ("decision_wanted", "UNDELIVERED", "second", 4, False)
    [(alarm, to)] = record.ask("SELECT message, recipient FROM notice WHERE status = 'WAITING'")
    assert (alarm, to) == ("notice_undelivered", "mash:alarm")
    assert acts_of(record, one)[-1] == "NOTICE_UNDELIVERED"
    assert first_broken(act(entries, one)) is None


def test_when_the_server_comes_back_the_letter_leaves_once(record, postman: Postman, one):
    """F13"""
    postman.at_recipient = "451 4.3.0 Later"
    _deliver_all(T0)
    postman.at_recipient = "250 OK"
    assert _deliver_all(T0 + 10 * SECOND) == 1
    assert _recipients(postman) == [current_profile().contacts["team"].primary]
    assert _state(record) == [("decision_wanted", "SENT", "primary", 2, False)]


def test_a_refused_address_is_not_tried_again_but_the_second_channel_is(record, postman: Postman, one):
    """R42, F15"""
    postman.at_recipient = "550 5.1.1 No such mailbox"
    assert deliver_due(T0) == 1
    postman.at_recipient = "250 OK"
    assert deliver_due(T0) == 1
    assert _recipients(postman) == [current_profile().contacts["team"].second]
    assert _state(record) == [("decision_wanted", "SENT", "second", 1, False)]


def test_one_bad_address_holds_up_nobody(record, postman: Postman):
    """F15, F16: the others leave, each once"""
    ask(refer())
    with record.as_app() as connection:
        connection.execute("UPDATE notice SET recipient = 'agency:GONE' WHERE recipient = 'agency:POLICE'")
    _deliver_all(T0)
    told = [code for code in FOR_A_CHILD if current_profile().agency(code).notify.primary in _recipients(postman)]
    assert told == [code for code in FOR_A_CHILD if code != "POLICE"]
    assert len(postman.envelopes) == len(FOR_A_CHILD)  # with the alarm
    assert ("check_requested", "UNDELIVERED", "second", 1, False) in _state(record)
    assert current_profile().contacts["alarm"].primary in _recipients(postman)


def test_an_alarm_that_cannot_be_delivered_raises_no_further_alarm(record, postman: Postman, one):
    """F16: N tries, then it rests"""
    postman.at_recipient = "550 5.1.1 No such mailbox"
    assert _deliver_all(T0) == 4
    assert [(message, status) for message, status, *_ in _state(record)] == [
        ("decision_wanted", "UNDELIVERED"),
        ("notice_undelivered", "UNDELIVERED"),
    ]
    assert _deliver_all(T0 + timedelta(days=1)) == 0
    assert acts_of(record, one).count("NOTICE_UNDELIVERED") == 2


# --- perhaps twice ---


def test_a_letter_whose_sender_died_is_sent_again_as_the_same_letter_and_that_is_on_record(record, postman, one):
    """INV7, INV15: a duplicate only in an ambiguous window, which is itself recorded"""
    assert len(notices._claim(T0, 20)) == 1  # and the sender dies
    assert deliver_due(T0 + LEASE) == 0
    assert _next_turn() == T0 + LEASE
    assert deliver_due(T0 + LEASE + SECOND) == 1
    assert _state(record) == [("decision_wanted", "SENT", "primary", 2, True)]
    [(notice_id,)] = record.ask("SELECT id FROM notice")
    assert [letter["Message-ID"] for letter in postman.letters] == [f"<{notice_id}@mash.invalid>"]
    assert acts_of(record, one)[-1] == "NOTICE_PERHAPS_TWICE"


def test_a_letter_that_was_perhaps_taken_is_sent_again_as_the_same_letter_and_that_is_on_record(record, postman, one):
    """F14: the line broke after the letter; at most two copies, one key"""
    postman.hang_up = True
    assert deliver_due(T0) == 1
    postman.hang_up = False
    assert _state(record) == [("decision_wanted", "WAITING", "primary", 1, True)]
    assert _deliver_all(T0 + 10 * SECOND) == 1
    assert _state(record) == [("decision_wanted", "SENT", "primary", 2, True)]
    ids = [letter["Message-ID"] for letter in postman.letters]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert acts_of(record, one).count("NOTICE_PERHAPS_TWICE") == 1


def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(record, postman: Postman, one):
    """Style: no transaction stays open across a call to SMTP; INV15"""
    seen = []

    def open_transactions() -> int:
        # Only a superuser sees what others are doing.
        look = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND usename = 'mash_app'"
        with record.server.connect("postgres") as connection:
            return connection.execute(look).fetchone()[0]

    class Watching(Postman):
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            seen.append(open_transactions())
            return await super().handle_DATA(server, session, envelope)

    postman.__class__ = Watching
    with Session(database()) as session:
        session.execute(sa.select(1))
        assert open_transactions() == 1
    assert deliver_due(T0) == 1
    assert seen == [0]


def test_a_hub_without_a_mail_server_says_that_it_could_not_tell(record, monkeypatch):
    """F13: never silently not"""
    monkeypatch.delenv("MASH_MAIL_URL", raising=False)
    forget_settings()
    reference = walk(Stage.RECEIVED)
    act(say, MessageName.DECISION_WANTED, MASH_TEAM, at=T0, reference=reference)
    _deliver_all(T0)
    assert _state(record)[0][:2] == ("decision_wanted", "UNDELIVERED")
    assert "NOTICE_UNDELIVERED" in acts_of(record, reference)
