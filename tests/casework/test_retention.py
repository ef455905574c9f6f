"""What is over is erased by two people's word, never what is held, and nothing of it is left but codes (R51, S-27)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from typer.testing import CliRunner

from casework import (
    accounts,
    drafts,
    intake,
    ledger,
    ledger_check,
    legal_hold,
    outcome,
    referrals,
    restriction,
    retention,
)
from casework.db import unit_of_work
from casework.documents import HoldDocument, LiftDocument
from casework.register import current_profile
from casework.restriction_documents import RestrictionDocument, WhyDocument
from engine import rounds
from engine.cli import app
from engine.databases import plain
from models.base import SealedJson, SealedText, seal, unseal
from models.profile import load_profile
from models.retention import Erasure
from models.settings import HOUSE
from models.tables import METADATA
from rules.errors import Conflict, NotFound, NotPermitted
from rules.permissions import Actor, Role
from rules.retention import Kind
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    ASKED,
    DECIDER,
    SUPPORT,
    a_child,
    account_of,
    acknowledge,
    act,
    acts_of,
    all_give_back,
    an_adult,
    ask,
    decide,
    document,
    duty,
    give_back,
    join,
    no_action,
    referral,
    walk,
)
from tests.record import Record

LEAD = Actor("lead", Role.IG_LEAD, is_person=True)
ADMIN = Actor("admin", Role.ACCOUNT_ADMIN, is_person=True)
SCHEDULE = load_profile(HOUSE / "profiles" / "bnes.toml").retention
CHILD, ADULT, AT_ONCE = (timedelta(days=days) for days in SCHEDULE.days().values())
HELD = "A claim was announced."
#: Sealed, and of no referral: what happens to it is said elsewhere.
OF_NO_REFERRAL = {"account", "board_pack", "feedback"}


@pytest.fixture(autouse=True)
def governors(people: Record) -> None:
    with unit_of_work() as session:
        session.add_all(account_of(actor, AFTERNOON) for actor in (LEAD, ADMIN))


def closed(sender_id: str = "one", at: datetime = AFTERNOON, **sent: Any) -> str:
    return walk(Stage.CLOSED, at, sender_id=sender_id, **sent)


def what_is_over(at: datetime) -> list[tuple[str, Kind, bool]]:
    return [(each.reference, each.kind, each.held) for each in act(retention.over, current_profile(), at=at)]


def listed(at: datetime) -> Any:
    return act(retention.list_what_is_over, current_profile(), at=at)


def agreed(at: datetime, *people: Actor) -> Any:
    of = listed(at)
    for by in people or (LEAD, ADMIN):
        act(retention.agree, of, by=by, at=at)
    return of


def erase(at: datetime) -> int:
    return retention.erase_agreed(current_profile(), at=at)


def held(reference: str, at: datetime = AFTERNOON) -> Any:
    return act(legal_hold.set_hold, HoldDocument(reference=reference, reason=HELD), by=LEAD, at=at)


# --- what is over ---


def test_a_referral_is_over_to_the_moment_its_period_ends():
    """R51"""
    reference = closed()
    assert what_is_over(AFTERNOON + CHILD - timedelta(microseconds=1)) == []
    assert what_is_over(AFTERNOON + CHILD) == [(reference, Kind.CHILD_REFERRAL, False)]


def _about(*subjects: dict[str, Any], sender_id: str, asked: bool = True) -> str:
    """A closed referral of the adults' team; `asked`: whether any agency was."""
    answers = {"safeguarding_concern": True, "extent_unclear": asked, "clarification_question": "Which?"}
    sent = document(list(subjects), team=ASIST, sender_id=sender_id, eligibility=answers)
    reference = act(intake.receive, sent, by=duty(ASIST), at=ASKED).reference
    ask(reference)
    if asked:
        all_give_back(reference)
        join(reference)
        decide(reference, *(no_action(f"S{number}") for number, _ in enumerate(subjects, start=1)))
    act(outcome.hand_back, reference, at=AFTERNOON)
    acknowledge(reference, *(act(referrals.hand_backs, reference)))
    assert referral(reference).stage is Stage.CLOSED
    return reference


