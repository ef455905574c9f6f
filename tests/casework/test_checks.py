"""Each agency is asked once, on its own clock, and answers for itself alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from casework import checks, collation, discussion, early_end, intake, outcome, referrals
from casework.documents import AcknowledgeDocument, DeclineDocument, EarlyEndDocument, ReturnDocument
from rules.errors import NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    ASKED,
    DECIDER,
    DUE,
    DUTY,
    FOR_A_CHILD,
    JUST_OVERDUE,
    OPERATOR,
    SUPPORT,
    a_child,
    a_family,
    act,
    acts_of,
    all_give_back,
    an_adult,
    an_item,
    answer,
    ask,
    asked_agencies,
    check,
    decide,
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
FOR_AN_ADULT = ("COMMUNITY_HEALTH_ADULTS", "COUNCIL_ADULTS", "MENTAL_HEALTH", "POLICE")


# --- asking ---


@pytest.mark.parametrize(
    ("team", "subjects", "asked"),
    [
        (DUTY, [a_child()], set(FOR_A_CHILD)),
        (ASIST, [an_adult()], set(FOR_AN_ADULT)),
        (DUTY, a_family(), set(FOR_A_CHILD) | set(FOR_AN_ADULT)),
        (DUTY, [a_child(), a_child(2)], set(FOR_A_CHILD)),
    ],
    ids=["child", "adult", "joint", "two children"],
)
def test_every_agency_whose_scope_fits_is_asked_once_and_told_so(record, team, subjects, asked):
    """R15"""
    reference = refer(team=team, subjects=subjects)
    ask(reference)
    assert sorted(asked_agencies(reference)) == sorted(asked)
    assert set(notices_of(record, reference)) == {("check_requested", f"agency:{agency}") for agency in asked}


def test_each_agency_is_asked_about_the_sides_in_its_scope():
    """R15"""
    reference = refer(subjects=a_family())
    ask(reference)
    sides = {agency: check(reference, agency).sides for agency in asked_agencies(reference)}
    assert sides == {
        "POLICE": "adult,child",
        "MENTAL_HEALTH": "adult,child",
        "COUNCIL_ADULTS": "adult",
        "COMMUNITY_HEALTH_ADULTS": "adult",
        "COUNCIL_CHILDREN": "child",
        "COMMUNITY_HEALTH_CHILDREN": "child",
    }


def test_asking_twice_is_asking_once(record):
    """Architecture §1: every step may run twice. INV4: its due time does not move"""
    reference = refer()
    ask(reference)
    for agency in FOR_A_CHILD:
        act(checks.request_check, reference, agency, at=AFTERNOON)
    assert acts_of(record, reference).count("CHECK_REQUESTED") == len(FOR_A_CHILD)
    assert len(notices_of(record, reference)) == len(FOR_A_CHILD)
    assert {check(reference, agency).due_at for agency in FOR_A_CHILD} == {DUE}


def test_two_runs_that_ask_at_once_ask_once(record):
    """F12"""
    reference = refer()
    act(_screen, reference)
    together = Barrier(8)

    def request(number: int) -> None:
        together.wait()
        act(checks.request_check, reference, FOR_A_CHILD[number % 4], at=ASKED)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(request, range(8)))
    assert acts_of(record, reference).count("CHECK_REQUESTED") == 4
    assert len(notices_of(record, reference)) == 4


def _screen(session, reference) -> None:
    intake.screen(session, reference, at=ASKED)


@pytest.mark.parametrize(
    ("agency", "stage"),
    [
        ("PROBATION", Stage.CHECKING),  # secondary: only when somebody asks for it (R20)
        ("COUNCIL_ADULTS", Stage.CHECKING),  # not in its scope
        ("POLICE", Stage.RECEIVED),
        ("POLICE", Stage.AWAITING_ACK),
    ],
)
def test_nobody_is_asked_out_of_scope_or_out_of_turn(record, agency, stage):
    """R15"""
    reference = walk(stage)
    before = asked_agencies(reference)
    act(checks.request_check, reference, agency, at=AFTERNOON)
    assert asked_agencies(reference) == before


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("Fri 13 Mar 2026 16:30", "Mon 16 Mar 2026 16:30"),
        ("Thu 02 Apr 2026 16:30", "Tue 07 Apr 2026 16:30"),  # over Easter
        ("Fri 27 Mar 2026 16:30", "Mon 30 Mar 2026 16:30"),  # the clocks go forward
        ("Fri 23 Oct 2026 10:00", "Mon 26 Oct 2026 10:00"),  # and back
    ],
)
def test_a_check_is_due_and_says_why(record, asked, due):
    """R21, INV4"""
    at = london(asked)
    reference = refer(at)
    ask(reference, at)
    police = check(reference, "POLICE")
    assert (police.requested_at, police.due_at) == (at, london(due))
    assert police.due_in_words.startswith(f"Asked {asked}.")
    assert police.due_in_words.endswith(f"Due {due}.")
    kept = record.ask("SELECT detail ->> 'due_at' FROM ledger WHERE act = 'CHECK_REQUESTED'")
    assert {due_at for (due_at,) in kept} == {london(due).isoformat()}


def test_one_wake_stands_at_the_latest_due_time_however_many_agencies_there_are(record):
    """Architecture §2: not once for each agency"""
    reference = refer()
    ask(reference)
    deadline = "SELECT due_at FROM wake WHERE reference = %s AND about = 'deadline'"
    assert record.ask(deadline, reference) == [(DUE + MS,)]


def test_an_agency_that_is_asked_later_moves_the_one_deadline_later(record):
    reference = refer()
    act(_screen, reference)
    later = ASKED + timedelta(hours=2)
    act(checks.request_check, reference, "POLICE", at=later)
    act(checks.request_check, reference, "MENTAL_HEALTH", at=ASKED)
    assert record.ask("SELECT due_at FROM wake WHERE about = 'deadline'") == [(DUE + timedelta(hours=2) + MS,)]
    act(checks.request_check, reference, "COUNCIL_CHILDREN", at=later + timedelta(hours=1))
    assert record.ask("SELECT due_at FROM wake WHERE about = 'deadline'") == [(DUE + timedelta(hours=3) + MS,)]


# --- answering ---


@pytest.mark.parametrize(
    ("after", "status", "late_ms", "breached"),
    [
        (timedelta(minutes=-1), "RETURNED", 0, False),
        (-MS, "RETURNED", 0, False),
        (timedelta(0), "RETURNED", 0, False),
        (MS, "RETURNED_LATE", 1, True),
        (timedelta(hours=1), "RETURNED_LATE", 3_600_000, True),
    ],
)
def test_a_return_is_late_from_the_first_moment_after_its_due_time(record, after, status, late_ms, breached):
    """F19, INV5, INV6"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", at=DUE + after)
    police = check(reference, "POLICE")
    assert police.status == status
    assert police.breached_at == (DUE if breached else None)
    assert acts_of(record, reference).count("CHECK_BREACHED") == int(breached)
    [(kept,)] = record.ask("SELECT detail -> 'late_ms' FROM ledger WHERE act = 'CHECK_RETURNED'")
    assert kept == late_ms
    assert record.ask("SELECT count(*) FROM agency_return") == [(1,)]


