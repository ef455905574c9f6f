"""What the record alone gives reason to alarm for: provoked, told to whoever runs the hub, and told once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from casework.alarms import standing
from casework.db import real_time
from casework.notices import deliver_due, say, to_duty_team
from casework.repairs import note_cancelled
from engine.alarms import watch
from engine.runs import Runs
from engine.timekeeper import keep_clock
from notifications.messages import MessageName
from rules.alarms import Alarm
from tests.casework.factory import ASKED, DUE, DUTY, FOR_A_CHILD, act, ask, refer
from tests.casework.test_repairs import _given_a_run as given_a_run
from tests.notifications.post import Postman
from tests.record import Record, forget_settings

OPERATIONS = "operations@mash.bnes.example"
FIVE_MINUTES, FOUR_HOURS = timedelta(minutes=5), timedelta(hours=4)


@pytest.fixture
def postman(postman: Postman, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postman]:
    """The mail server of a hub whose operations staff have an address of their own."""
    monkeypatch.setenv("MASH_OPERATIONS", OPERATIONS)
    forget_settings()
    yield postman
    forget_settings()


@pytest.fixture
def away() -> Iterator[Runs]:
    """A Prefect server that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    where = {PREFECT_API_URL: f"http://127.0.0.1:{port}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(where), get_client(sync_client=True) as client:
        yield Runs(client)


def _alarms(postman: Postman) -> list[str]:
    """What operations staff have received, by the ends of the subjects, after everything was delivered."""
    at = act(real_time)
    while deliver_due(at):
        at += timedelta(days=1)
    to_them = [each for each in postman.letters if each["To"] == OPERATIONS]
    for letter in to_them:
        alarm = Alarm(str(letter["Subject"]).rpartition(": ")[2])
        assert alarm.run_book in letter.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    return [str(letter["Subject"]).rpartition(": ")[2] for letter in to_them]


def _time_passes(record: Record, span: timedelta) -> None:
    """What a minute's looks would have left, had they gone on for so long."""
    with record.as_owner() as owner:
        owner.execute("UPDATE raised_alarm SET since = since - %s, told_at = told_at - %s", (span, span))


def _hold(record: Record, at: datetime) -> None:
    with record.as_owner() as owner:
        moved = "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = excluded.now"
        owner.execute(moved, (at,))


def test_an_engine_that_stays_away_is_told_of_once_and_again_after_hours(
    record: Record, postman: Postman, away: Runs
) -> None:
    """Issue 7, point 2: the alarm that no automation of the engine could give"""
    assert watch(away) == []
    assert list(act(standing)) == [Alarm.ENGINE_AWAY]
    _time_passes(record, FIVE_MINUTES)
    assert watch(away) == [Alarm.ENGINE_AWAY]
    assert watch(away) == []
    assert _alarms(postman) == ["ENGINE_AWAY"]
    _time_passes(record, FOUR_HOURS)
    assert watch(away) == [Alarm.ENGINE_AWAY]
    assert _alarms(postman) == ["ENGINE_AWAY"] * 2


def test_a_referral_that_waits_for_an_operator_is_an_alarm_until_it_does_not(
    record: Record, postman: Postman, away: Runs
) -> None:
    """Issue 7, point 2: once that queue was emptied, and fills again, it is told again"""
    reference = refer()
    run = given_a_run(record, reference)
    watch(away)
    assert _alarms(postman) == []
    act(note_cancelled, reference, run, at=ASKED)
    assert watch(away) == [Alarm.WAITS_FOR_OPERATOR]
    assert _alarms(postman) == ["WAITS_FOR_OPERATOR"]
    assert not any(reference in str(each) for each in postman.letters if each["To"] == OPERATIONS)
    given_a_run(record, reference)
    assert watch(away) == []
    assert Alarm.WAITS_FOR_OPERATOR not in act(standing)
    act(note_cancelled, reference, given_a_run(record, reference), at=ASKED)
    assert watch(away) == [Alarm.WAITS_FOR_OPERATOR]


def test_a_letter_that_reached_nobody_is_an_alarm(postman: Postman, away: Runs) -> None:
    """R42; issue 7, point 2"""
    postman.at_recipient = "550 no such mailbox"
    act(lambda session, at: say(session, MessageName.FEEDBACK_GIVEN, to_duty_team(DUTY), at=at), at=act(real_time))
    assert _alarms(postman) == []
    postman.at_recipient = "250 OK"
    assert watch(away) == [Alarm.LETTER_UNDELIVERED]
    assert _alarms(postman) == ["LETTER_UNDELIVERED"]


def test_many_deadlines_missed_within_an_hour_are_an_alarm_and_a_few_are_not(
    record: Record, postman: Postman, away: Runs
) -> None:
    """Issue 7, point 2: a breach burst"""
    for number in range(3):
        _hold(record, ASKED)
        ask(refer(sender_id=f"burst-{number}"))
        _hold(record, DUE + timedelta(minutes=number))
        while act(keep_clock, DUE + timedelta(minutes=number, seconds=1)):
            pass
        assert watch(away) == ([Alarm.BREACH_BURST] if len(FOR_A_CHILD) * (number + 1) > 10 else [])
    assert "BREACH_BURST" in _alarms(postman)


def test_without_an_address_of_their_own_the_alarm_contact_is_told(
    record: Record, postman: Postman, away: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No alarm goes nowhere"""
    monkeypatch.delenv("MASH_OPERATIONS")
    forget_settings()
    watch(away)
    _time_passes(record, FIVE_MINUTES)
    assert watch(away) == [Alarm.ENGINE_AWAY]
    assert _alarms(postman) == []
    assert [each["To"] for each in postman.letters] == ["manager@mash.bnes.example"]
