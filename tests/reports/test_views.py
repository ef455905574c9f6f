"""The views say what the record holds, of every kind of check and stage."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from casework import checks, discussion, due_times, early_end, outcome, restriction
from casework.db import unit_of_work
from casework.documents import DeclineDocument, EarlyEndDocument, PauseDocument, ViewDocument
from casework.restriction_documents import RestrictionDocument, WhyDocument
from engine import rounds
from engine.timekeeper import keep_clock
from models.settings import HOUSE
from reports import definitions, refresh
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    ASKED,
    DECIDER,
    DUE,
    DUTY,
    JUST_OVERDUE,
    SUPPORT,
    a_child,
    a_family,
    account_of,
    acknowledge,
    act,
    all_give_back,
    an_adult,
    ask,
    decide,
    duty,
    give_back,
    join,
    london,
    no_action,
    refer,
    rep,
    walk,
)
from tests.record import Record
from tests.reports.conftest import Ask, held

DECLINED = DeclineDocument(reason="LIVE_INVESTIGATION")


def let_time_pass(until=JUST_OVERDUE) -> None:
    """The hub's clock notes what is overdue."""
    while act(keep_clock, until):
        pass


def of_each_kind() -> str:
    """A child's referral: one agency on time, one late by a night, one that declined, one silent."""
    reference = refer()
    ask(reference)
    give_back(reference, "POLICE", at=AFTERNOON)
    act(checks.decline, reference, "COUNCIL_CHILDREN", DECLINED, by=rep("COUNCIL_CHILDREN"), at=AFTERNOON)
    let_time_pass()
    join(reference, JUST_OVERDUE)
    give_back(reference, "MENTAL_HEALTH", at=london("Wed 18 Mar 2026 09:00"))
    return reference


def test_each_check_stands_in_one_state_with_its_times(figures: Ask):
    """R25, R57: what was declined is no late answer, and what never came no slow one"""
    of_each_kind()
    found = {row["agency"]: row for row in figures("SELECT * FROM reports.checks")}
    assert {agency: row["state"] for agency, row in found.items()} == {
        "POLICE": "on_time", "MENTAL_HEALTH": "late", "COUNCIL_CHILDREN": "declined",
        "COMMUNITY_HEALTH_CHILDREN": "silent",
    }  # fmt: skip
    assert [found[agency]["breached"] for agency in ("POLICE", "COUNCIL_CHILDREN", "MENTAL_HEALTH")] == [
        False, False, True,
    ]  # fmt: skip
    late = found["MENTAL_HEALTH"]
    # From Tuesday 10:00 to Wednesday 09:00, of which the office was open until 17:00 and from 08:30.
    assert (late["late_minutes"], late["late_open_minutes"]) == (23 * 60, 7 * 60 + 30)
    assert (found["POLICE"]["answer_minutes"], found["POLICE"]["answer_open_minutes"]) == (300, 300)
    assert found["MENTAL_HEALTH"]["answer_open_minutes"] == 7 * 60 + 8 * 60 + 30 + 30
    assert found["POLICE"]["late_minutes"] is None


def test_what_is_silent_grows_late_by_the_hubs_own_clock(figures: Ask, record: Record):
    """R25"""
    of_each_kind()
    with held(record, london("Mon 23 Mar 2026 11:00")):
        [row] = figures("SELECT late_minutes, late_open_minutes FROM reports.checks WHERE state = 'silent'")
    assert row == {"late_minutes": 6 * 1440 + 60, "late_open_minutes": 7 * 60 + 3 * 510 + 150}


def test_nobody_is_late_who_is_not_waited_for_any_more(figures: Ask):
    """R06, R13: cancelled, no longer awaited, and a clock that stands still"""
    called, withdrawn, paused = (refer(sender_id=name) for name in ("called", "withdrawn", "paused"))
    for reference in (called, withdrawn, paused):
        ask(reference)
    act(discussion.discuss_now, called, by=SUPPORT, at=AFTERNOON)
    act(early_end.withdraw, withdrawn, EarlyEndDocument(reason="OTHER"), by=duty(), at=AFTERNOON)
    act(due_times.pause, paused, "POLICE", PauseDocument(reason="QUESTION_OPEN"), by=SUPPORT, at=AFTERNOON)
    let_time_pass()
    states = "SELECT reference, agency, state, paused FROM reports.checks"
    found = {(row["reference"], row["agency"]): row for row in figures(states)}
    assert {row["state"] for (reference, _), row in found.items() if reference in {called, withdrawn}} == {"cancelled"}
    assert (found[paused, "POLICE"]["state"], found[paused, "POLICE"]["paused"]) == ("open", True)
    assert found[paused, "MENTAL_HEALTH"]["state"] == "silent"
    [counts] = figures("SELECT * FROM reports.by_all")
    assert [counts[name] for name in ("asked", "cancelled", "open", "silent", "counted")] == [12, 8, 1, 3, 3]


