"""A check's clock is extended, stopped and let go on by a person, and everything that hangs on it follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from casework import (
    accounts,
    board,
    causes,
    checks,
    clock,
    clock_words,
    collation,
    discussion,
    due_times,
    facts,
    interests,
    referrals,
    standing,
)
from casework.documents import CauseDocument, ExtendDocument, PauseDocument
from casework.ledger import Act, entries
from casework.register import current_profile
from casework.restriction_documents import InterestDocument
from engine import cli
from engine.timekeeper import keep_clock
from models.wake import Wake, WakeKind
from rules.clock import ClockPolicy
from rules.clock_changes import Change, ChangeKind, recompute
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor
from rules.reference import new_reference
from rules.stages import CheckStatus, Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    DUE,
    FOR_A_CHILD,
    JUST_OVERDUE,
    SUPPORT,
    act,
    acts_of,
    all_give_back,
    check,
    duty,
    give_back,
    join,
    london,
    notices_of,
    referral,
    rep,
)

MS = timedelta(milliseconds=1)
THURSDAY = london("Thu 19 Mar 2026 12:00")
NOON = london("Mon 16 Mar 2026 12:00")
PAUSE = PauseDocument(reason="QUESTION_OPEN")


def longer(until: datetime = THURSDAY, seen: datetime = DUE, reason: str = "RECORDS_ELSEWHERE") -> ExtendDocument:
    return ExtendDocument(until=until, due_seen=seen, reason=reason)


def extend(reference: str, document: ExtendDocument | None = None, at: datetime = NOON) -> None:
    act(due_times.extend, reference, "POLICE", document or longer(), by=SUPPORT, at=at)


def pause(reference: str, at: datetime = NOON) -> None:
    act(due_times.pause, reference, "POLICE", PAUSE, by=SUPPORT, at=at)


def resume(reference: str, at: datetime) -> None:
    act(due_times.resume, reference, "POLICE", by=SUPPORT, at=at)


def planned(reference: str, kind: WakeKind, about: str) -> list[datetime]:
    def look(session: Session) -> list[datetime]:
        query = select(Wake).where(Wake.reference == reference, Wake.kind == kind, Wake.about == about)
        return sorted(row.due_at for row in session.exec(query))

    return act(look)


def keep_time(until: datetime) -> None:
    while act(keep_clock, until):
        pass


def test_an_extension_moves_the_deadline_and_the_words_say_why(record, checking):
    """R21"""
    extend(checking)
    moved = check(checking, "POLICE")
    assert moved.due_at == THURSDAY
    assert moved.due_in_words.endswith(
        "Extended Mon 16 Mar 2026 12:00: Records must be fetched from elsewhere. Due Thu 19 Mar 2026 12:00."
    )
    assert planned(checking, WakeKind.BREACH, "POLICE") == [THURSDAY + MS]
    assert planned(checking, WakeKind.RUN, "deadline") == [THURSDAY + MS]
    assert planned(checking, WakeKind.BREACH, "MENTAL_HEALTH") == [DUE + MS]
    assert ("check_time_changed", "agency:POLICE") in notices_of(record, checking)
    [entry] = [e for e in act(entries, checking) if e.act == Act.CLOCK_EXTENDED]
    assert (entry.actor, entry.detail["reason"], entry.detail["agency"]) == (SUPPORT.id, "RECORDS_ELSEWHERE", "POLICE")


def test_an_extended_check_is_warned_of_anew_and_breached_only_at_its_own_time(record, checking):
    """R21, R23"""
    keep_time(DUE - timedelta(hours=1))
    extend(checking, at=DUE - timedelta(hours=1))
    keep_time(DUE + timedelta(hours=1))
    assert check(checking, "POLICE").breached_at is None
    assert check(checking, "MENTAL_HEALTH").breached_at == DUE
    keep_time(THURSDAY - timedelta(hours=2))
    keep_time(THURSDAY + MS)
    assert check(checking, "POLICE").breached_at == THURSDAY
    warned = [to for message, to in notices_of(record, checking) if message == "check_due_soon"]
    assert warned.count("agency:POLICE") == 2
    assert warned.count("agency:MENTAL_HEALTH") == 1


def test_the_join_waits_for_the_extended_time_and_no_longer(checking):
    """R22"""
    extend(checking)
    all_give_back(checking, but=["POLICE"])
    assert act(facts.checks_settled, checking, THURSDAY) is not None
    assert act(facts.checks_settled, checking, THURSDAY + MS) is None


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (longer(until=DUE), "/until"),
        (longer(until=london("Sun 22 Mar 2026 12:00")), "/until"),
        (longer(until=NOON + timedelta(days=60)), "/until"),
        (longer(reason="BECAUSE"), "/reason"),
    ],
)
def test_an_extension_needs_a_later_working_time_and_a_reason(checking, document, field):
    """R21"""
    with pytest.raises(NotAcceptable) as refused:
        extend(checking, document)
    assert [wrong.pointer for wrong in refused.value.fields] == [field]
    assert check(checking, "POLICE").due_at == DUE


def test_who_looked_at_an_older_due_time_is_told(checking):
    """F18"""
    extend(checking)
    with pytest.raises(Conflict):
        extend(checking, longer(until=THURSDAY + timedelta(hours=1)))


def test_a_breach_is_not_undone_and_a_settled_check_has_no_clock(checking):
    """R21, INV5"""
    give_back(checking, "MENTAL_HEALTH")
    for agency, at in (("POLICE", JUST_OVERDUE), ("MENTAL_HEALTH", AFTERNOON)):
        with pytest.raises(WrongStage):
            act(due_times.extend, checking, agency, longer(), by=SUPPORT, at=at)
        with pytest.raises(WrongStage):
            act(due_times.pause, checking, agency, PAUSE, by=SUPPORT, at=at)


@pytest.mark.parametrize("by", [rep("POLICE"), duty()])
def test_nobody_but_the_team_moves_a_clock(checking, by):
    """R17"""
    for verb, document in ((due_times.extend, longer()), (due_times.pause, PAUSE)):
        with pytest.raises(NotPermitted):
            act(verb, checking, "POLICE", document, by=by, at=NOON)
    with pytest.raises(NotPermitted):
        act(due_times.resume, checking, "POLICE", by=by, at=NOON)


def test_a_paused_clock_neither_warns_nor_breaches_and_the_join_waits(record, checking):
    """R33, R22"""
    all_give_back(checking, but=["POLICE"], at=NOON)
    pause(checking)
    assert planned(checking, WakeKind.RUN, "deadline") == []
    later = DUE + timedelta(days=2)
    keep_time(later)
    paused = check(checking, "POLICE")
    assert (paused.paused_at, paused.breached_at, paused.warned_at) == (NOON, None, None)
    waiting = act(facts.checks_settled, checking, later)
    assert waiting is not None
    assert "POLICE (clock paused)" in waiting.why
    assert act(collation.collate, checking, at=later) is None
    assert referral(checking).stage is Stage.CHECKING


def test_a_paused_clock_goes_on_with_what_was_left_of_it(checking):
    """R33: 5 hours of Monday and an hour and a half of Tuesday"""
    pause(checking)
    with pytest.raises(WrongStage):
        pause(checking)
    resume(checking, london("Wed 18 Mar 2026 09:00"))
    going = check(checking, "POLICE")
    due = london("Wed 18 Mar 2026 15:30")
    assert (going.due_at, going.paused_at) == (due, None)
    assert going.due_in_words.endswith(
        "Paused Mon 16 Mar 2026 12:00: A question has to be answered first. "
        "Went on Wed 18 Mar 2026 09:00. Due Wed 18 Mar 2026 15:30."
    )
    assert planned(checking, WakeKind.BREACH, "POLICE") == [due + MS]
    assert planned(checking, WakeKind.RUN, "deadline") == [due + MS]
    with pytest.raises(WrongStage):
        resume(checking, due)


def test_the_board_shows_when_the_last_clock_that_goes_is_due(checking):
    """R53, R21, R33"""

    def shown() -> datetime | None:
        [row] = act(board.rows, by=SUPPORT)
        return row.due_at

    assert shown() == DUE
    extend(checking)
    assert shown() == THURSDAY
    pause(checking)
    assert shown() == DUE
    resume(checking, AFTERNOON)
    assert shown() == check(checking, "POLICE").due_at > THURSDAY
    give_back(checking, "POLICE")
    assert shown() == DUE
    all_give_back(checking, but=["POLICE"])
    assert shown() is None


def test_the_answer_to_a_question_ends_the_pause(record, checking):
    """R33"""
    act(checks.ask_clarification, checking, "POLICE", "Which address?", by=rep("POLICE"), at=NOON)
    pause(checking)
    act(checks.answer_clarification, checking, "POLICE", "The newer one.", by=SUPPORT, at=AFTERNOON)
    assert check(checking, "POLICE").paused_at is None
    assert check(checking, "POLICE").due_at > DUE
    assert acts_of(record, checking)[-2:] == ["CLARIFICATION_ANSWERED", "CLOCK_RESUMED"]


def test_an_agency_may_answer_while_its_clock_stands_and_is_on_time(record, checking):
    """R33"""
    pause(checking)
    give_back(checking, "POLICE", at=DUE + timedelta(days=3))
    returned = check(checking, "POLICE")
    assert (returned.status, returned.paused_at) == (CheckStatus.RETURNED, None)
    assert returned.due_at >= DUE + timedelta(days=3)
    assert planned(checking, WakeKind.BREACH, "POLICE") == []
    assert ("check_time_changed", "agency:POLICE") in notices_of(record, checking)


def test_the_team_can_end_the_wait_for_a_paused_check(checking):
    """R13"""
    pause(checking)
    act(discussion.discuss_now, checking, by=SUPPORT, at=DUE + timedelta(days=1))
    assert check(checking, "POLICE").status is CheckStatus.NOT_AWAITED
    join(checking, DUE + timedelta(days=1))
    assert referral(checking).stage is Stage.AWAITING_DECISION


def test_a_referral_that_waits_for_a_paused_check_is_not_the_hubs_to_move(record, checking):
    """INV9, R73: nobody is to be woken for it, and a person is reminded of it"""
    pause(checking)
    all_give_back(checking, but=["POLICE"])
    assert not act(standing.on_the_hub, checking)


def test_every_stored_due_time_follows_from_the_ledger_alone(record, checking):
    """R21, INV4: recomputed = stored"""
    extend(checking)
    pause(checking, at=london("Tue 17 Mar 2026 09:00"))
    resume(checking, london("Fri 20 Mar 2026 16:00"))
    for agency in FOR_A_CHILD:
        stored = check(checking, agency)
        chain = [e for e in act(entries, checking) if e.detail.get("agency") == agency]
        [asked] = [e for e in chain if e.act == Act.CHECK_REQUESTED]
        changes = [
            Change(
                ChangeKind(e.act.removeprefix("CLOCK_")), e.at,
                datetime.fromisoformat(e.detail["due_at"]) if e.act == Act.CLOCK_EXTENDED else None,
            )
            for e in chain
            if e.act.startswith("CLOCK_")
        ]  # fmt: skip
        first = datetime.fromisoformat(asked.detail["due_at"])
        policy = ClockPolicy(asked.detail["policy"])
        assert recompute(first, policy, current_profile().calendar(), changes) == stored.due_at
        told = act(clock_words.story_of, referral(checking), stored)
        assert told.due_at == told.written_due_at == stored.due_at


def breach(reference: str) -> None:
    """The police's time is up, and the clock notes it."""
    keep_time(JUST_OVERDUE)
    assert check(reference, "POLICE").breached_at == DUE


