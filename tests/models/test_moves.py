"""A move that the rules do not hold is refused twice: by the model, and by the database whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import psycopg
import pytest

from models.check import AgencyCheck
from models.referral import Referral
from rules.errors import WrongStage
from rules.stages import NEXT_CHECK_STATUSES, NEXT_STAGES, OPEN_CHECKS, UNDECIDED, WHOSE_MOVE, CheckStatus, Stage
from tests.models.rows import (
    DUE,
    LATE,
    NOW,
    a_check_row,
    a_referral_row,
    consistent,
    foundations,
    put,
)
from tests.record import Record

STAGES = set(product(Stage, Stage))
STATUSES = set(product(CheckStatus, CheckStatus))


def _pairs(allowed: Mapping) -> set:
    return {(was, to) for was, following in allowed.items() for to in following}


def test_the_database_holds_the_same_moves_as_the_rules(record: Record):
    """Issue 1: illegal transitions are refused by the model and by the database"""
    held = set(record.ask("SELECT of_table, from_status, to_status FROM stage_move"))
    assert held == {("referral", was, to) for was, to in _pairs(NEXT_STAGES)} | {
        ("agency_check", was, to) for was, to in _pairs(NEXT_CHECK_STATUSES)
    }


@pytest.mark.parametrize(("was", "to"), sorted(STAGES))
def test_a_referral_makes_the_moves_of_the_table_and_no_other(was, to):
    referral: Referral = a_referral_row("R", was)
    if to in NEXT_STAGES[was]:
        referral.move_to(to, NOW)
        assert (referral.stage, referral.version) == (to, 2)
        assert (referral.closed_at is not None) is (to is Stage.CLOSED)
    else:
        with pytest.raises(WrongStage):
            referral.move_to(to, NOW)
        assert (referral.stage, referral.version) == (was, 1)


@pytest.mark.parametrize(("was", "to"), sorted(STATUSES))
def test_a_check_makes_the_moves_of_the_table_and_no_other(was, to):
    check: AgencyCheck = a_check_row("R", was)
    before = check.settled_at
    if to in NEXT_CHECK_STATUSES[was]:
        check.move_to(to, LATE)
        assert (check.status, check.settled_at) == (to, LATE if to.settled else None)
    else:
        with pytest.raises(WrongStage):
            check.move_to(to, LATE)
        assert (check.status, check.settled_at) == (was, before)


def _moved(connection: psycopg.Connection, statement: str, values: dict[str, object]) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement.encode(), values)
    except psycopg.errors.CheckViolation as refusal:
        if "cannot go from" in str(refusal):
            return False
        raise  # by another constraint: the pair itself was not tried
    return True


def test_the_database_refuses_exactly_the_stages_that_the_table_lacks(record: Record):
    """Every pair, in raw SQL as the application's role"""
    put(*foundations())
    moved = set()
    with record.as_app() as connection:
        for number, (was, to) in enumerate(sorted(STAGES)):
            put(a_referral_row(f"R{number}", was))
            statement = "UPDATE referral SET stage = %(to)s, closed_at = %(closed)s WHERE reference = %(which)s"
            closed = NOW if to is Stage.CLOSED else None
            if _moved(connection, statement, {"to": to, "closed": closed, "which": f"R{number}"}):
                moved.add((was, to))
    assert moved == _pairs(NEXT_STAGES) | {(stage, stage) for stage in Stage}


def test_the_database_refuses_exactly_the_check_statuses_that_the_table_lacks(record: Record):
    """Every pair, in raw SQL as the application's role"""
    put(*foundations())
    moved = set()
    with record.as_app() as connection:
        for number, (was, to) in enumerate(sorted(STATUSES)):
            put(a_referral_row(f"R{number}"), a_check_row(f"R{number}", was))
            statement = (
                "UPDATE agency_check SET status = %(status)s, settled_at = %(settled_at)s,"
                " decline_reason = %(decline_reason)s WHERE reference = %(which)s"
            )
            if _moved(connection, statement, {**consistent(to), "which": f"R{number}"}):
                moved.add((was, to))
    assert moved == _pairs(NEXT_CHECK_STATUSES) | {(status, status) for status in CheckStatus}


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ("status = 'RETURNED', settled_at = due_at + interval '1 microsecond'", "check_returned_is_on_time"),
        ("status = 'RETURNED_LATE', settled_at = due_at", "check_returned_late_is_late"),
        ("status = 'RETURNED'", "check_settled_has_a_time"),
        ("settled_at = due_at", "check_settled_has_a_time"),
        ("status = 'DECLINED', settled_at = due_at", "check_declined_has_a_reason"),
        ("breached_at = due_at + interval '1 second'", "check_breached_when_due"),
        ("due_at = requested_at", "check_due_after_asked"),
    ],
)
def test_the_database_refuses_a_check_that_contradicts_itself(record: Record, columns, constraint):
    """INV5, INV6, F19"""
    put(*foundations(), a_referral_row("R"), a_check_row("R"))
    with record.as_app() as connection, pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        connection.execute(f"UPDATE agency_check SET {columns}".encode())


@pytest.mark.parametrize(("at", "status"), [(NOW, "RETURNED"), (DUE, "RETURNED"), (LATE, "RETURNED_LATE")])
def test_a_return_at_the_very_due_time_is_on_time(at, status):
    """F19"""
    check = a_check_row("R")
    check.record_return(at)
    assert check.status == status
    assert (check.late_by is None) is (at <= DUE)


def test_every_stage_says_whose_move_it_is():
    assert set(WHOSE_MOVE) == set(Stage) == set(NEXT_STAGES)
    assert set(NEXT_CHECK_STATUSES) == set(CheckStatus)


def test_a_check_is_open_or_settled_and_what_is_open_can_be_settled():
    assert {status for status in CheckStatus if not status.settled} == OPEN_CHECKS
    for status in OPEN_CHECKS:
        assert {CheckStatus.RETURNED, CheckStatus.DECLINED, CheckStatus.CANCELLED} <= NEXT_CHECK_STATUSES[status]


def test_whatever_is_undecided_can_still_end_early_and_everything_ends():
    """R06"""
    for stage in UNDECIDED:
        assert Stage.HANDING_BACK in NEXT_STAGES[stage]
    for stage in Stage:
        assert _reaches(stage, Stage.CLOSED)


def _reaches(start: Stage, goal: Stage) -> bool:
    seen, frontier = {start}, [start]
    while frontier:
        new = NEXT_STAGES[frontier.pop()] - seen
        seen |= new
        frontier += new
    return goal in seen