def test_each_kind_has_its_own_period_and_both_sides_the_longer():
    """R51"""
    adult, both = _about(an_adult(), sender_id="a"), _about(an_adult(), a_child(), sender_id="b")
    at_once = _about(an_adult(), sender_id="c", asked=False)
    assert what_is_over(AFTERNOON + AT_ONCE) == [(at_once, Kind.RETURNED_AT_ONCE, False)]
    assert {row[:2] for row in what_is_over(AFTERNOON + ADULT)} == {
        (at_once, Kind.RETURNED_AT_ONCE), (adult, Kind.ADULT_REFERRAL),
    }  # fmt: skip
    assert (both, Kind.CHILD_REFERRAL, False) in what_is_over(AFTERNOON + CHILD)


def test_what_is_open_is_never_over():
    """R51"""
    walk(Stage.AWAITING_ACK)
    assert what_is_over(AFTERNOON + 2 * CHILD) == []


# --- two people, and a hold ---


def test_the_list_alone_erases_nothing_and_nor_does_one_person():
    """S-27: a dry run, and two people"""
    reference = closed()
    over = AFTERNOON + CHILD
    of = listed(over)
    assert erase(over) == 0
    assert act(retention.agree, of, by=LEAD, at=over) is False
    with pytest.raises(Conflict):
        act(retention.agree, of, by=LEAD, at=over)
    assert erase(over) == 0
    assert referral(reference).narrative
    assert act(retention.agree, of, by=ADMIN, at=over) is True
    assert erase(over) == 1
    with pytest.raises(Conflict):
        act(retention.agree, of, by=LEAD, at=over)


def test_what_is_restricted_is_on_no_list_and_goes_by_none(record: Record):
    """S-5, S-27: nobody agrees to what they may not know of; once it is lifted it is listed as any other"""
    over, officer = AFTERNOON + CHILD, Actor("officer", Role.DUTY_TEAM, duty_team=duty().duty_team, is_person=True)
    with unit_of_work() as session:
        session.add(account_of(officer, AFTERNOON))
    hidden = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=[officer.id])
    before, meanwhile, seen = (closed(sender_id) for sender_id in ("before", "meanwhile", "seen"))
    act(restriction.restrict, before, hidden, by=DECIDER, at=AFTERNOON)
    of = listed(over)
    act(restriction.restrict, meanwhile, hidden, by=DECIDER, at=AFTERNOON)
    for by in (LEAD, ADMIN):
        act(retention.agree, of, by=by, at=over)
    assert erase(over) == 1
    assert record.ask("SELECT reference, passed_over FROM erasure WHERE erased_at IS NULL") == [
        (meanwhile, "RESTRICTED")
    ]
    assert what_is_over(over) == []
    act(restriction.lift, before, WhyDocument(reason="It is over."), by=DECIDER, at=over)
    assert what_is_over(over) == [(before, Kind.CHILD_REFERRAL, False)]
    assert all(referral(each).narrative for each in (before, meanwhile))
    with pytest.raises(NotFound):
        referral(seen)


@pytest.mark.parametrize("by", [DECIDER, SUPPORT, duty(), Actor("lead", Role.IG_LEAD)], ids=lambda by: by.role)
def test_nobody_else_agrees(by: Actor):
    """S-27"""
    closed()
    of = listed(AFTERNOON + CHILD)
    with pytest.raises(NotPermitted):
        act(retention.agree, of, by=by, at=AFTERNOON + CHILD)


def test_a_hold_wins_always(record: Record):
    """S-27: before the list is made, after two people have agreed to it, and in the database itself"""
    before, after = closed("before"), closed("after")
    held(before)
    over = AFTERNOON + CHILD
    assert set(what_is_over(over)) == {
        (before, Kind.CHILD_REFERRAL, True), (after, Kind.CHILD_REFERRAL, False),
    }  # fmt: skip
    of = agreed(over)
    with unit_of_work() as session:
        assert [each.reference for each in session.exec(select(Erasure))] == [after]
    held(after, over)
    with pytest.raises(DBAPIError, match="a legal hold is on"), unit_of_work() as session:
        session.execute(sa.select(sa.func.erase_content(after, of)))
    assert erase(over) == 0
    assert referral(before).narrative == referral(after).narrative != ""
    assert record.ask("SELECT passed_over FROM erasure") == [("HELD",)]


