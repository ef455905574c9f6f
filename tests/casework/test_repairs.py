"""A referral that no run carries is brought back, so many times; then a person is told. A deliberate stop is kept."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from casework import hold_ups, outcome, repairs, standing
from casework.db import held_among, holding, real_time, unit_of_work
from casework.wakes import wake
from models.settings import settings
from models.wake import WakeKind
from rules.errors import NotPermitted
from rules.permissions import Actor, Role
from rules.repair import HELD, OFTEN, pause_after
from rules.stages import Stage
from tasks import steps
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DUE,
    SATURDAY,
    SUPPORT,
    act,
    acts_of,
    all_give_back,
    duty,
    join,
    refer,
    referral,
    rep,
    walk,
)
from tests.record import Record

OPERATOR = Actor(id="operator", role=Role.OPERATOR, is_person=True)


@pytest.fixture
def hub_time(record: Record):
    """Hold the hub's clock still at a moment."""

    def hold(at):
        with record.as_owner() as owner:
            owner.execute(
                "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = %s", (at, at)
            )

    return hold


def _given_a_run(record: Record, reference: str) -> UUID:
    run = uuid4()
    with record.as_owner() as owner:
        owner.execute("UPDATE referral SET run_id = %s WHERE reference = %s", (run, reference))
        owner.execute("DELETE FROM wake WHERE kind = 'RUN' AND due_at <= mash_now()")
    return run


def _bring_back(reference: str, run: UUID | None, about: str = "") -> list[str]:
    with unit_of_work() as session:
        return repairs.bring_back(session, {reference: run}, at=AFTERNOON, about=about)


def _time_passes(record: Record, span: timedelta) -> None:
    with record.as_owner() as owner:
        owner.execute("UPDATE repair SET tried_at = tried_at - %s, doubted_at = doubted_at - %s", (span, span))


def _alarms(record: Record) -> int:
    return int(record.ask("SELECT count(*) FROM notice WHERE message = 'run_needs_help'")[0][0])


def _use_up(record: Record, reference: str, run: UUID) -> None:
    """Every try that a trouble has before a person is told, each as soon as the rule lets it."""
    for tries in range(settings().repairs):
        _time_passes(record, pause_after(tries))
        assert _bring_back(reference, run) == [reference]


def test_it_is_brought_back_so_many_times_ever_less_often_then_told_once_and_tried_on(record, checking):
    """Issue 3, item 3"""
    run = _given_a_run(record, checking)
    assert _bring_back(checking, run) == [checking]
    for tries in range(1, settings().repairs):
        _time_passes(record, pause_after(tries) - timedelta(seconds=5))
        assert _bring_back(checking, run) == []
        _time_passes(record, timedelta(seconds=5))
        assert _bring_back(checking, run) == [checking]
    assert _alarms(record) == 0
    for _ in range(3):
        assert _bring_back(checking, run) == []
    assert record.ask("SELECT reference, recipient FROM notice WHERE message = 'run_needs_help'") == [
        (checking, "mash:alarm")
    ]
    for _ in range(3):
        _time_passes(record, OFTEN)
        assert _bring_back(checking, run) == [checking]
        assert _bring_back(checking, run) == []
    assert _alarms(record) == 1


def test_a_burst_of_crashes_uses_up_few_tries_and_it_goes_on_soon_after(record, checking):
    """F2-F4, INV9: seen in trouble every five seconds for a minute, as in a crash trial"""
    run = _given_a_run(record, checking)
    tried = []
    for second in range(0, 60, 5):
        tried += [second] * len(_bring_back(checking, run))
        _time_passes(record, timedelta(seconds=5))
    assert tried == [0, 10, 40]
    assert _alarms(record) == 0
    _time_passes(record, timedelta(seconds=40))
    assert _bring_back(checking, run) == [checking]


def test_at_another_stage_the_count_begins_again(record, checking):
    """Issue 3, item 3"""
    run = _given_a_run(record, checking)
    _use_up(record, checking, run)
    assert _bring_back(checking, run) == []
    all_give_back(checking)
    join(checking)
    _use_up(record, checking, run)
    assert _alarms(record) == 1
    assert _bring_back(checking, run) == []
    assert _alarms(record) == 2


def test_what_breaks_long_after_a_repair_that_held_is_a_new_trouble(record, checking):
    run = _given_a_run(record, checking)
    _use_up(record, checking, run)
    _time_passes(record, pause_after(settings().repairs) + HELD)
    assert _bring_back(checking, run) == [checking]
    assert _alarms(record) == 0


