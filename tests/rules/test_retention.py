"""How long a referral is kept, and that nobody lets one go alone (R51, S-27)."""

from __future__ import annotations

import pytest

from rules.errors import Conflict, NotPermitted
from rules.people import Side
from rules.permissions import Actor, Role
from rules.retention import Kind, check_may_hold, check_may_see_schedule, check_second, kept_until, kind_of
from tests.rules.london import london

DAYS = {Kind.CHILD_REFERRAL: 9131, Kind.ADULT_REFERRAL: 2557, Kind.RETURNED_AT_ONCE: 366}


@pytest.mark.parametrize(
    ("sides", "was_asked", "kind"),
    [
        ({Side.CHILD}, True, Kind.CHILD_REFERRAL),
        ({Side.ADULT}, True, Kind.ADULT_REFERRAL),
        ({Side.CHILD, Side.ADULT}, True, Kind.CHILD_REFERRAL),
        ({Side.CHILD, Side.ADULT}, False, Kind.RETURNED_AT_ONCE),
        (set(), True, Kind.CHILD_REFERRAL),
    ],
)
def test_each_referral_is_of_the_kind_that_is_kept_longest(sides: set[Side], was_asked: bool, kind: Kind):
    assert kind_of(sides, was_asked, DAYS) is kind


def test_the_longer_period_is_the_schedules_and_not_the_childs():
    assert kind_of({Side.CHILD, Side.ADULT}, True, DAYS | {Kind.ADULT_REFERRAL: 10_000}) is Kind.ADULT_REFERRAL


def test_a_period_is_counted_from_the_closing():
    assert kept_until(london("Mon 16 Mar 2026 10:00"), 366) == london("Wed 17 Mar 2027 10:00")


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.IG_LEAD, Role.ACCOUNT_ADMIN}])
def test_others_neither_see_the_schedule_nor_hold(role: Role):
    actor = Actor("somebody", role, is_person=True)
    for check in (check_may_see_schedule, check_may_hold):
        with pytest.raises(NotPermitted):
            check(actor)


def test_an_administrator_agrees_and_sets_no_hold():
    """S-9: administrators have nothing to do with a case"""
    check_may_see_schedule(Actor("admin", Role.ACCOUNT_ADMIN, is_person=True))
    with pytest.raises(NotPermitted):
        check_may_hold(Actor("admin", Role.ACCOUNT_ADMIN, is_person=True))


def test_nobody_is_both_people():
    with pytest.raises(Conflict):
        check_second("lead", Actor("lead", Role.IG_LEAD, is_person=True))
    check_second("lead", Actor("admin", Role.ACCOUNT_ADMIN, is_person=True))