def test_the_figures_of_a_month_are_those_of_its_checks(figures: Ask):
    """R25: two referrals, ended by hand"""
    of_each_kind()
    walk(Stage.AWAITING_DECISION, sender_id="other")
    [all_] = figures("SELECT * FROM reports.by_all")
    counted = ("asked", "on_time", "late", "silent", "declined", "cancelled", "open", "counted", "breached")
    assert [all_[name] for name in counted] == [8, 5, 1, 1, 1, 0, 0, 8, 2]
    assert float(all_["breach_rate"]) == 0.25
    assert (all_["median_minutes"], all_["p90_minutes"]) == (300, 47 * 60)
    police = figures("SELECT asked, on_time FROM reports.by_agency WHERE agency = 'POLICE'")
    assert police == [{"asked": 2, "on_time": 2}]


def test_a_restricted_referral_is_counted_and_not_named(figures: Ask):
    """S-5, R50"""
    with unit_of_work() as session:
        session.add(account_of(Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True), ASKED))
    reference = of_each_kind()
    document = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["decider", "officer"])
    act(restriction.restrict, reference, document, by=DECIDER, at=AFTERNOON)
    for view in ("checks", "referrals", "stages", "decisions"):
        assert {row["reference"] for row in figures(f"SELECT reference FROM reports.{view}")} <= {None}
    assert figures("SELECT count(*) AS n FROM reports.checks") == [{"n": 4}]
    assert {row["oldest_reference"] for row in figures("SELECT oldest_reference FROM reports.waiting")} == {None}
    act(restriction.lift, reference, WhyDocument(reason="It is over."), by=DECIDER, at=DUE)
    assert {row["reference"] for row in figures("SELECT reference FROM reports.checks")} == {reference}


def test_each_stage_has_its_length_and_the_oldest_that_waits_its_age(figures: Ask, record: Record):
    """R25"""
    reference = refer()
    ask(reference)
    all_give_back(reference, at=AFTERNOON)
    join(reference, at=AFTERNOON)
    decide(reference, at=DUE)
    with held(record, london("Wed 18 Mar 2026 10:00")):
        stages = figures("SELECT stage, until_at IS NULL AS lasts, minutes, open_minutes FROM reports.stages")
        [waiting] = figures("SELECT * FROM reports.waiting")
    assert {row["stage"]: (row["lasts"], row["minutes"], row["open_minutes"]) for row in stages} == {
        "RECEIVED": (False, 0, 0), "CHECKING": (False, 300, 300), "AWAITING_DECISION": (False, 19 * 60, 210),
        "HANDING_BACK": (True, 1440, 510), "WHOLE": (True, 2880, 1020),
    }  # fmt: skip
    assert (waiting["stage"], waiting["waiting"], waiting["oldest_minutes"]) == ("HANDING_BACK", 1, 2880)
    assert waiting["oldest_reference"] == reference


def test_the_time_from_decision_to_acknowledgement_ends_with_the_last_team(figures: Ask):
    """R25, R43"""
    reference = refer(subjects=a_family())
    ask(reference)
    all_give_back(reference)
    join(reference)
    decide(reference, no_action("S1"), no_action("S2"), no_action("S3"))
    act(outcome.hand_back, reference, at=AFTERNOON)
    act(outcome.acknowledge, reference, by=duty(), at=DUE)
    times = "SELECT decision_to_ack_minutes, side, subjects FROM reports.referrals"
    assert figures(times) == [{"decision_to_ack_minutes": None, "side": "both", "subjects": 3}]
    acknowledge(reference, ASIST, at=DUE + timedelta(hours=1))
    assert figures(times)[0]["decision_to_ack_minutes"] == 20 * 60


@pytest.mark.parametrize(
    ("days", "nhs_number", "again"),
    [(1, "same", True), (364, "same", True), (366, "same", False), (1, "other", False), (1, None, None)],
)
def test_who_comes_again_within_twelve_months_is_counted(
    figures: Ask, days: int, nhs_number: str | None, again: bool | None
):
    """R60: known by a keyed digest of the NHS number alone"""
    refer()
    number = {"same": a_child()["nhs_number"], "other": an_adult()["nhs_number"], None: None}[nhs_number]
    later = refer(at=ASKED + timedelta(days=days), sender_id="again", subjects=[{**a_child(), "nhs_number": number}])
    found = {
        row["reference"]: row["re_referral"] for row in figures("SELECT reference, re_referral FROM reports.referrals")
    }
    assert found.pop(later) is again
    assert list(found.values()) == [False]