def test_a_return_after_the_decision_is_kept_and_the_decision_is_untouched(record):
    """F19, INV6, R24"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, at=JUST_OVERDUE)
    before = record.ask("SELECT to_jsonb(d) FROM threshold_decision d")
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=JUST_OVERDUE + MS)
    assert check(reference, "POLICE").status == "RETURNED_LATE"
    assert record.ask("SELECT to_jsonb(d) FROM threshold_decision d") == before
    assert record.ask("SELECT addendum FROM agency_return ORDER BY recorded_at DESC LIMIT 1") == [(True,)]
    assert notices_of(record, reference)[-1] == ("reconsider_wanted", "mash:team")
    assert acts_of(record, reference)[-1] == "RECONSIDER_OPENED"


def test_a_return_after_closure_is_kept_and_somebody_must_look_again(record):
    """F19, INV6, R24"""
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    act(outcome.acknowledge, reference, by=duty(), at=JUST_OVERDUE)
    act(outcome.close, reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", at=JUST_OVERDUE + timedelta(days=30))
    assert referral(reference).stage is Stage.CLOSED
    assert record.ask("SELECT count(*) FROM reconsideration WHERE settled_at IS NULL") == [(1,)]


def test_a_second_return_is_a_new_version_and_the_first_stays(record):
    """R24, R27"""
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE", answer("NOT_KNOWN"))
    settled = check(reference, "POLICE").settled_at
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=AFTERNOON + timedelta(hours=1))
    assert record.ask("SELECT version, result FROM agency_return ORDER BY version") == [
        (1, "NOT_KNOWN"),
        (2, "KNOWN_OPEN"),
    ]
    assert check(reference, "POLICE").settled_at == settled


@pytest.mark.parametrize("stopped", ["declined", "not awaited"])
def test_an_agency_that_was_given_up_may_still_tell_what_it_knows(record, stopped):
    """R24: an addendum"""
    reference = walk(Stage.CHECKING)
    if stopped == "declined":
        act(checks.decline, reference, "POLICE", DeclineDocument(reason="NO_ISA"), by=rep("POLICE"), at=AFTERNOON)
        all_give_back(reference, but=["POLICE"])
    else:
        act(discussion.discuss_now, reference, by=SUPPORT, at=AFTERNOON)
    join(reference)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=AFTERNOON + MS)
    assert check(reference, "POLICE").status == "RETURNED"
    assert record.ask("SELECT addendum FROM agency_return ORDER BY recorded_at DESC LIMIT 1") == [(True,)]


def test_an_agency_that_was_cancelled_is_told_so_and_cannot_answer():
    """R06"""
    reference = walk(Stage.CHECKING)
    act(early_end.clear_concern, reference, EarlyEndDocument(), by=duty(), at=AFTERNOON)
    with pytest.raises(WrongStage):
        give_back(reference, "POLICE")


def test_a_decline_is_neither_a_return_nor_a_breach(record):
    """R57"""
    reference = walk(Stage.CHECKING)
    act(
        checks.decline,
        reference,
        "POLICE",
        DeclineDocument(reason="LIVE_INVESTIGATION", note="Ask the sergeant."),
        by=rep("POLICE"),
        at=DUE,
    )
    police = check(reference, "POLICE")
    assert (police.status, police.decline_reason, police.decline_note) == (
        "DECLINED",
        "LIVE_INVESTIGATION",
        "Ask the sergeant.",
    )
    assert police.breached_at is None
    assert record.ask("SELECT count(*) FROM agency_return") == [(0,)]
    assert "CHECK_BREACHED" not in acts_of(record, reference)


def test_a_late_decline_does_not_erase_the_breach(record):
    """INV5"""
    reference = walk(Stage.CHECKING)
    act(checks.decline, reference, "POLICE", DeclineDocument(reason="NO_ISA"), by=rep("POLICE"), at=JUST_OVERDUE)
    police = check(reference, "POLICE")
    assert (police.status, police.breached_at) == ("DECLINED", DUE)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"result": "NOT_KNOWN"}, "/systems_searched"),
        ({"result": "NOT_SEARCHED"}, "/systems_searched"),
        (answer("NOT_SEARCHED").model_dump(mode="json"), "/result"),
        (answer("PERHAPS").model_dump(mode="json"), "/result"),
        (answer("NOT_KNOWN", ("2026-01-01", "x")).model_dump(mode="json") | {"items": [
            an_item(about=["S2"])
        ]}, "/items/0/about"),
    ],
)  # fmt: skip
def test_a_return_says_what_was_searched_or_why_not(record, document, pointer):
    """R18, INV13: no reply, nothing known and not searched are three things"""
    reference = walk(Stage.CHECKING)
    with pytest.raises(NotAcceptable) as refusal:
        give_back(reference, "POLICE", ReturnDocument.model_validate(document))
    assert [field.pointer for field in refusal.value.fields] == [pointer]
    assert record.ask("SELECT count(*) FROM agency_return") == [(0,)]


def test_not_searched_with_its_reason_is_an_answer():
    """R18"""
    reference = walk(Stage.CHECKING)
    document = ReturnDocument(result="NOT_SEARCHED", not_searched_because="The system is down.")
    give_back(reference, "POLICE", document)
    assert check(reference, "POLICE").status == "RETURNED"


STRANGERS = [rep("MENTAL_HEALTH"), rep("PROBATION"), duty(), SUPPORT, DECIDER, OPERATOR, Actor("x", "AGENCY")]


@pytest.mark.parametrize(
    "verb",
    [
        lambda s, r, by: checks.record_return(s, r, "POLICE", answer(), by=by, at=AFTERNOON),
        lambda s, r, by: checks.decline(s, r, "POLICE", DeclineDocument(reason="NO_ISA"), by=by, at=AFTERNOON),
        lambda s, r, by: checks.acknowledge(s, r, "POLICE", AcknowledgeDocument(), by=by, at=AFTERNOON),
        lambda s, r, by: checks.ask_clarification(s, r, "POLICE", "What?", by=by, at=AFTERNOON),
    ],
    ids=["return", "decline", "acknowledge", "ask"],
)
def test_an_agency_answers_for_itself_alone(verb, checking):
    """R49: who was asked is nobody else's business"""
    for by in STRANGERS:
        with pytest.raises(NotFound, match="no such check"):
            act(verb, checking, by)
    assert check(checking, "POLICE").status == "REQUESTED"


