"""Every page in every role: nobody shut out, nothing cut off, nothing personal in titles and addresses (S-17, S-18)."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page
from sqlmodel import select

from casework import accounts, agreements, board_packs, dip_samples, feedback, legal_hold, subject_access
from casework.db import now, unit_of_work
from casework.documents import AccessDocument, HoldDocument
from casework.register import current_profile
from casework.sample_documents import SampleDocument
from models.account import Account
from models.referral import Referral
from portal import cookies
from portal.access import ACCESS, ANYBODY
from portal.app import create_app
from portal.examples import ADULT, CHILD, JOINT
from reports import packs
from rules.people import Side
from rules.permissions import HUB, Actor, Role
from tests.browser.look import complaints_of, look
from tests.casework.test_agreements import ADMIN, signed
from tests.portal.conftest import Credentials, client, credentials, record, server  # noqa: F401 -- fixtures
from tests.portal.office import Office
from tests.portal.principals import Principal, everybody
from tests.portal.test_matrix import FILL, FOR_THE_NAMED
from tests.portal.things import ABSENT, Thing, all_things

PAGES = [route for route in ACCESS if route.startswith("GET ") and " /api/" not in route]
#: No pages: they lead on, or give what a page is made of.
NO_PAGES = {
    "GET /", "GET /r/{reference}", "GET /health", "GET /live", "GET /static/{name}", "GET /stay", "GET /board-rows",
    "GET /board/{reference}/news",
    "GET /sign-in/provider", "GET /sign-in/provider/back", "GET /sla/figures.{form}", "GET /sla/checks.{form}",
    "GET /packs/{pack_id}/pdf",
}  # fmt: skip
#: Pages that a person comes to on a way of their own, walked below or in the scenarios.
ON_A_WAY = {"GET /step-up", "GET /kept"}
#: For whoever did not decide: walked below.
SECOND_LOOK = "GET /second-looks/{reference}"
LEAD = Actor("IG_LEAD", Role.IG_LEAD, is_person=True)
ELSEWHERE = NO_PAGES | ON_A_WAY
PERSONAL = re.compile("|".join(
    re.escape(str(person[part]))
    for example in (CHILD, ADULT, JOINT) for person in example["subjects"]
    for part in ("given_name", "family_name", "nhs_number", "address") if part in person
))  # fmt: skip


@pytest.fixture(scope="module")
def site(record: object) -> Iterator[str]:  # noqa: F811
    """The portal behind a real HTTP server of this process, on the tests' record; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(create_app(), port=port, log_level="error", server_header=False))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def people(record: object, credentials: Credentials) -> dict[str, Principal]:  # noqa: F811
    return {who.name: who for who in everybody(credentials.tokens) if who.actor and who.cookie}


@pytest.fixture(scope="module")
def visitors(site: str, browser: Browser, people: dict[str, Principal]) -> Callable[[str], Page]:
    """A browser of somebody's own, signed in."""

    def come(name: str) -> Page:
        page = browser.new_context(base_url=site).new_page()
        own = {"name": cookies.name_of(cookies.SESSION), "value": people[name].cookie, "url": site}
        page.context.add_cookies([own])
        return page

    return come


@pytest.fixture(scope="module")
def things(client: Any, credentials: Credentials) -> list[Thing]:  # noqa: F811
    office = Office(client, credentials.tokens)
    found = [thing for thing in all_things(office) if thing is not ABSENT]
    for thing in found:
        if thing.name == "joint, checking":
            office.post("POLICE", f"/referrals/{thing.reference}/check/clarify", {"text": "Which of the addresses?"})
    return found


@pytest.fixture(scope="module")
def visited() -> set[str]:
    """Which routes were looked at."""
    return set()


