"""Behind the rules stands the database: the application's role is shown what concerns the reader, and no more (S-4)."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from casework import drafts, wall
from casework.db import database, keep_plans, unit_of_work
from models.check import Clarification
from models.tables import METADATA
from rules.permissions import HUB, Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    DECIDER,
    DUTY,
    OPERATOR,
    SUPPORT,
    a_family,
    act,
    all_give_back,
    an_adult,
    ask,
    check,
    duty,
    refer,
    rep,
    walk,
)
from tests.record import Record

#: Tables that hold nothing of a case: the area's codes, accounts and how they sign in, feedback on the process, what
#: was counted, and that a sample was drawn.
NO_CASE = frozenset(
    {
        "account", "account_event", "agency", "agreement_event", "api_token", "area_profile", "board_pack",
        "dip_sample", "erasure_list", "feedback", "invitation", "misdirected_contact", "portal_session", "post",
        "provider_visit", "raised_alarm", "scenario_clock", "sharing_agreement", "sign_in",
        "stage_move", "throttle", "turn",
    }
)  # fmt: skip
CASE = sorted(METADATA.tables.keys() - NO_CASE)
ADMINISTRATOR = Actor("administrator", Role.ACCOUNT_ADMIN, is_person=True)
ANALYST = Actor("analyst", Role.ANALYST, is_person=True)
POLICE, MENTAL_HEALTH = rep("POLICE"), rep("MENTAL_HEALTH")
#: Whom the wall shows every row: the rules' gates stand before them.
SEE_ALL = (HUB, DECIDER, SUPPORT, OPERATOR)
OWN_CHECKS = "SELECT id FROM agency_check WHERE agency = 'POLICE'"
OWN_REFERRALS = "SELECT reference FROM agency_check WHERE agency = 'POLICE'"
#: What a representative of the police is shown, said once more in other words: the rows' condition.
OF_THE_POLICE = {
    "referral": f"reference IN ({OWN_REFERRALS})",
    "subject": f"reference IN ({OWN_REFERRALS})",
    "ledger": f"reference IN ({OWN_REFERRALS})",
    "ledger_content": f"reference IN ({OWN_REFERRALS})",
    "hand_back": f"reference IN ({OWN_REFERRALS})",
    "agency_check": "agency = 'POLICE'",
    "urgent_call": "agency = 'POLICE'",
    "threshold_view": "agency = 'POLICE'",
    "agency_return": f"check_id IN ({OWN_CHECKS})",
    "clarification": f"check_id IN ({OWN_CHECKS})",
    "follow_up": f"check_id IN ({OWN_CHECKS})",
    "draft": "account_id = 'rep-POLICE'",
    "notice": "reference IS NULL",
}
TOLD = "SELECT reference FROM hand_back WHERE duty_team = 'ADULT_ASIST'"
ASISTS = f"reference IN (SELECT reference FROM referral WHERE duty_team = 'ADULT_ASIST' UNION {TOLD})"
OF_ASIST = {
    **dict.fromkeys(("referral", "subject", "ledger", "ledger_content", "agency_check"), ASISTS),
    "hand_back": "duty_team = 'ADULT_ASIST'",
    "draft": "account_id = 'system-ADULT_ASIST'",
    "notice": "reference IS NULL",
}


@pytest.fixture
def cases(record: Record) -> Record:
    """A child's, an adult's and a family's referral at several stages, and one that nobody is asked about yet."""
    walk(Stage.AWAITING_ACK)
    refer(sender_id="new")
    family = refer(sender_id="family", subjects=a_family())
    ask(family)
    adult = refer(sender_id="adult", team=ASIST, subjects=[an_adult()])
    ask(adult)
    all_give_back(adult, but=["MENTAL_HEALTH"])
    with unit_of_work() as session:
        for reference, agency in ((family, "POLICE"), (adult, "MENTAL_HEALTH")):
            session.add(
                Clarification(
                    check_id=check(reference, agency).id,
                    question="Which?",
                    asked_at=AFTERNOON,
                    asked_by=f"rep-{agency}",
                )
            )
        for who in (POLICE, MENTAL_HEALTH, duty(ASIST)):
            drafts.save(session, "return", family, {}, by=who, at=AFTERNOON)
    return record


def _shown(by: Actor, table: str, *, plans_kept: bool = False) -> int:
    with unit_of_work() as session:
        if plans_kept:
            keep_plans(session)
        wall.narrow(session, by)
        return session.execute(sa.select(sa.func.count()).select_from(METADATA.tables[table])).scalar_one()


def _all(record: Record, table: str, where: str = "true") -> int:
    found: int = record.ask(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]
    return found