def test_a_clock_is_explained_to_the_team_and_to_its_agency_alone(checking):
    """R25, R49"""
    pause(checking)
    resume(checking, AFTERNOON)
    told = act(clock_words.explain, checking, "POLICE", by=SUPPORT, at=AFTERNOON)
    assert told[0] == "Asked Mon 16 Mar 2026 10:00."
    assert any("by the MASH team (A question has to be answered first, QUESTION_OPEN)" in each for each in told)
    assert act(clock_words.explain, checking, "POLICE", by=rep("POLICE"), at=AFTERNOON) == told
    with pytest.raises(NotFound):
        act(clock_words.explain, checking, "POLICE", by=rep("MENTAL_HEALTH"), at=AFTERNOON)
    with pytest.raises(NotPermitted):
        act(clock_words.explain, checking, "POLICE", by=duty(), at=AFTERNOON)


def test_the_command_explains_a_clock_and_says_in_one_sentence_why_it_cannot(checking, record, monkeypatch, capsys):
    """R21, R25, R49: `mash clock explain`, in the page's words; exit code 2, and nothing of a hidden referral"""
    pause(checking)
    resume(checking, AFTERNOON)

    def typed(by: Actor, *words: str) -> tuple[int, str, str]:
        token = act(accounts.issue_token, by.id, at=AFTERNOON)
        monkeypatch.setattr("sys.argv", ["mash", "clock", "explain", *words, "--token", token])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    told = act(clock_words.explain, checking, "POLICE", by=SUPPORT, at=AFTERNOON)
    with record.as_owner() as owner:
        owner.execute("INSERT INTO scenario_clock (id, now) VALUES (1, %s)", [AFTERNOON])
    assert typed(SUPPORT, checking.lower().replace("-", ""), "police") == (0, "\n".join(told) + "\n", "")
    assert typed(SUPPORT, checking, "WATER") == (
        2, "", f"mash: WATER was not asked; these were: {', '.join(sorted(FOR_A_CHILD))}\n"
    )  # fmt: skip
    assert typed(rep("POLICE"), checking, "MENTAL_HEALTH")[::2] == (2, "mash: there is no such check\n")
    assert typed(SUPPORT, new_reference(), "POLICE") == (2, "", "mash: there is no such referral\n")
    assert typed(SUPPORT, "7KQ2", "POLICE")[2].startswith("mash: not a reference: eight characters such as ")
    act(interests.declare, checking, InterestDocument(ground="RELATIVE"), by=SUPPORT, at=AFTERNOON)
    assert typed(SUPPORT, checking, "POLICE") == (2, "", "mash: there is no such referral\n")
    assert typed(DECIDER, checking, "POLICE")[1].splitlines() == told


