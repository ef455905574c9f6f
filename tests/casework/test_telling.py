"""What operators are told of a referral: its acts once each, and its checks from asked to answered."""

from __future__ import annotations

from uuid import uuid4

import pytest

from casework import telling
from casework.breaches import record_breaches
from models.wake import Wake, WakeKind
from rules.stages import CheckStatus
from tests.casework.factory import AFTERNOON, ASKED, DUE, act, acts_of, give_back
from tests.record import Record

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


def _breach(session, reference):
    silent = Wake(reference=reference, kind=WakeKind.BREACH, about="COUNCIL_CHILDREN", due_at=DUE)
    return record_breaches(session, [silent], at=MORE)
