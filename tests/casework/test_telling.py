"""What operators are told of a referral: its acts once each, and its checks from asked to answered."""

from __future__ import annotations

from uuid import uuid4

import pytest

from casework import due_times, telling
from casework.breaches import record_breaches
from casework.documents import PauseDocument
from casework.register import current_profile
from engine.clock_pages import page
from models.wake import Wake, WakeKind
from rules.stages import CheckStatus
from tests.casework.factory import AFTERNOON, ASKED, DUE, SUPPORT, act, acts_of, give_back
from tests.record import Record

STANDS_STILL = PauseDocument(reason="QUESTION_OPEN")
MORE = DUE.replace(minute=DUE.minute + 1)


@pytest.mark.parametrize(("status", "result", "words"), [
    (CheckStatus.RETURNED, "NOT_KNOWN", "Nothing known"),
    (CheckStatus.RETURNED, "KNOWN_OPEN", "Returned"),
    (CheckStatus.RETURNED_LATE, "NOT_KNOWN", "Returned late"),
    (CheckStatus.DECLINED, None, "Declined"),
    (CheckStatus.NOT_AWAITED, None, "Not awaited"),
    (CheckStatus.CANCELLED, None, "Cancelled"),
])  # fmt: skip
def test_a_check_ends_in_the_words_of_the_process(status, result, words):
    """Issue 7, item 1: what an agency knows is not among them"""
    assert telling.in_words(status, result) == words


def test_a_check_is_a_bar_from_asked_to_answered_and_a_breach_stays_on_it(record: Record, checking):
    """R22, R24: asked once, overdue at its due time, returned late"""
    run = uuid4()
    with record.as_owner() as owner:
        owner.execute("UPDATE referral SET run_id = %s WHERE reference = %s", (run, checking))
    give_back(checking, "POLICE", at=AFTERNOON)
    act(_breach, checking)
    give_back(checking, "MENTAL_HEALTH", at=MORE)
    told = act(telling.told_between, 0, act(telling.newest))
    assert {(each.run_id, each.reference) for each in told} == {(run, checking)}
    written = [telling.EVENT_OF[each] for each in acts_of(record, checking) if each in telling.EVENT_OF]
    assert [each.event for each in told] == written
    ends = {bar.agency: bar.ends for bar in act(telling.bars, told)}
    assert [name for name, _ in ends["POLICE"]] in (["Returned"], ["Nothing known"])
    assert ends["POLICE"][0][1] == AFTERNOON
    assert ends["MENTAL_HEALTH"] == [("Overdue", DUE), ("Returned late", MORE)]
    assert ends["COUNCIL_CHILDREN"] == [("Overdue", DUE)]
    assert {bar.asked_at for bar in act(telling.bars, told)} == {ASKED}


def test_a_referrals_clocks_stand_on_one_page_by_agency_and_nothing_else_does(record: Record, checking):
    """R24, R73; issue 7, item 1: asked, due, paused, overdue, answered, in the area's own time"""
    give_back(checking, "POLICE", at=AFTERNOON)
    act(due_times.pause, checking, "COMMUNITY_HEALTH_CHILDREN", STANDS_STILL, by=SUPPORT, at=AFTERNOON)
    act(_breach, checking)
    give_back(checking, "MENTAL_HEALTH", at=MORE)
    mine = act(telling.clocks, [checking])
    assert list(mine) == [checking]
    shown = page(checking, mine[checking], MORE, current_profile())
    asked, due = "Mon 16 Mar 2026 10:00", "Tue 17 Mar 2026 10:00"
    assert shown.splitlines() == [
        f"# Clocks of {checking}",
        "",
        "As of Tue 17 Mar 2026 10:01.",
        "",
        "| agency | asked | due | stands | answered or ended |",
        "| --- | --- | --- | --- | --- |",
        f"| COMMUNITY_HEALTH_CHILDREN | {asked} | {due} | Clock paused, since Mon 16 Mar 2026 15:00 |  |",
        f"| COUNCIL_CHILDREN | {asked} | {due} | Overdue |  |",
        f"| MENTAL_HEALTH | {asked} | {due} | Returned late | Tue 17 Mar 2026 10:01 |",
        f"| POLICE | {asked} | {due} | Nothing known | Mon 16 Mar 2026 15:00 |",
    ]


def _breach(session, reference):
    silent = Wake(reference=reference, kind=WakeKind.BREACH, about="COUNCIL_CHILDREN", due_at=DUE)
    return record_breaches(session, [silent], at=MORE)