def test_every_table_of_a_case_has_the_wall_and_it_stands_before_the_owner_too(record: Record):
    """S-4: a new table is named here as one without anything of a case, or has the wall"""
    found = record.ask(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
        " AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policies WHERE tablename = relname"
        " AND policyname = relname || '_reader' AND strpos(qual, 'mash.scope') > 0)"
    )
    assert sorted(name for (name,) in found) == CASE
    assert record.ask("SELECT viewname FROM pg_views WHERE schemaname = 'public'") == []


def test_where_nobody_said_who_reads_nothing_is_shown(cases: Record):
    """S-4: unset, and wrong"""
    for scope in (None, "", "own", "HUB", "hub ", "all"):
        with cases.server.connect("mash_app") as connection:
            if scope is not None:
                connection.execute("SELECT set_config('mash.scope', %s, false)", [scope])
            for table in CASE:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                wanted = _all(cases, table, "reference IS NULL") if table == "notice" else 0
                assert connection.execute(query).fetchone() == (wanted,), (scope, table)
    assert all(_all(cases, table) for table in ("referral", "subject", "agency_check", "agency_return", "ledger"))


def test_an_agency_and_a_team_are_shown_what_concerns_them(cases: Record):
    """S-4, R48, R49: whatever a query forgets to ask"""
    for table in CASE:
        of_no_case = "reference IS NULL" if table == "notice" else "false"
        assert _shown(POLICE, table) == _all(cases, table, OF_THE_POLICE.get(table, "false")), table
        assert _shown(duty(ASIST), table) == _all(cases, table, OF_ASIST.get(table, "false")), table
        for by in (rep("NOBODYS"), ADMINISTRATOR, ANALYST):
            assert _shown(by, table) == _all(cases, table, of_no_case), table
        for by in SEE_ALL:
            assert _shown(by, table) == _all(cases, table), table


def test_the_wall_hides_something_from_each_of_them(cases: Record):
    """What the test before compares is not the same number twice"""
    for table in ("agency_check", "agency_return", "referral", "clarification", "draft"):
        assert 0 < _all(cases, table, OF_THE_POLICE[table]) < _all(cases, table)
    for table in ("referral", "subject", "agency_check", "ledger"):
        assert 0 < _all(cases, table, OF_ASIST[table]) < _all(cases, table)


def test_a_reader_changes_no_row_of_somebody_else(cases: Record):
    """S-4: a write that a reader's transaction should never make finds no row, or is refused"""
    police, others = check_ids(cases, "agency = 'POLICE'"), check_ids(cases, "agency <> 'POLICE'")

    def rename(session: Session, known: str) -> int:
        wall.narrow(session, POLICE)
        checks = METADATA.tables["agency_check"]
        return session.execute(sa.update(checks).values(known=known)).rowcount  # type: ignore[attr-defined,no-any-return]

    assert act(rename, "KNOWN_OPEN") == len(police)
    assert cases.ask("SELECT count(*) FROM agency_check WHERE known IS NOT NULL") == [(len(police),)]

    def ask_for_another(session: Session) -> None:
        wall.narrow(session, POLICE)
        session.add(Clarification(check_id=others[0], question="?", asked_at=AFTERNOON, asked_by="rep-POLICE"))

    with pytest.raises(ProgrammingError, match="row-level security"):
        act(ask_for_another)


def check_ids(record: Record, where: str) -> list[object]:
    """The checks that meet a condition."""
    return [row[0] for row in record.ask(f"SELECT id FROM agency_check WHERE {where}")]


def test_nothing_of_one_reader_is_left_on_a_connection_for_the_next(cases: Record):
    """S-4: 1,000 transactions of different readers, eight at a time, on the pool's connections, whose plans are kept"""
    readers = (POLICE, MENTAL_HEALTH, duty(ASIST), duty(DUTY), ADMINISTRATOR, SUPPORT)
    wanted = {by.id: _shown(by, "agency_check") for by in readers}
    assert len(set(wanted.values())) > 3

    def look(by: Actor) -> bool:
        return _shown(by, "agency_check", plans_kept=True) == wanted[by.id]

    chosen = random.Random(4).choices(readers, k=1_000)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, chosen))
    left_over = _left_over(lambda: database().raw_connection().driver_connection)
    assert left_over == ("", "force_custom_plan")


def _left_over(connect: Callable[[], psycopg.Connection | None]) -> tuple[str, str] | None:
    connection = connect()
    assert connection is not None
    return connection.execute(
        "SELECT coalesce(current_setting('mash.scope', true), ''), current_setting('plan_cache_mode')"
    ).fetchone()