def test_a_referral_that_is_not_there_and_one_that_did_not_ask_look_the_same(checking):
    """S-2"""
    words = set()
    for reference in ("2222-2222", checking):
        with pytest.raises(NotFound) as refusal:
            give_back(reference, "PROBATION")
        words.add(str(refusal.value))
    assert len(words) == 1


def test_an_agency_acknowledges_and_says_at_once_whether_they_are_known(record, checking):
    act(checks.acknowledge, checking, "POLICE", AcknowledgeDocument(known="KNOWN_OPEN"), by=rep("POLICE"), at=AFTERNOON)
    police = check(checking, "POLICE")
    assert (police.status, police.acknowledged_at, police.known) == ("ACKNOWLEDGED", AFTERNOON, "KNOWN_OPEN")
    assert acts_of(record, checking)[-1] == "CHECK_ACKNOWLEDGED"


def test_a_clarification_goes_to_the_team_and_its_answer_comes_back_while_the_clock_goes_on(record, checking):
    """R33"""
    act(checks.ask_clarification, checking, "POLICE", "Which address?", by=rep("POLICE"), at=ASKED)
    act(checks.ask_clarification, checking, "POLICE", "Which year?", by=rep("POLICE"), at=ASKED + MS)
    assert check(checking, "POLICE").status == "CLARIFY"
    act(checks.answer_clarification, checking, "POLICE", "Both.", by=SUPPORT, at=AFTERNOON)
    police = check(checking, "POLICE")
    assert (police.status, police.due_at, police.acknowledged_at) == ("ACKNOWLEDGED", DUE, AFTERNOON)
    asked = act(checks.clarifications, police)
    assert [(each.question, each.answer, each.answered_at, each.answered_by) for each in asked] == [
        ("Which address?", "Both.", AFTERNOON, "support"),
        ("Which year?", "Both.", AFTERNOON, "support"),
    ]
    told = notices_of(record, checking)
    assert told.count(("clarification_asked", "mash:team")) == 2
    assert told.count(("clarification_answered", "agency:POLICE")) == 2
    with pytest.raises(WrongStage):
        act(checks.answer_clarification, checking, "POLICE", "Again.", by=SUPPORT, at=AFTERNOON)