@pytest.mark.parametrize(("at", "mended"), [(AFTERNOON, True), (DUE + timedelta(milliseconds=1), False)])
def test_a_run_that_comes_to_rest_gives_its_tries_back_unless_the_hub_itself_is_to_move(
    record, hub_time, checking, at, mended
):
    """INV9: a run that rests while nobody else is awaited is still in trouble, and must not be tried for ever"""
    hub_time(AFTERNOON)
    run = _given_a_run(record, checking)
    _use_up(record, checking, run)
    assert _bring_back(checking, run) == []
    assert (_alarms(record), _held_up(checking)) == (1, True)
    hub_time(at)
    steps.come_to_rest(checking)
    assert _held_up(checking) is not mended
    assert _bring_back(checking, run) == ([checking] if mended else [])


def _held_up(reference: str) -> bool:
    with unit_of_work() as session:
        found = hold_ups.hold_ups(session)
    return hold_ups.Why.NOT_CARRIED in {each.why for each in found if each.reference == reference}


@pytest.mark.parametrize("stage", [Stage.CHECKING, Stage.CLOSED])
def test_a_referral_that_another_run_carries_or_that_is_closed_is_left_alone(record, stage):
    reference = walk(stage)
    run = _given_a_run(record, reference)
    seen = run if stage is Stage.CLOSED else uuid4()
    assert _bring_back(reference, seen) == []
    assert record.ask("SELECT count(*) FROM repair") == [(0,)]


def test_a_run_is_taken_for_dead_only_when_seen_so_twice_some_time_apart(record, checking):
    """Reliability §0.2; and what several copies saw is shared"""
    state = uuid4()
    assert act(_doubt, {checking: state}) == set()
    assert act(_doubt, {checking: state}) == set()
    _time_passes(record, repairs.GRACE)
    assert act(_doubt, {checking: state}) == {checking}


def test_a_run_that_has_moved_on_is_doubted_afresh(record, checking):
    act(_doubt, {checking: uuid4()})
    _time_passes(record, repairs.GRACE)
    assert act(_doubt, {checking: uuid4()}) == set()


def test_a_clock_that_was_set_back_begins_the_doubt_again_and_ends_no_round(record, checking):
    """F24"""
    state = uuid4()
    act(_doubt, {checking: state})
    _time_passes(record, -timedelta(hours=1))
    assert act(_doubt, {checking: state}) == set()
    _time_passes(record, repairs.GRACE)
    assert act(_doubt, {checking: state}) == {checking}
    with record.as_owner() as owner:
        owner.execute("INSERT INTO turn (name, taken_at) VALUES ('sweep', clock_timestamp() + interval '1 hour')")
    assert _take_turn() is True
    assert _take_turn() is False


def _doubt(session, states):
    return repairs.doubt(session, states)


def _take_turn() -> bool:
    with unit_of_work() as session:
        return repairs.take_turn(session, "sweep", timedelta(seconds=20))


# --- a deliberate stop ---


def _note_cancelled(reference: str, run: UUID) -> bool:
    with unit_of_work() as session:
        return repairs.note_cancelled(session, reference, run, at=AFTERNOON)


@pytest.mark.parametrize("stage", [Stage.CHECKING, Stage.AWAITING_DECISION, Stage.AWAITING_ACK])
def test_a_stop_while_somebody_else_is_to_move_is_respected_written_down_and_told_once(record, hub_time, stage):
    """F11"""
    hub_time(AFTERNOON)
    reference = walk(stage)
    run = _given_a_run(record, reference)
    assert [_note_cancelled(reference, run) for _ in range(3)] == [False] * 3
    assert acts_of(record, reference).count("ENGINE_CANCELLED") == 1
    assert record.ask("SELECT recipient FROM notice WHERE message = 'run_stopped'") == [("mash:alarm",)]


def test_a_stopped_run_that_is_retried_is_written_down_once_and_holds_nothing_up(record, hub_time):
    """F11; issue 7, item 2: whoever looks for what was stopped does not find what goes on again"""
    hub_time(AFTERNOON)
    reference = walk(Stage.CHECKING)
    run = _given_a_run(record, reference)
    assert act(repairs.note_retried, reference, run, at=AFTERNOON) is False
    _note_cancelled(reference, run)
    assert act(repairs.stopped, [reference]) == {reference}
    assert hold_ups.Why.STOPPED_BY_OPERATOR in {each.why for each in act(hold_ups.hold_ups)}
    assert act(repairs.note_retried, reference, uuid4(), at=AFTERNOON) is False
    assert [act(repairs.note_retried, reference, run, at=AFTERNOON) for _ in range(2)] == [True, False]
    assert acts_of(record, reference).count("ENGINE_RESUMED") == 1
    assert act(repairs.stopped, [reference]) == set()
    assert act(hold_ups.hold_ups) == []


@pytest.mark.parametrize("stage", [Stage.RECEIVED, Stage.HANDING_BACK])
def test_a_stop_while_the_hub_is_to_move_is_written_down_and_carried_on_all_the_same(record, stage):
    """F11: a child's safety is not left hanging on a click"""
    reference = walk(stage)
    run = _given_a_run(record, reference)
    assert _note_cancelled(reference, run) is True
    assert acts_of(record, reference)[-1] == "ENGINE_CANCELLED"