NAMES = [
    "duty officer", "asked agency", "MASH support", "decision maker", "analyst", "board member", "IG lead",
    "administrator", "operator",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_page_shuts_anybody_out(
    visitors: Callable[[str], Page], people: dict[str, Principal], things: list[Thing], visited: set[str], name: str
):
    """WCAG 2.2 AA; 1.4.10 at 320 px; S-17: no complaint of the browser about the policy; S-18: nothing personal"""
    page, actor = visitors(name), people[name].actor
    complaints = complaints_of(page)
    for route in PAGES:
        if (
            actor
            and ACCESS[route] is not ANYBODY
            and actor.role in (ACCESS[route] or ())
            and route not in ELSEWHERE | {SECOND_LOOK}
        ):
            if route in FOR_THE_NAMED and not any(actor.id in thing.named for thing in things):
                continue
            assert _opens(page, route, things), f"{name} finds no {route}"
            look(page, f"{name} {route}".replace("/", "_"))
            _is_discreet(page)
            visited.add(route)
    page.goto("/board/7KQ2-XW9S")
    look(page, f"{name} not found")
    assert complaints == []
    page.context.close()


@cache
def agreement() -> str:
    """The id of an agreement in the register."""
    with unit_of_work() as session:
        return str(agreements.add(session, signed(), current_profile(), by=ADMIN, at=now(session)))


@cache
def given() -> str:
    """The id of somebody's feedback."""
    document = feedback.FeedbackDocument(should_change="Discuss on Tuesdays.")
    with unit_of_work() as session:
        return str(feedback.give(session, document, by=ADMIN, at=now(session)))


@cache
def sample() -> str:
    """The id of a dip sample of all that was decided today."""
    by = Actor("ANALYST", Role.ANALYST, is_person=True)
    with unit_of_work() as session:
        at = now(session)
        document = SampleDocument(first_on=at.date(), last_on=at.date(), size=50, seed=1)
        return str(dip_samples.draw(session, document, by=by, at=at))


@cache
def pack() -> str:
    """The id of a board's pack of the last quarter."""
    with unit_of_work() as session:
        at = now(session)
        quarter = packs.ended(at.date())[0]
        content = packs.content(session, Side.CHILD, quarter, current_profile())
        return str(board_packs.keep(session, Side.CHILD, (quarter.first, quarter.last), content, by=HUB, at=at))


@cache
def hold() -> str:
    """The id of a legal hold."""
    with unit_of_work() as session:
        reference = session.exec(select(Referral.reference).limit(1)).one()
        document = HoldDocument(reference=reference, reason="A claim was announced.")
        return str(legal_hold.set_hold(session, document, by=LEAD, at=now(session)))


@cache
def access() -> str:
    """The id of a subject access request."""
    with unit_of_work() as session:
        reference, at = session.exec(select(Referral.reference).limit(1)).one(), now(session)
        document = AccessDocument(reference=reference, subject="S1", received_on=at.date())
        return str(subject_access.ask(session, document, by=LEAD, at=at))


def _opens(page: Page, route: str, things: list[Thing]) -> bool:
    path = route.partition(" ")[2]
    for thing in things if "{reference}" in path else things[:1]:
        filled = FILL | {
            "reference": thing.reference,
            "account_id": "MASH_SUPPORT",
            "agreement_id": agreement(),
            "feedback_id": given(),
            "hold_id": hold(),
            "request_id": access(),
            "sample_id": sample(),
            "pack_id": pack(),
        }
        answer = page.goto(path.format_map(filled))
        if answer and answer.status == 200:
            return True
    return False


def _is_discreet(page: Page) -> None:
    assert not PERSONAL.search(page.title()), page.title()
    assert not PERSONAL.search(page.url), page.url


def test_the_pages_of_somebody_on_the_way_in_shut_nobody_out(browser: Browser, site: str, visited: set[str]):
    """R46, R47"""
    with unit_of_work() as session:
        accounts.give_address(session, session.get(Account, "BOARD"), "board@people.example", "Board")
        session.flush()
        path = accounts.send_invitation(session, "BOARD", by=HUB, at=now(session))
    page = browser.new_context(base_url=site).new_page()
    complaints = complaints_of(page)
    page.goto(path)
    look(page, "invitation")
    page.get_by_label("Password", exact=True).fill("harbour violet tram ladder")
    page.get_by_role("button", name="Set password").click()
    look(page, "sign-in")
    page.get_by_label("E-mail address").fill("board@people.example")
    page.get_by_label("Password", exact=True).fill("harbour violet tram ladder")
    page.get_by_role("button", name="Continue").click()
    look(page, "code")
    _is_discreet(page)
    page.goto("/about")
    look(page, "about")
    page.goto("/board-locked")
    look(page, "board-locked")
    visited |= {"GET /board-locked", "GET /invitation/{token}", "GET /sign-in", "GET /sign-in/code", "GET /about"}
    assert complaints == []


def test_a_second_look_shuts_nobody_out(visitors: Callable[[str], Page], things: list[Thing], visited: set[str]):
    """R63"""
    assert sample()
    page = visitors("manager")
    complaints = complaints_of(page)
    assert _opens(page, SECOND_LOOK, things)
    look(page, "manager_second-look", "Second look")
    _is_discreet(page)
    visited.add(SECOND_LOOK)
    assert complaints == []


def test_every_page_was_looked_at(visited: set[str]):
    """S-17: a page that nobody looked at fails here"""
    assert set(PAGES) - visited - ELSEWHERE == set()