@pytest.mark.parametrize("by", [rep("POLICE"), duty(), OPERATOR], ids=lambda actor: actor.id)
def test_only_the_team_answers_a_clarification(by, checking):
    """R17, R33"""
    act(checks.ask_clarification, checking, "POLICE", "Which year?", by=rep("POLICE"), at=ASKED)
    with pytest.raises(NotPermitted):
        act(checks.answer_clarification, checking, "POLICE", "This.", by=by, at=AFTERNOON)


def test_the_last_answer_wakes_the_referral_and_the_ones_before_do_not(record, checking):
    """R13, R22"""
    woken = "SELECT count(*) FROM wake WHERE reference = %s AND kind = 'RUN' AND due_at = %s"
    for number, agency in enumerate(FOR_A_CHILD, start=1):
        give_back(checking, agency)
        assert record.ask(woken, checking, AFTERNOON) == [(int(number == len(FOR_A_CHILD)),)]


def test_an_answered_check_is_not_warned_about_or_breached(record, checking):
    give_back(checking, "POLICE")
    clocks = "SELECT kind FROM wake WHERE reference = %s AND about = 'POLICE'"
    assert record.ask(clocks, checking) == []


def test_a_silent_agency_holds_up_nobody(record, checking):
    """R22, R24: the join happens without it"""
    all_give_back(checking, but=["POLICE"])
    join(checking, DUE)
    assert referral(checking).stage is Stage.CHECKING
    join(checking, DUE + MS)
    assert referral(checking).stage is Stage.AWAITING_DECISION
    assert act(_section, checking, DUE + MS) == "NOT_RETURNED"


def _section(session, reference, at) -> str:
    content = collation.current_content(session, referrals.find(session, reference), at)
    return next(each["section"] for each in content["agencies"] if each["agency"] == "POLICE")