def test_a_hold_is_set_and_lifted_by_a_named_person_with_a_reason(record: Record):
    """S-27, R28: and both are in the ledger"""
    reference = closed()
    hold = held(reference)
    with pytest.raises(Conflict):
        held(reference)
    lifting = LiftDocument(reason="The claim was settled.")
    for by in (ADMIN, DECIDER):
        with pytest.raises(NotPermitted):
            act(legal_hold.lift, hold, lifting, by=by, at=AFTERNOON)
    act(legal_hold.lift, hold, lifting, by=LEAD, at=AFTERNOON)
    with pytest.raises(Conflict):
        act(legal_hold.lift, hold, lifting, by=LEAD, at=AFTERNOON)
    assert acts_of(record, reference)[-2:] == ["HOLD_SET", "HOLD_LIFTED"]
    row = act(legal_hold.one, hold, by=LEAD, at=AFTERNOON)
    assert (row.because, row.set_by, row.lifted_because, row.lifted_by) == (HELD, "lead", lifting.reason, "lead")
    assert what_is_over(AFTERNOON + CHILD) == [(reference, Kind.CHILD_REFERRAL, False)]


def test_a_list_nobody_agreed_to_gives_way_and_one_being_worked_off_does_not():
    """S-27"""
    closed()
    over = AFTERNOON + CHILD
    first, second = listed(over), listed(over + timedelta(days=30))
    with pytest.raises(Conflict):
        act(retention.agree, first, by=LEAD, at=over)
    for by in (LEAD, ADMIN):
        act(retention.agree, second, by=by, at=over)
    assert listed(over + timedelta(days=60)) is None
    assert erase(over + timedelta(days=30)) == 1
    assert listed(over + timedelta(days=60)) is None


def test_what_the_schedule_keeps_longer_by_now_is_passed_over(record: Record):
    """R51: the schedule in force, not that of the day of the list"""
    closed()
    agreed(AFTERNOON + CHILD)
    schedule = current_profile().retention
    longer = schedule.model_copy(update={"child_referral": schedule.child_referral.model_copy(update={"days": 9132})})
    profile = current_profile().model_copy(update={"retention": longer})
    assert retention.erase_agreed(profile, at=AFTERNOON + CHILD) == 0
    assert record.ask("SELECT passed_over FROM erasure") == [("KEPT_LONGER",)]


@pytest.mark.parametrize(
    ("of_list", "why"),
    [
        ("INSERT INTO erasure_list (id, listed_at, profile_version) VALUES (%s, now(), 'v')", "two people"),
        (
            "INSERT INTO erasure_list (id, listed_at, profile_version, agreed_by, agreed_at)"
            " VALUES (%s, now(), 'v', 'lead', now())",
            "two people",
        ),
        (
            "INSERT INTO erasure_list VALUES (%s, now(), 'v', 'lead', now(), 'lead', now(), NULL)",
            "erasure_list_by_two_people",
        ),
    ],
)
def test_the_record_itself_erases_nothing_that_two_people_have_not_agreed_to(record: Record, of_list: str, why: str):
    """S-27: whatever the application asks of it"""
    reference, identity = closed(), uuid4()
    of_one = "INSERT INTO erasure VALUES (%s, %s, 'child_referral', now(), NULL, NULL)"

    def erase_without_them() -> None:
        with record.as_app() as app:
            app.execute(of_list.encode(), [identity])
            app.execute(of_one, [identity, reference])
            app.execute("SELECT erase_content(%s, %s)", [reference, identity])

    with pytest.raises(psycopg.Error, match=why):
        erase_without_them()
    assert referral(reference).narrative


# --- what is left ---


def canary(table: str, column: str) -> str:
    return f"Canary{table}{column}".replace("_", "")


def _of_referral(table: sa.Table) -> str | None:
    """The condition for a table's rows of a referral; None when they are of none."""
    if "reference" in table.c:
        return "reference = %s"
    if table.name == "draft":
        return "about = %s"
    for key in table.foreign_keys:
        if "reference" in key.column.table.c:
            return f"{key.parent.name} IN (SELECT {key.column.name} FROM {key.column.table.name} WHERE reference = %s)"
    return None


def sealed_columns() -> Iterator[tuple[sa.Table, sa.Column[Any], str]]:
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SealedText | SealedJson) and table.name not in OF_NO_REFERRAL:
                condition = _of_referral(table)
                assert condition, f"{table.name}.{column.name}: of which referral is it? Erasure does not find it"
                yield table, column, condition


