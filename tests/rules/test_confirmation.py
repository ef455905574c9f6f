"""Who speaks for whom, and what time does to an account that nobody speaks for (R47)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.confirmation import Care, Standing, answers_for, check_answers_for, check_manages
from rules.errors import NotFound, NotPermitted
from rules.permissions import Actor, Role

CONFIRMED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CARE = Care(every=timedelta(days=183), grace=timedelta(days=28))
ADMIN = Actor("admin", Role.ACCOUNT_ADMIN, is_person=True)
OTHER_ADMIN = Actor("admin-2", Role.ACCOUNT_ADMIN, is_person=True)
MANAGER = Actor("manager", Role.AGENCY, agency="POLICE", is_person=True, manages_colleagues=True)
DEPUTY = Actor("deputy", Role.AGENCY, agency="POLICE", is_person=True, manages_colleagues=True)
REP = Actor("rep", Role.AGENCY, agency="POLICE", is_person=True)
ELSEWHERE = Actor("elsewhere", Role.AGENCY, agency="CAMHS", is_person=True)
OFFICER = Actor("officer", Role.DUTY_TEAM, duty_team="CHILDREN_DUTY", is_person=True)
SYSTEM = Actor("system", Role.DUTY_TEAM, duty_team="CHILDREN_DUTY")
NONE: dict[str, set[str]] = {}
ONE = {"POLICE": {"manager"}}
TWO = {"POLICE": {"manager", "deputy"}}


@pytest.mark.parametrize(
    ("days", "standing"),
    [
        (0, Standing.CONFIRMED), (168.9, Standing.CONFIRMED), (169, Standing.DUE_SOON), (182.9, Standing.DUE_SOON),
        (183, Standing.STALE), (210.9, Standing.STALE), (211, Standing.OVER),
    ],
)  # fmt: skip
def test_an_account_is_due_after_half_a_year_and_over_after_the_grace(days: float, standing: Standing):
    """R47"""
    assert CARE.standing(CONFIRMED, CONFIRMED + timedelta(days=days)) is standing


@pytest.mark.parametrize(
    ("who", "whom", "managers", "answers"),
    [
        (MANAGER, REP, ONE, True),
        (MANAGER, MANAGER, ONE, False),  # nobody speaks for themselves
        (ADMIN, MANAGER, ONE, True),
        (DEPUTY, MANAGER, TWO, True),
        (ADMIN, MANAGER, TWO, False),
        (ADMIN, REP, ONE, False),
        (ADMIN, REP, NONE, True),
        (MANAGER, REP, NONE, False),  # disabled meanwhile
        (MANAGER, ELSEWHERE, ONE, False),
        (REP, MANAGER, ONE, False),
        (ADMIN, ELSEWHERE, ONE, True),
        (ADMIN, OFFICER, ONE, True),
        (MANAGER, OFFICER, ONE, False),
        (ADMIN, OTHER_ADMIN, ONE, True),
        (ADMIN, ADMIN, ONE, False),
        (ADMIN, SYSTEM, ONE, False),
        (SYSTEM, OFFICER, ONE, False),
    ],
)
def test_a_named_manager_speaks_for_their_agency_and_an_administrator_for_the_rest(
    who: Actor, whom: Actor, managers: dict[str, set[str]], answers: bool
):
    """R47"""
    assert answers_for(who, whom, managers) is answers
    if not answers:
        with pytest.raises(NotFound):
            check_answers_for(who, whom, managers)


@pytest.mark.parametrize("who", [REP, ADMIN, OFFICER, SYSTEM])
def test_nobody_else_sees_a_managers_list(who: Actor):
    """R49"""
    with pytest.raises(NotPermitted):
        check_manages(who)
    check_manages(MANAGER)