def test_the_cause_of_a_breach_is_of_the_code_set_and_what_is_said_last_stands(checking):
    """R25, requirements §4.9"""
    absent, down = CauseDocument(cause="REP_ABSENT"), CauseDocument(cause="SYSTEM_DOWN")
    manager = replace(rep("POLICE"), manages_colleagues=True)
    with pytest.raises(WrongStage):
        act(causes.record_cause, checking, "POLICE", absent, by=SUPPORT, at=NOON)
    breach(checking)
    act(causes.record_cause, checking, "POLICE", absent, by=SUPPORT, at=JUST_OVERDUE)
    act(causes.record_cause, checking, "POLICE", down, by=manager, at=JUST_OVERDUE)
    said = check(checking, "POLICE")
    assert (said.breach_cause, said.cause_given_by) == ("SYSTEM_DOWN", "rep-POLICE")
    both = [e.detail["cause"] for e in act(entries, checking) if e.act == Act.CAUSE_RECORDED]
    assert both == ["REP_ABSENT", "SYSTEM_DOWN"]
    with pytest.raises(NotAcceptable):
        act(causes.record_cause, checking, "POLICE", CauseDocument(cause="BECAUSE"), by=SUPPORT, at=JUST_OVERDUE)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (rep("POLICE"), NotPermitted),
        (replace(rep("MENTAL_HEALTH"), manages_colleagues=True), NotFound),
        (duty(), NotPermitted),
    ],
)
def test_only_the_team_and_the_agencys_manager_say_why(checking, by, refusal):
    """R17, R49"""
    breach(checking)
    with pytest.raises(refusal):
        act(causes.record_cause, checking, "POLICE", CauseDocument(cause="OTHER"), by=by, at=JUST_OVERDUE)


def test_a_deadline_that_fires_while_its_clock_is_stopped_finds_nothing_to_do(record, checking):
    """F20: the row was already taken when the pause was written"""

    def fire(session: Session) -> None:
        row = Wake(reference=checking, kind=WakeKind.BREACH, about="POLICE", due_at=DUE + MS)
        session.add(row)
        session.flush()
        clock.fire(session, row, at=DUE + MS)

    pause(checking)
    act(fire)
    assert check(checking, "POLICE").breached_at is None
    assert act(referrals.find, checking).stage is Stage.CHECKING
