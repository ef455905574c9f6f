"""The hub's clock warns, notes breaches, chases and escalates: each once, whoever fires it. It never decides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlmodel import Session, select

from casework import checks, clock, discussion, outcome, wakes
from casework.db import database, unit_of_work
from casework.documents import ViewDocument
from engine.timekeeper import keep_clock
from models.wake import Wake, WakeKind
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DUE,
    DUTY,
    FOR_A_CHILD,
    SUPPORT,
    act,
    acts_of,
    all_give_back,
    answer,
    ask,
    check,
    duty,
    give_back,
    join,
    london,
    notices_of,
    refer,
    referral,
    rep,
    walk,
)

MS = timedelta(milliseconds=1)
WARNED = london("Mon 16 Mar 2026 14:30")  # four hours of open time before Tuesday at 10:00
DISAGREES = ViewDocument(agency="POLICE", view="DISAGREE", reason="A pattern.")


def _keep_time(until: datetime) -> int:
    """What the timekeeper does at this moment, until nothing is due; how many rows it fired."""
    fired = 0
    while act(keep_clock, until):
        fired += 1
    return fired


def _at_once(*turns) -> list[object]:
    together = Barrier(len(turns))

    def take(turn):
        together.wait()
        return turn()

    with ThreadPoolExecutor(len(turns)) as threads:
        return list(threads.map(take, turns))


def test_a_warning_leaves_four_hours_of_open_time(record, checking):
    """R23: not in the night"""
    planned = record.ask("SELECT DISTINCT due_at FROM wake WHERE kind = 'WARN'")
    assert planned == [(WARNED,)]
    assert _keep_time(WARNED - MS) == 0
    assert _keep_time(WARNED) == len(FOR_A_CHILD)
    warned = [to for message, to in notices_of(record, checking) if message == "check_due_soon"]
    assert sorted(warned) == sorted(f"agency:{agency}" for agency in FOR_A_CHILD)
    assert check(checking, "POLICE").warned_at == WARNED


def test_who_has_answered_is_not_warned(record, checking):
    give_back(checking, "POLICE")
    _keep_time(WARNED)
    assert ("check_due_soon", "agency:POLICE") not in notices_of(record, checking)


def test_at_the_due_time_nobody_is_late_and_just_after_everybody_silent_is(record, checking):
    """F19, INV5, R23"""
    give_back(checking, "POLICE", at=DUE)
    _keep_time(DUE)
    assert "CHECK_BREACHED" not in acts_of(record, checking)
    _keep_time(DUE + MS)
    assert acts_of(record, checking).count("CHECK_BREACHED") == 3
    told = [to for message, to in notices_of(record, checking) if message == "check_overdue"]
    assert sorted(told) == sorted(f"agency:{agency}" for agency in FOR_A_CHILD if agency != "POLICE")


@pytest.mark.parametrize("down_for", [timedelta(hours=1), timedelta(days=3)])
def test_a_deadline_that_passed_while_everything_was_down_is_a_breach_of_its_own_time(record, checking, down_for):
    """F22, INV5: breached_at = due_at, noticed later; and no warning that something is due when it is overdue"""
    back = DUE + down_for
    assert _keep_time(back) == 2 * len(FOR_A_CHILD)
    assert _keep_time(back) == 0
    found = record.ask("SELECT DISTINCT breached_at, breach_noticed_at FROM agency_check")
    assert found == [(DUE, back)]
    said = [message for message, _ in notices_of(record, checking)]
    assert said.count("check_overdue") == len(FOR_A_CHILD)
    assert said.count("check_due_soon") == 0


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_any_number_of_timekeepers_fire_each_row_once(record, checking, copies):
    """R23, F12"""
    fired = _at_once(*[lambda: _keep_time(DUE + MS)] * copies)
    _keep_time(DUE + MS)
    assert sum(fired) <= 2 * len(FOR_A_CHILD)
    assert acts_of(record, checking).count("CHECK_BREACHED") == len(FOR_A_CHILD)
    assert record.ask("SELECT count(*) FROM wake WHERE kind <> 'RUN'") == [(0,)]


def test_a_row_is_gone_only_with_its_effect(record, checking):
    """INV12: a timekeeper that dies in the middle leaves both as they were"""
    _die_after_firing(DUE + MS)
    assert "CHECK_BREACHED" not in acts_of(record, checking)
    assert _keep_time(DUE + MS) == 2 * len(FOR_A_CHILD)


def _die_after_firing(at: datetime) -> None:
    with Session(database()) as session:
        assert keep_clock(session, at)
        session.rollback()


def test_the_clock_does_not_run_the_flow(record, checking):
    with unit_of_work() as session:
        row = session.exec(select(Wake).where(Wake.kind == WakeKind.RUN)).first()
        with pytest.raises(ValueError, match="through the engine"):
            clock.fire(session, row, at=DUE)


def _truth_about_the_police(record, reference) -> tuple[str, datetime | None, int, int]:
    police = check(reference, "POLICE")
    marks = "SELECT count(*) FROM ledger WHERE reference = %s AND act = 'CHECK_BREACHED'"
    overdue = notices_of(record, reference).count(("check_overdue", "agency:POLICE"))
    return police.status, police.breached_at, record.ask(marks, reference)[0][0], overdue


ON_TIME, BREACH = ("RETURNED", None, 0, 0), ("RETURNED_LATE", DUE, 1, 1)


@pytest.mark.parametrize("trial", range(30))
def test_a_return_that_races_the_breach_marker_is_on_time_or_a_breach(record, checking, trial):
    """F20: exactly one truth. In odd trials the return is late by a millisecond, whoever wins"""
    all_give_back(checking, but=["POLICE"])
    _keep_time(DUE)
    at = DUE + MS if trial % 2 else DUE
    _at_once(lambda: give_back(checking, "POLICE", at=at), lambda: _keep_time(DUE + MS))
    _keep_time(DUE + MS)
    assert _truth_about_the_police(record, checking) in ([BREACH] if trial % 2 else [ON_TIME, BREACH])


def test_a_return_that_waited_while_the_breach_was_written_down_is_late(record, checking):
    """F20: its moment was taken before it had its turn"""
    all_give_back(checking, but=["POLICE"])
    _keep_time(DUE + MS)
    give_back(checking, "POLICE", at=DUE)
    assert _truth_about_the_police(record, checking) == BREACH
    assert check(checking, "POLICE").late_by == MS


def test_a_return_does_not_wait_for_a_timekeeper_that_waits_for_it(record, checking):
    """F20: the timekeeper holds the breach's row and wants the referral; the return holds the referral and takes the
    row away. Neither may fail, and neither may wait for the other.
    """
    with unit_of_work() as session:
        query = select(Wake).where(Wake.kind == WakeKind.BREACH, Wake.about == "POLICE").with_for_update()
        row = session.exec(query).one()
        returning = Thread(target=give_back, args=(checking, "POLICE"))
        returning.start()
        returning.join(timeout=10)
        assert not returning.is_alive()
        clock.fire(session, row, at=DUE + MS)
    assert (check(checking, "POLICE").status, check(checking, "POLICE").breached_at) == ("RETURNED", None)
    assert record.ask("SELECT count(*) FROM wake WHERE about = 'POLICE' AND kind = 'BREACH'") == [(0,)]


# --- chasing an acknowledgement ---


@pytest.mark.parametrize(
    ("handed_back", "chased"),
    [
        ("Mon 16 Mar 2026 15:00", "Tue 17 Mar 2026 15:00"),
        ("Fri 20 Mar 2026 15:00", "Mon 23 Mar 2026 08:30"),  # not on a Saturday
        ("Thu 02 Apr 2026 15:00", "Tue 07 Apr 2026 08:30"),  # not over Easter
    ],
)
def test_an_outcome_that_nobody_acknowledged_is_chased_in_office_hours(record, handed_back, chased):
    """R43"""
    at, later = london(handed_back), london(chased)
    reference = walk(Stage.HANDING_BACK)
    act(outcome.hand_back, reference, at=at)
    _keep_time(later - MS)
    assert "ACK_CHASED" not in acts_of(record, reference)
    _keep_time(later)
    assert acts_of(record, reference).count("ACK_CHASED") == 1
    assert notices_of(record, reference)[-1] == ("outcome_not_acknowledged", f"duty:{DUTY}")


def test_it_is_chased_again_and_again_until_somebody_says_that_they_know(record):
    """R43"""
    reference = walk(Stage.AWAITING_ACK)
    for day in (17, 18, 19):
        _keep_time(london(f"{('Tue', 'Wed', 'Thu')[day - 17]} {day} Mar 2026 15:00"))
    assert acts_of(record, reference).count("ACK_CHASED") == 3
    act(outcome.acknowledge, reference, by=duty(), at=london("Fri 20 Mar 2026 09:00"))
    assert _keep_time(london("Fri 27 Mar 2026 09:00")) == 0
    assert acts_of(record, reference).count("ACK_CHASED") == 3


# --- escalating a disagreement ---


def test_a_disagreement_goes_up_stage_by_stage_and_stops_at_the_top(record):
    """R37, requirements §4.9"""
    reference = walk(Stage.AWAITING_DECISION)
    act(discussion.record_view, reference, DISAGREES, by=rep("POLICE"), at=AFTERNOON)
    for when in ("Tue 17 Mar 2026 15:00", "Wed 18 Mar 2026 15:00", "Mon 23 Mar 2026 08:30", "Mon 30 Mar 2026 12:00"):
        _keep_time(london(when))
    told = [to for message, to in notices_of(record, reference) if message == "dissent"]
    assert told == ["mash:team", "mash:alarm", "mash:heads", "mash:board"]
    stages = record.ask("SELECT detail ->> 'stage' FROM ledger WHERE act = 'DISSENT_ESCALATED' ORDER BY number")
    assert stages == [("MASH_MANAGER",), ("HEADS_OF_SERVICE",), ("PARTNER_SENIOR_OR_BOARD",)]
    assert record.ask("SELECT next_at FROM dissent") == [(None,)]


def test_a_second_disagreement_does_not_start_the_escalation_again(record):
    """R37"""
    reference = walk(Stage.AWAITING_DECISION)
    act(discussion.record_view, reference, DISAGREES, by=rep("POLICE"), at=AFTERNOON)
    other = ViewDocument(agency="MENTAL_HEALTH", view="DISAGREE", reason="Another pattern.")
    act(discussion.record_view, reference, other, by=SUPPORT, at=AFTERNOON + MS)
    assert acts_of(record, reference).count("DISSENT_RECORDED") == 1
    assert record.ask("SELECT count(*) FROM wake WHERE kind = 'ESCALATE_DISSENT'") == [(1,)]


# --- time never decides ---


def test_no_length_of_time_makes_a_decision(record, checking):
    """R36, INV13"""
    all_give_back(checking, but=["POLICE"])
    join(checking, DUE + MS)
    for years in (0, 1, 10):
        at = DUE + timedelta(days=365 * years + 1)
        _keep_time(at)
        join(checking, at)
        act(outcome.hand_back, checking, at=at)
        act(outcome.close, checking, at=at)
    assert referral(checking).stage is Stage.AWAITING_DECISION
    assert record.ask("SELECT count(*) FROM threshold_decision") == [(0,)]


# --- wakes ---


def test_asking_to_be_woken_twice_is_asking_once(record, checking):
    for _ in range(3):
        act(wakes.wake, checking, DUE)
    assert record.ask("SELECT count(*) FROM wake WHERE kind = 'RUN' AND due_at = %s", DUE) == [(1,)]


def test_an_act_that_is_rolled_back_wakes_nobody(record):
    reference = refer()
    ask(reference)
    for agency in FOR_A_CHILD[:-1]:
        give_back(reference, agency)
    before = record.ask("SELECT count(*) FROM wake")
    with Session(database()) as session:
        checks.record_return(session, reference, FOR_A_CHILD[-1], answer(), by=rep(FOR_A_CHILD[-1]), at=ASKED)
        session.rollback()
    assert record.ask("SELECT count(*) FROM wake") == before
