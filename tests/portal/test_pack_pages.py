"""A board reads its pack, on a page and as a PDF, and finds no way from it to a case (R59, R60)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from casework.db import now, unit_of_work
from portal.examples import CHILD
from reports import packs
from tests.portal.office import Office
from tests.portal.people import Person, at_their_desk


@pytest.fixture
def analyst(office: Office, client: Any) -> Person:
    return at_their_desk(client, "ANALYST")


@pytest.fixture
def member(office: Office, client: Any) -> Person:
    return at_their_desk(client, "BOARD")


def last_quarter() -> str:
    with unit_of_work() as session:
        return packs.ended(now(session).date())[0].first.isoformat()


def test_an_analyst_makes_a_pack_and_the_board_reads_and_prints_it(office: Office, analyst: Person, member: Person):
    """R60"""
    reference = office.refer_and_hand_back(CHILD)
    made = analyst.send("/packs", {"side": "child", "first_on": last_quarter()})
    page = made.headers["location"].partition("?")[0]
    assert page in member.get("/packs").text
    shown = member.get(page).text
    assert "Counts under" in shown or "A count under 5 is suppressed" in shown
    assert "Timeliness by partner" in shown
    assert reference not in shown
    assert not re.search(r'href="/(board|referrals|checks|r|sla)/', shown)
    printed = member.get(f"{page}/pdf")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF")
    again = analyst.send("/packs", {"side": "child", "first_on": last_quarter()})
    assert again.headers["location"].partition("?")[0] == page


def test_only_a_quarter_that_has_ended_is_packed(analyst: Person):
    """R59: of overlapping periods the difference could be taken"""
    for day in ("2026-02-01", "2099-01-01"):
        refused = analyst.send("/packs", {"side": "adult", "first_on": day})
        assert (refused.status_code, 'href="#first_on"' in refused.text) == (422, True)
    assert 'href="#side"' in analyst.send("/packs", {"side": ""}).text


def test_a_member_of_a_board_makes_none(member: Person):
    """R59"""
    assert "Make one now" not in member.get("/packs").text
    assert member.post("/packs", {"side": "child", "first_on": last_quarter()}).status_code == 403