def test_what_changed_is_worked_out_as_if_all_were_worked_out_anew(figures: Ask, record: Record):
    """R25: a refresh after each step, and one rebuild at the end"""
    tables = (
        "kept_check",
        "kept_referral",
        "kept_decision",
        "kept_month",
        "kept_stage",
        "kept_re_referral",
        "kept_cause",
        "kept_view",
        "kept_judgement",
        "kept_count",
        "kept_asked_hour",
        "kept_length",
        "kept_length_hour",
    )
    first = of_each_kind()
    view = ViewDocument(agency="POLICE", view="AGREE", threshold_met=False)
    act(discussion.record_view, first, view, by=rep("POLICE"), at=JUST_OVERDUE)
    figures("SELECT 1")
    walk(Stage.CLOSED, sender_id="second")
    figures("SELECT 1")
    give_back(first, "COMMUNITY_HEALTH_CHILDREN", at=DUE + timedelta(days=2))
    figures("SELECT 1")

    def kept() -> dict[str, list[tuple[object, ...]]]:
        return {table: sorted(record.ask(f"SELECT * FROM reports.{table}"), key=repr) for table in tables}

    step_by_step = kept()
    act(refresh.rebuild)
    assert kept() == step_by_step
    assert all(step_by_step[table] for table in tables)


def test_the_timekeeper_keeps_the_figures_up(figures: Ask, record: Record):
    """R25: once a minute, whoever of its copies comes first"""
    kept = "SELECT count(*), (SELECT count(DISTINCT reference) FROM reports.stale) FROM reports.kept_referral"
    refer()
    assert record.ask(kept) == [(0, 1)]
    rounds.keep_figures()
    assert record.ask(kept) == [(1, 0)]
    refer(sender_id="second")
    rounds.keep_figures()
    assert record.ask(kept) == [(1, 1)]


#: Tables and views, columns and functions of the two schemas, as the role that asks may use them.
OURS = "relnamespace IN ('public'::regnamespace, 'reports'::regnamespace) AND relkind IN ('r', 'v', 'm', 'p')"
MAY = f"SELECT oid::regclass::text FROM pg_class WHERE {OURS} AND has_table_privilege(oid, '%s')"
SEALED = (
    f"SELECT attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid WHERE {OURS}"
    " AND has_column_privilege(attrelid, attnum, 'SELECT') AND atttypid = 'bytea'::regtype"
)
MIGHTY = (
    "SELECT proname::text FROM pg_proc WHERE prosecdef AND prorettype <> 'trigger'::regtype"
    " AND pronamespace IN ('public'::regnamespace, 'reports'::regnamespace) AND has_function_privilege(oid, 'EXECUTE')"
)


def test_the_analysts_role_reads_the_views_and_nothing_else(figures: Ask, record: Record):
    """Issue 6: read-only, and no sealed column"""
    of_each_kind()
    views = sorted(f"reports.{view}" for view in act(definitions.definitions))
    assert sorted(row["oid"] for row in figures(MAY % "SELECT")) == views
    assert figures(MAY % "INSERT, UPDATE, DELETE, TRUNCATE") == []
    assert figures(SEALED) == []
    assert {row["proname"] for row in figures(MIGHTY)} <= {"now", "open_seconds"}
    for forbidden in (
        "SELECT * FROM referral",
        "SELECT * FROM reports.kept_check",
        "SELECT * FROM reports.hidden",
        "SELECT reports.rebuild()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            figures(forbidden)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        figures("CREATE TEMPORARY TABLE own (n integer)")


def test_every_column_says_what_it_means_and_the_page_is_not_stale(record: Record):
    """Issue 6: documented column by column. To renew the page: mash reports describe > docs/reports.md"""
    found = act(definitions.definitions)
    assert len(found) == 18
    assert [
        f"{view}.{column}" for view, columns in found.items() for column, words in columns.items() if not words
    ] == []
    assert act(definitions.page) == (HOUSE / "docs" / "reports.md").read_text(encoding="utf-8")
    with pytest.raises(KeyError):
        act(definitions.definition, "checks", "no such column")


def test_what_stands_beside_a_figure_names_no_column(record: Record):
    """Issue 6: pages and the API give these to people who never see a view"""
    shown = act(definitions.definitions)
    assert [words for view in ("by_all", "by_agency") for words in shown[view].values() if "_" in words] == []
