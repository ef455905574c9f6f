"""What somebody is given who asks for their own data: all of it, and nothing of anybody else (S-28)."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from typer.testing import CliRunner

from casework import accounts, subject_access
from casework.db import unit_of_work
from casework.documents import AccessDocument, AccessHoldDocument
from casework.subject_access import COPIES
from engine.cli import app
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted, Refused, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    a_family,
    account_of,
    act,
    acts_of,
    an_item,
    answer,
    ask,
    give_back,
    refer,
    walk,
)
from tests.casework.test_retention import ADMIN, LEAD, canary, plant, sealed_columns
from tests.record import Record

RECEIVED = date(2026, 3, 16)


@pytest.fixture(autouse=True)
def governance(people: Record) -> None:
    with unit_of_work() as session:
        session.add_all(account_of(actor, AFTERNOON) for actor in (LEAD, ADMIN))


def asked(reference: str, subject: str = "S1", on: date = RECEIVED) -> UUID:
    document = AccessDocument(reference=reference, subject=subject, received_on=on)
    return act(subject_access.ask, document, by=LEAD, at=AFTERNOON)


def exported(reference: str, subject: str = "S1") -> dict[str, Any]:
    return act(subject_access.export, asked(reference, subject), by=LEAD, at=AFTERNOON)


def test_every_field_that_is_held_about_them_is_in_it(record: Record):
    """S-28: a mark in every sealed column of every table, those of a new table too, is in both files"""
    reference = walk(Stage.CLOSED)
    owner = sa.create_engine(record.server.url("mash_owner"))
    with owner.connect() as connection:
        plant(connection.connection.driver_connection, reference)
        with Session(bind=connection) as session:
            # The row of the request itself is not held.
            connection.execute(sa.text("DELETE FROM subject_access"))
            told = subject_access.export(session, asked_again(session, reference), by=LEAD, at=AFTERNOON)
        connection.rollback()
    owner.dispose()
    wanted = {
        canary(table.name, column.name)
        for table, column, _ in sealed_columns()
        if table.name not in COPIES | {"legal_hold", "draft"}
    }
    for name, content in subject_access.files(told).items():
        assert [mark for mark in sorted(wanted) if mark not in content.decode()] == [], name
    assert len(wanted) >= 38
    assert {one["reason"] for one in told["left_out"]} == {"LEGAL_CLAIM"}


def asked_again(session: Session, reference: str) -> UUID:
    document = AccessDocument(reference=reference, subject="S1", received_on=RECEIVED)
    found = subject_access.ask(session, document, by=LEAD, at=AFTERNOON)
    session.flush()
    return found


GIVEN, LEFT = "Canarygiven", "Canaryleftout"


@pytest.fixture
def family() -> str:
    """A mother at an address of her own and two children; the police gave and withheld items about each of them."""
    mother, son, daughter = a_family()
    mother |= {"address": "3 Hidden Lane, Bath", "voice": f"{LEFT} mother", "nhs_number": "9990000107"}
    daughter |= {"voice": f"{GIVEN} daughter"}
    son |= {"voice": f"{LEFT} son"}
    reference = refer(subjects=[mother, son, daughter])
    ask(reference)
    returned = answer(
        "KNOWN_OPEN",
        items=[
            an_item(text=f"{GIVEN} own", about=["S3"]),
            an_item(text=f"{GIVEN} both", about=["S2", "S3"]),
            an_item(text=f"{LEFT} of another", about=["S2"]),
            an_item(text=f"{LEFT} told", about=["S3"], kind="THIRD_PARTY"),
            an_item(text=f"{LEFT} with MARLA", about=["S3"]),
            an_item(text=f"{LEFT} at 3  hidden lane,\nBath", about=["S3"]),
            {"recipients": "NOBODY", "withheld_because": "LIVE_INVESTIGATION", "text": f"{LEFT} kept", "about": ["S3"]},
        ],
        summary=f"{LEFT}: Perrin was seen.",
    )
    give_back(reference, "POLICE", returned)
    return reference


def test_nothing_of_anybody_else_is_given_and_all_of_it_is_listed(family: str):
    """S-28: 0 of third parties; a redaction log with codes, and not a word of what was left out"""
    told = exported(family, "S3")
    given = json.dumps(told["given"], ensure_ascii=False)
    for word in (LEFT, "Marla", "Perrin", "Hidden Lane", "9990000107", "1988-02-11", "2012-09-30"):
        assert word not in json.dumps(told, ensure_ascii=False), word
    for word in ("daughter", "own", "both"):
        assert f"{GIVEN} {word}" in given
    assert "Linnet" in given
    listed = [(one["reason"], one.get("withheld_because")) for one in told["left_out"] if "items" in one["place"]]
    assert listed == [
        ("ABOUT_OTHERS", None), ("THIRD_PARTY", None), ("NAMES_OTHERS", None), ("NAMES_OTHERS", None),
        ("WITHHELD_BY_AGENCY", "LIVE_INVESTIGATION"),
    ]  # fmt: skip
    places = [one["place"] for one in told["left_out"]]
    assert [place for place in places if place.startswith("subject ")] == ["subject 1", "subject 2"]
    assert any("summary" in one["place"] and one["reason"] == "NAMES_OTHERS" for one in told["left_out"])


def test_making_one_is_in_the_ledger_with_counts_and_it_has_two_files(record: Record, family: str):
    """S-28, R28"""
    told = exported(family, "S3")
    assert acts_of(record, family)[-2:] == ["ACCESS_ASKED", "ACCESS_EXPORTED"]
    [(detail,)] = record.ask("SELECT detail FROM ledger WHERE act = 'ACCESS_EXPORTED'")
    assert detail == {"subject": "S3", "given": len(told["given"]), "left_out": len(told["left_out"])}
    packed = zipfile.ZipFile(io.BytesIO(subject_access.packed(told)))
    assert packed.namelist() == [f"subject-access-{family}-S3.html", f"subject-access-{family}-S3.json"]
    assert json.loads(packed.read(packed.namelist()[1])) == told
    assert "<script" not in packed.read(packed.namelist()[0]).decode()


def test_nothing_is_given_while_serious_harm_is_feared_whoever_asks_again(record: Record, family: str):
    """S-28: DPA 2018 Sch. 3"""
    request = asked(family, "S1")
    reason = AccessHoldDocument(reason="He would find her.")
    act(subject_access.hold, request, reason, by=LEAD, at=AFTERNOON)
    with pytest.raises(Conflict):
        act(subject_access.hold, request, reason, by=LEAD, at=AFTERNOON)
    for each in (request, asked(family, "S1")):
        with pytest.raises(WrongStage):
            act(subject_access.export, each, by=LEAD, at=AFTERNOON)
    assert exported(family, "S2")["given"]
    act(subject_access.lift, request, by=LEAD, at=AFTERNOON)
    act(subject_access.lift, request, by=LEAD, at=AFTERNOON)
    assert act(subject_access.export, request, by=LEAD, at=AFTERNOON)["given"]
    acts = acts_of(record, family)
    assert (acts.count("ACCESS_HELD"), acts.count("ACCESS_HOLD_LIFTED")) == (1, 1)


def test_the_month_is_shown_and_what_is_overdue(family: str):
    """S-28"""
    late, early = asked(family, "S1", date(2026, 2, 2)), asked(family, "S2")
    found = {each.request.id: each for each in act(subject_access.requests, by=LEAD, at=AFTERNOON)}
    assert (found[late].due_on, found[late].overdue) == (date(2026, 3, 2), True)
    assert (found[early].due_on, found[early].overdue) == (date(2026, 4, 16), False)
    act(subject_access.export, late, by=LEAD, at=AFTERNOON)
    assert act(subject_access.one, late, by=LEAD, at=AFTERNOON).overdue is False


def test_what_is_no_request_is_refused(family: str):
    """S-28"""
    with pytest.raises(NotAcceptable):
        asked(family, "S1", date(2026, 3, 17))
    with pytest.raises(NotFound):
        asked(family, "S4")
    with pytest.raises(NotFound):
        asked("7KQ2-XW9S")


@pytest.mark.parametrize("by", [ADMIN, DECIDER, Actor("lead", Role.IG_LEAD)], ids=["admin", "decider", "a system"])
def test_nobody_but_the_lead_makes_one(family: str, by: Actor):
    """S-28, R58"""
    request = asked(family)
    for verb in (subject_access.export, subject_access.one, subject_access.lift):
        with pytest.raises(NotPermitted):
            act(verb, request, by=by, at=AFTERNOON)


def test_mash_subject_access_writes_both_files(family: str, tmp_path: Path):
    """S-28"""
    token = act(accounts.issue_token, LEAD.id, at=AFTERNOON)
    words = ["subject-access", family, "s3", "--received", "2026-03-16", "--out", str(tmp_path), "--token", token]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "To be answered by 2026-04-16." in done.output
    assert {file.suffix for file in tmp_path.iterdir()} == {".html", ".json"}
    assert f"{GIVEN} own" in next(tmp_path.glob("*.html")).read_text()
    assert isinstance(CliRunner().invoke(app, words).exception, Refused)