def _fresh(column: sa.Column[Any], owner: Any, reference: str) -> Any:
    """A value for a row that the walk did not make."""
    if column.name in {"reference", "about"}:
        return reference
    if column.foreign_keys:
        [key] = column.foreign_keys
        found = owner.execute(f"SELECT {key.column.name} FROM {key.column.table.name} LIMIT 1").fetchone()
        return found[0] if found else _insert(key.column.table, owner, reference)[key.column.name]
    if isinstance(column.type, SealedText | SealedJson):
        return b"x"
    if isinstance(column.type, sa.Enum):
        return column.type.enums[0]
    kinds: dict[type, Any] = {int: 1, bool: False, UUID: uuid4(), datetime: AFTERNOON, date: AFTERNOON.date()}
    return kinds.get(column.type.python_type, "X")


def _insert(table: sa.Table, owner: Any, reference: str) -> dict[str, Any]:
    values = {column.name: _fresh(column, owner, reference) for column in table.columns}
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    owner.execute(f"INSERT INTO {table.name} ({names}) VALUES ({places})", list(values.values()))
    return values


def plant(owner: Any, reference: str) -> set[str]:
    """Put a mark of its own into every sealed column of every table that holds something of a referral; the marks."""
    tables = {table: condition for table, _, condition in sealed_columns()}
    for table, condition in tables.items():
        owner.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        for rule in table.constraints:
            if isinstance(rule, sa.CheckConstraint):
                owner.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT {rule.name}")
        if not owner.execute(f"SELECT 1 FROM {table.name} WHERE {condition}", [reference]).fetchone():
            _insert(table, owner, reference)
    marks = set()
    for table, column, condition in sealed_columns():
        mark = canary(table.name, column.name)
        said = f'"{mark}"' if isinstance(column.type, SealedJson) else mark
        owner.execute(f"UPDATE {table.name} SET {column.name} = %s WHERE {condition}", [seal(said), reference])
        marks.add(mark)
    for table in tables:
        owner.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
    return marks


def everything(connection: Any) -> str:
    """All that the record holds, sealed or not, as whoever has the key reads it."""
    found = []
    for table in METADATA.sorted_tables:
        columns = list(table.columns)
        for row in connection.execute(f"SELECT {', '.join(column.name for column in columns)} FROM {table.name}"):
            found += [_read(column, value) for column, value in zip(columns, row, strict=True)]
    return "\n".join(found)


def _read(column: sa.Column[Any], value: Any) -> str:
    return unseal(bytes(value)) if value and isinstance(column.type, SealedText | SealedJson) else str(value)


def test_no_sealed_column_of_any_table_outlives_erasure(record: Record):
    """S-27: a mark in each of them, those of a new table too; it finds every mark before it finds none"""
    reference = closed()
    of = agreed(AFTERNOON + CHILD)
    with psycopg.connect(plain(record.server.url("mash_owner"))) as owner:
        marks = plant(owner, reference)
        before = everything(owner)
        assert [mark for mark in marks if mark not in before] == []
        assert len(marks) >= 45
        owner.execute("DELETE FROM legal_hold")
        owner.execute("SELECT erase_content(%s, %s)", [reference, of])
        after = everything(owner)
        assert [mark for mark in marks if mark in after] == []
        owner.rollback()


#: Read before the tests' own surroundings are laid over those of whoever runs them.
ERASURES = int(os.environ.get("MASH_ERASURES", "3"))
WORDS = ("Wren", "Ashdown", "Imagined Row", "2016-05-04", "neighbour heard", "Team manager", "pattern", "CASE many")


@pytest.fixture
def erased(record: Record) -> list[str]:
    """Closed referrals with drafts about them, erased; MASH_ERASURES says how many, 500 in the full trial."""
    references = [closed(f"many {number}") for number in range(ERASURES)]
    with unit_of_work() as session:
        for reference in references:
            drafts.save(session, "decision", reference, {"rationale": "Wren half typed"}, by=DECIDER, at=AFTERNOON)
    with record.as_owner() as owner:
        whole = everything(owner)
    assert [word for word in WORDS if word not in whole] == []
    over = AFTERNOON + CHILD
    assert len(references) <= retention.MOST
    agreed(over)
    assert erase(over) == len(references)
    assert erase(over) == 0
    return references


