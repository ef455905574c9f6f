"""What the database refuses whoever asks: changed history, unsigned decisions, a clock moved by the application."""

from __future__ import annotations

import psycopg
import pytest

from models.account import Account
from models.decision import ThresholdDecision
from models.tables import METADATA
from rules.permissions import Role
from tests.models.rows import NOW, a_referral_row, a_subject_row, a_template_row, foundations, put
from tests.record import Record

APPEND_ONLY = ("ledger", "threshold_decision", "collated_template", "agency_return", "threshold_view", "area_profile")
CHANGES = ("UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE")
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.mark.parametrize("role", ["mash_app", "mash_owner"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_is_added_and_never_changed(record: Record, table, change, role):
    """INV11, S-23c: neither the application nor the owner of the tables rewrites history"""
    column = next(iter(METADATA.tables[table].columns)).name
    with record.server.connect(role) as connection, pytest.raises(DENIED):
        connection.execute(change.format(table, column, column).encode())


#: What can be made anew: wakes, by what people are looked for, and which earlier referrals were found by that.
MADE_ANEW = {"wake", "radar_key", "earlier_contact", "raised_alarm"}


@pytest.mark.parametrize("table", sorted(METADATA.tables.keys() - MADE_ANEW))
def test_the_application_deletes_nothing_but_what_can_be_made_anew(record: Record, table):
    with record.as_app() as connection, pytest.raises(DENIED):
        connection.execute(f"DELETE FROM {table}".encode())


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO scenario_clock VALUES (1, now())",
        "UPDATE scenario_clock SET now = now()",
        "INSERT INTO stage_move VALUES ('referral', 'RECEIVED', 'CLOSED')",
        "UPDATE stage_move SET to_status = 'CLOSED'",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE referral",
        "CREATE OR REPLACE FUNCTION mash_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
        "CREATE TABLE mine (one int)",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
def test_the_application_cannot_move_the_clock_or_open_its_own_locks(record: Record, statement):
    """S-23c; INV4: the clock is the database's, or the scenario's"""
    with record.as_app() as connection, pytest.raises(DENIED):
        connection.execute(statement.encode())


ATTEMPTS = {
    "UPDATE ledger SET actor = 'Canary'": "permission denied for table ledger",
    "DELETE FROM ledger WHERE actor = 'Canary'": "permission denied for table ledger",
    "TRUNCATE ledger CASCADE": "permission denied for table ledger",
    "ALTER TABLE ledger DISABLE TRIGGER USER": "must be owner of table ledger",
    "SET session_replication_role = replica": 'permission denied to set parameter "session_replication_role"',
    "DELETE FROM ledger_content WHERE reference = 'Canary'": "permission denied for table ledger_content",
}


def test_every_refused_attempt_is_in_the_servers_log_by_its_role_and_without_its_words(record: Record):
    """S-23c: refused 100 %, attempts logged"""
    log = record.server.home / "logs" / "postgres.log"
    before = log.stat().st_size
    for attempt in ATTEMPTS:
        with record.as_app() as connection, pytest.raises(DENIED):
            connection.execute(attempt.encode())
    lines = log.read_text()[before:].splitlines()
    refused = [line.partition(" mash_app ERROR:  ")[2] for line in lines if " mash_app ERROR:  " in line]
    assert refused == list(ATTEMPTS.values())
    assert "Canary" not in "".join(lines)


def test_the_applications_role_owns_nothing_and_is_nobody_special(record: Record):
    """S-4"""
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'mash_app'::regrole"
    special = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'mash_app'"
    assert record.ask(owned) == [(0,)]
    assert record.ask(special) == [(False,)]


def _signed_by(account: str) -> list[object]:
    referral, subject, template = a_referral_row("R"), a_subject_row("R"), a_template_row("R")
    return [
        referral,
        subject,
        template,
        ThresholdDecision(
            reference="R",
            subject_id=subject.id,
            version=1,
            threshold_met=True,
            level_of_need="L4",
            outcome="C_STRATEGY",
            rationale="A pattern.",
            words_for_duty_team="Please act.",
            actions=[],
            threshold_document="2016.1",
            collated_template_id=template.id,
            decided_at=NOW,
            decided_by=account,
        ),
    ]


def _account(role: Role, **more: object) -> Account:
    return Account(**{"id": "signer", "role": role, "is_person": True, "added_at": NOW, **more})


def test_a_decision_maker_signs(record: Record):
    put(*foundations(), *_signed_by("decider"))
    assert record.ask("SELECT decided_by FROM threshold_decision") == [("decider",)]


@pytest.mark.parametrize(
    "account",
    [
        _account(Role.HUB, is_person=False),
        _account(Role.DUTY_TEAM, is_person=False, duty_team="CHILDREN_DUTY"),
        _account(Role.AGENCY, agency="POLICE"),
        _account(Role.MASH_SUPPORT, mash_profile=True),
        _account(Role.OPERATOR),
        _account(Role.DECISION_MAKER),
        _account(Role.DECISION_MAKER, mash_profile=True, disabled_at=NOW),
        None,
    ],
    ids=["hub", "system", "agency", "support", "operator", "no MASH profile", "disabled", "nobody"],
)
def test_the_database_refuses_a_decision_that_no_decision_maker_signed(record: Record, account):
    """R36: no code path decides without an authenticated person"""
    put(*foundations(), *([account] if account else []))
    with pytest.raises(Exception, match="only a decision maker decides"):
        put(*_signed_by("signer"))
    assert record.ask("SELECT count(*) FROM threshold_decision") == [(0,)]


@pytest.mark.parametrize(
    ("account", "constraint"),
    [
        (_account(Role.DECISION_MAKER, is_person=False), "account_system_is_of_a_body"),
        (_account(Role.MASH_SUPPORT, is_person=False), "account_system_is_of_a_body"),
        (_account(Role.OPERATOR, mash_profile=True), "account_mash_profile_is_staff"),
        (_account(Role.AGENCY, mash_profile=True, agency="POLICE"), "account_mash_profile_is_staff"),
        (_account(Role.AGENCY), "account_agency_has_one"),
        (_account(Role.OPERATOR, agency="POLICE"), "account_agency_has_one"),
        (_account(Role.DUTY_TEAM), "account_duty_team_has_one"),
        (_account(Role.AGENCY, agency="POLICE", duty_team="CHILDREN_DUTY"), "account_duty_team_has_one"),
    ],
)
def test_no_account_has_more_than_its_role_gives(record: Record, account, constraint):
    """R48, S-9: no role implies the MASH profile, and no system decides"""
    put(*foundations())
    with pytest.raises(Exception, match=constraint):
        put(account)


def test_every_time_in_the_record_knows_its_zone(record: Record):
    naive = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type IN ('timestamp without time zone', 'time without time zone', 'date')"
        # An agreement is in force from one local day to another, whatever the hour.
        " AND table_name <> 'sharing_agreement'"
        # People say on which day somebody was told, or consented.
        " AND (table_name, column_name) NOT IN (('subject', 'informed_on'), ('subject', 'consent_on'))"
        # A sample is drawn from what was decided on some days, and a pack is of a quarter.
        " AND table_name NOT IN ('dip_sample', 'board_pack')"
    )
    assert record.ask(naive) == []
    put(*foundations(), a_referral_row("R"))
    [(received,)] = record.ask("SELECT received_at FROM referral")
    assert received == NOW
    assert received.utcoffset() is not None