def test_a_stop_before_every_agency_was_asked_is_carried_on_all_the_same(record, hub_time, checking):
    """R22"""
    hub_time(AFTERNOON)
    run = _given_a_run(record, checking)
    assert _note_cancelled(checking, run) is False
    with record.server.connect("postgres") as thief, thief.transaction():
        thief.execute("SET LOCAL session_replication_role = replica")
        thief.execute("DELETE FROM agency_check WHERE agency = 'POLICE'")
    assert _note_cancelled(checking, run) is True


def test_a_person_lets_it_go_on(record, checking):
    """F11"""
    run = _given_a_run(record, checking)
    _note_cancelled(checking, run)
    before = record.ask("SELECT count(*) FROM wake WHERE kind = 'RUN'")[0][0]
    assert act(repairs.resume, checking, by=OPERATOR, at=AFTERNOON) is True
    assert record.ask("SELECT count(*) FROM wake WHERE kind = 'RUN'")[0][0] == before + 1
    assert record.ask("SELECT actor FROM ledger WHERE act = 'ENGINE_RESUMED'") == [("operator",)]


@pytest.mark.parametrize("by", [duty(), rep("POLICE")], ids=["a duty team", "an agency"])
def test_others_do_not(checking, by):
    with pytest.raises(NotPermitted):
        act(repairs.resume, checking, by=by, at=AFTERNOON)


def test_a_closed_referral_needs_no_run(record):
    assert act(repairs.resume, walk(Stage.CLOSED), by=SUPPORT, at=AFTERNOON) is False


# --- whose move it is ---


def _hubs_move(reference: str) -> bool:
    with unit_of_work() as session:
        return standing.on_the_hub(session, reference)


@pytest.mark.parametrize(
    ("stage", "at", "hubs"),
    [
        (Stage.RECEIVED, ASKED, True),
        (Stage.QUEUED_OUT_OF_HOURS, SATURDAY, False),
        (Stage.CHECKING, DUE, False),
        (Stage.CHECKING, DUE + timedelta(milliseconds=1), True),
        (Stage.AWAITING_DECISION, DUE + timedelta(days=365), False),
        (Stage.HANDING_BACK, AFTERNOON, True),
        (Stage.AWAITING_ACK, AFTERNOON, False),
        (Stage.CLOSED, AFTERNOON, False),
    ],
)
def test_whose_move_it_is_is_read_from_the_record(hub_time, stage, at, hubs):
    """INV9: at the due time itself an answer is still awaited (F19)"""
    hub_time(at)
    assert _hubs_move(walk(stage)) is hubs


def test_when_everybody_has_answered_the_hub_is_to_move(hub_time, checking):
    hub_time(AFTERNOON)
    all_give_back(checking)
    assert _hubs_move(checking)


def test_when_every_team_knows_the_hub_is_to_move(hub_time):
    hub_time(AFTERNOON)
    reference = walk(Stage.AWAITING_ACK)
    act(outcome.acknowledge, reference, by=duty(), at=AFTERNOON)
    assert _hubs_move(reference)


def test_only_open_referrals_that_are_not_about_to_be_woken_are_looked_after(record, hub_time):
    hub_time(AFTERNOON)
    waiting, about_to, closed = (
        walk(Stage.CHECKING, sender_id="one"), refer(sender_id="two"), walk(Stage.CLOSED, sender_id="three"),
    )  # fmt: skip
    for reference in (waiting, closed):
        run = _given_a_run(record, reference)
    with unit_of_work() as session:
        wake(session, about_to, AFTERNOON)
        found = {each.reference: each for each in repairs.carried(session)}
    assert found.keys() == {waiting}
    assert (found[waiting].run_id is None, found[waiting].hubs_move) == (False, False)
    assert referral(closed).run_id == run


# --- who works on what ---


def test_the_locks_of_many_referrals_are_seen_in_one_question_and_none_is_taken(record, checking):
    """Decision 3"""
    others = [refer(sender_id=name) for name in ("two", "three", "four")]
    with holding(checking), unit_of_work() as session:
        assert held_among(session, [checking, *others]) == {checking}
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        assert record.ask(locks) == [(1,)]
    with unit_of_work() as session:
        assert held_among(session, [checking, *others]) == set()
        assert held_among(session, []) == set()


def test_the_real_time_is_the_databases_whatever_the_hubs_clock_says(record, hub_time):
    """F24, decision 5"""
    hub_time(AFTERNOON)
    with unit_of_work() as session:
        assert real_time(session) > AFTERNOON + timedelta(days=1)


def test_a_wake_for_another_run_says_so(record, checking):
    run = _given_a_run(record, checking)
    _bring_back(checking, run, about=repairs.ANEW)
    wakes = record.ask("SELECT kind, about FROM wake WHERE reference = %s AND due_at = %s", checking, AFTERNOON)
    assert wakes == [(WakeKind.RUN, repairs.ANEW)]
