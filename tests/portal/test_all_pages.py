"""What holds of every page: each id is there once, and no address of a person comes on paper or into a file (S-26)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

import pytest

from casework.db import unit_of_work
from portal.access import ACCESS, ANYBODY
from portal.examples import CHILD
from reports.figures import CheckRow, Figures
from tests.portal.caller import Caller, Question, Told, filled
from tests.portal.conftest import Credentials
from tests.portal.office import Office, returns
from tests.portal.paper import on_paper
from tests.portal.people import at_their_desk
from tests.portal.principals import Principal
from tests.portal.test_matrix import FILL, NOTHINGS

ROUTES = [route for route, roles in ACCESS.items() if route.startswith("GET ") and roles is not ANYBODY]
ADDRESS, OFFICER = CHILD["subjects"][0]["address"], CHILD["sending_officer"]
SENSITIVE = (ADDRESS, OFFICER["name"], OFFICER["reply_to"])
#: Where an address is seen: by those who search with it, and those who put it right; and by their systems.
SHOWN = {"GET /checks/{reference}", "GET /board/{reference}/details", "GET /referrals/{reference}/details"}
GIVEN = {"GET /api/v1/referrals/{reference}/check", "GET /api/v1/referrals/{reference}/details"}


class Opened(NamedTuple):
    """What somebody of a role was told who asked for something that they may have."""

    route: str
    role: str
    told: Told

    @property
    def is_page(self) -> bool:
        return self.told.header("content-type").startswith("text/html")


@pytest.fixture(scope="module")
def opened(client: Any, credentials: Credentials, caller: Caller, people: list[Principal]) -> list[Opened]:
    """Everything that can be read, by one of each role, of a referral with a question and a return, and a later one."""
    office = Office(client, credentials.tokens)
    references = [office.refer_and_ask(CHILD), office.refer_and_hand_back(CHILD)]
    assert office.post("POLICE", f"/referrals/{references[0]}/check/clarify", {"text": "Which one?"}).status_code < 300
    with unit_of_work() as session:
        returns(session, references[0], "POLICE")
    first_of = {who.actor.role: who for who in reversed(people) if who.actor and who.cookie}
    asked = [
        (route, role, Question("GET", _target(route, reference), who.headers("GET", api=False)))
        for route in ROUTES
        for role, who in first_of.items()
        if role in (ACCESS[route] or ())
        for reference in (references if "{reference}" in route else references[:1])
    ]
    answers = caller.ask(*(question for *_, question in asked))
    found = [Opened(route, role, told) for (route, role, _), told in zip(asked, answers, strict=True)]
    return [each for each in found if each.told.status == 200]


def _target(route: str, reference: str) -> str:
    return filled(route.partition(" ")[2], FILL | NOTHINGS | {"reference": reference})


def test_no_page_has_an_id_twice(opened: list[Opened]):
    """WCAG 1.3.1, 3.3.1: a label, and the link from an error, lead to one field"""
    pages = [each for each in opened if each.is_page]
    ids = {(each.route, each.role): Counter(re.findall(r'\sid="([^"]*)"', each.told.text)) for each in pages}
    twice = {page: [each for each, times in of.items() if times > 1] for page, of in ids.items()}
    assert {page: found for page, found in twice.items() if found} == {}
    assert len({each.route for each in pages}) > 50


def test_an_address_is_neither_printed_nor_put_into_a_file(opened: list[Opened]):
    """S-26: off by default; it stands on the screens of those who need it, and in what their systems ask for"""
    with_it = [each for each in opened if any(word in each.told.text for word in SENSITIVE)]
    assert {each.route for each in with_it if each.is_page} == SHOWN
    assert {each.route for each in with_it if not each.is_page} == GIVEN
    printed = [each for each in with_it if each.is_page and any(w in on_paper(each.told.text) for w in SENSITIVE)]
    assert [(each.route, each.role) for each in printed] == []
    assert not {*CheckRow._fields, *Figures._fields} & {"address", "sending_officer", "given_name", "family_name"}


def test_a_referral_is_printed_without_them_while_it_is_being_filled_in(client: Any, record: object):
    """S-26"""
    typed = {"subjects-0-address": ADDRESS, "sending_officer-name": OFFICER["name"]}
    again = at_their_desk(client, "OFFICER").post("/refer/details", {**typed, "do": "send"})
    assert again.status_code == 422
    assert [(word in again.text, word in on_paper(again.text)) for word in typed.values()] == [(True, False)] * 2