def test_nothing_of_it_is_left_in_tables_dump_drafts_or_outbox_and_every_chain_is_whole(
    record: Record, erased: list[str]
):
    """S-27, R28: `MASH_ERASURES=500 pytest tests/casework/test_retention.py -k chain_is_whole` for all 500"""
    with record.as_owner() as owner:
        found = everything(owner)
    dump = record.server.dump().decode(errors="replace")
    assert [word for word in WORDS if word in found or word in dump] == []
    assert record.ask("SELECT (SELECT count(*) FROM draft) + (SELECT count(*) FROM notice) + count(*) FROM wake") == [
        (0,)
    ]
    assert record.ask("SELECT count(*) FROM ledger_content") == [(0,)]
    assert act(ledger_check.verify).whole
    for reference in erased:
        last = act(ledger.entries, reference)[-1]
        assert (last.act, last.detail["agreed_by"], last.detail["seconded_by"]) == ("CONTENT_ERASED", "lead", "admin")


def test_an_erased_referral_is_not_found_and_takes_nothing_more(record: Record):
    """R51: no late return, no second erasure; what was counted stays counted"""
    reference = closed()
    counted = "SELECT outcome, level_of_need, decided_at FROM threshold_decision"
    before = record.ask(counted)
    agreed(AFTERNOON + CHILD)
    erase(AFTERNOON + CHILD)
    for look in (referrals.find, referrals.lock):
        with pytest.raises(NotFound):
            act(look, reference)
    with pytest.raises(NotFound):
        give_back(reference, "POLICE", at=AFTERNOON + CHILD)
    assert what_is_over(AFTERNOON + 2 * CHILD) == []
    assert record.ask(counted) == before
    assert len(acts_of(record, reference)) > 15


def test_sent_notices_go_after_their_period_and_those_of_open_referrals_stay(record: Record):
    """R51"""
    closed("one")
    walk(Stage.CHECKING, sender_id="two")
    with record.as_owner() as owner:
        owner.execute("UPDATE notice SET status = 'SENT', written_at = clock_timestamp()")
    days = timedelta(days=current_profile().retention.sent_notice.days)
    assert act(retention.clear_notices, current_profile()) == 0
    with record.as_owner() as owner:
        owner.execute("UPDATE notice SET written_at = clock_timestamp() - %s", [days])
        owner.execute("UPDATE referral SET closed_at = clock_timestamp() - %s WHERE stage = 'CLOSED'", [days])
    assert act(retention.clear_notices, current_profile()) > 3
    assert set(record.ask("SELECT stage FROM notice JOIN referral USING (reference)")) == {("CHECKING",)}


# --- as operators and the timekeeper see it ---


def test_mash_retention_show_lists_what_is_over_and_erases_nothing(record: Record):
    """S-27: a dry run, for governance alone; references and codes, and nobody's name"""
    reference = closed()
    with record.as_owner() as owner:
        owner.execute("UPDATE referral SET closed_at = clock_timestamp() - %s", [CHILD])
    shown = _mash("show", by=LEAD)
    assert shown.output.startswith(f"{reference}  child_referral  kept until ")
    assert "1 would be erased" in shown.output
    assert json.loads(_mash("show", "--json", by=ADMIN).output)["over"][0]["held"] is False
    assert isinstance(_mash("show", by=DECIDER).exception, NotPermitted)
    assert referral(reference).narrative
    assert record.ask("SELECT count(*) FROM erasure_list") == [(0,)]


def _mash(*words: str, by: Actor) -> Any:
    token = act(accounts.issue_token, by.id, at=AFTERNOON)
    return CliRunner().invoke(app, ["retention", *words, "--token", token])


def test_the_timekeeper_lists_each_month_and_erases_within_the_hour(record: Record):
    """R51, S-27"""
    reference = closed()
    with record.as_owner() as owner:
        owner.execute("UPDATE referral SET closed_at = clock_timestamp() - %s", [CHILD])
    rounds.keep_rounds()
    rounds.keep_rounds()
    [(of,)] = record.ask("SELECT id FROM erasure_list")
    for by in (LEAD, ADMIN):
        act(retention.agree, of, by=by, at=AFTERNOON)
    rounds.keep_rounds()
    assert acts_of(record, reference)[-1] == "CLOSED"
    with record.as_owner() as owner:
        owner.execute("UPDATE turn SET taken_at = taken_at - interval '61 minutes'")
    rounds.keep_rounds()
    assert acts_of(record, reference)[-1] == "CONTENT_ERASED"
    assert record.ask("SELECT count(*) FROM erasure_list") == [(1,)]
