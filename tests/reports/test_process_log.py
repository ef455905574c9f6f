"""What happened, for process-mining tools: in references and codes alone (issue 6)."""

from __future__ import annotations

import json
from datetime import date
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from casework.db import unit_of_work
from casework.hidden import read_as
from casework.restriction import restrict
from casework.restriction_documents import RestrictionDocument
from reports import process_log
from reports.process_log import Event, as_ocel, as_xes
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ANALYST,
    DECIDER,
    DUTY,
    FOR_A_CHILD,
    account_of,
    act,
    acts_of,
    open_hub,
    walk,
)
from tests.record import Record

ZONE = ZoneInfo("Europe/London")
DAY = date(2026, 3, 16)
XES = "{http://www.xes-standard.org/}"


@pytest.fixture
def hub(record: Record) -> Record:
    open_hub()
    return record


def happened() -> list[Event]:
    """As an analyst may know it."""
    with unit_of_work() as session:
        read_as(session, ANALYST)
        return process_log.events(session, DAY, DAY, ZONE)


def test_an_xes_log_holds_each_referral_as_its_ledger_tells_it(hub: Record):
    """Issue 6, point 6"""
    references = [walk(Stage.CLOSED, sender_id=f"n{number}") for number in range(2)]
    log = ElementTree.fromstring(as_xes(happened()))
    traces = log.findall(f"{XES}trace")
    names = [trace.find(f"{XES}string").get("value") for trace in traces]
    assert sorted(names) == sorted(references)
    for name, trace in zip(names, traces, strict=True):
        acts = [event.find(f"{XES}string").get("value") for event in trace.findall(f"{XES}event")]
        assert acts == acts_of(hub, name)
        times = [event.find(f"{XES}date").get("value") for event in trace.findall(f"{XES}event")]
        assert times == sorted(times)


def test_an_ocel_log_ties_every_act_of_a_check_to_its_referral(hub: Record):
    """Issue 6, point 6: the parts that the OCEL 2.0 standard's JSON form asks for, and no tie that leads nowhere"""
    reference = walk(Stage.CLOSED)
    told = json.loads(as_ocel(happened()))
    ids = {each["id"] for each in told["objects"]}
    assert ids == {reference, *(f"{reference}/{agency}" for agency in FOR_A_CHILD)}
    assert {each["type"] for each in told["objects"]} <= {kind["name"] for kind in told["objectTypes"]}
    assert {each["type"] for each in told["events"]} == {kind["name"] for kind in told["eventTypes"]}
    assert {tie["objectId"] for event in told["events"] for tie in event["relationships"]} == ids
    assert all(event["time"].endswith("Z") for event in told["events"])


def test_a_log_names_nobody_and_says_nothing_of_what_was_said(hub: Record):
    """R51: no account, no content; and a restricted referral is not in it (S-5)"""
    walk(Stage.CLOSED)
    hidden = walk(Stage.CHECKING, sender_id="two")
    officer = Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True)
    act(Session.add, account_of(officer, AFTERNOON))
    document = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["decider", "officer"])
    act(restrict, hidden, document, by=DECIDER, at=AFTERNOON)
    for written in (as_xes(happened()).decode(), as_ocel(happened()).decode()):
        assert hidden not in written
        for secret in ("Wren", "Ashdown", "Shouting", "decider", "support", "rep-POLICE", "system-CHILDREN"):
            assert secret not in written


def test_what_was_received_on_another_day_is_not_in_the_log(hub: Record):
    """Issue 6, point 6"""
    walk(Stage.CHECKING)
    assert act(process_log.events, date(2026, 3, 17), date(2026, 3, 18), ZONE) == []
