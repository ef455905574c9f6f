"""Every route × everybody × every kind of thing: each cell does what is declared, and nobody reads what is others'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from portal.access import ACCESS, ANYBODY
from tests.portal.caller import PLACE, Caller, Question, Told, filled
from tests.portal.conftest import Credentials
from tests.portal.office import CHILDREN, Office
from tests.portal.principals import Principal, is_staff_without_profile
from tests.portal.safe_headers import unsafe_headers
from tests.portal.things import ABSENT, Thing, all_things
from tests.portal.valid import body_for


class Met(StrEnum):
    """How the portal meets somebody."""

    AS_NOBODY = "who are you?"
    AS_ROLE = "your role may not"
    AS_STRANGER = "there is no such thing"
    LET_IN = "let in"


class Cell(NamedTuple):
    """One question of the matrix."""

    route: str
    who: Principal
    thing: Thing | None

    def __repr__(self) -> str:
        return f"{self.route} by {self.who.name}, of {self.thing.name if self.thing else 'nothing'}"


#: What stands in a path beside the reference. What is not here is filled with a word that is nothing's name.
FILL = {
    "agency": "POLICE",
    "version": "1",
    "account_id": "CHILDREN_DUTY",
    "token": "guessed",
    "name": "portal.css",
    "form": "csv",
}
#: Ids of the right form that nothing has.
NOTHINGS = dict.fromkeys(
    ("agreement_id", "feedback_id", "list_id", "hold_id", "request_id", "sample_id", "pack_id"),
    "00000000-0000-4000-8000-000000000000",
)
_LINK = re.compile(r'(?:href|action)="(/[^"?#]*)')
#: These end what the questions after them need: signing out, and an account of somebody else's.
LEFT_OUT = {"POST /sign-out"}
ROUTES = [route for route, roles in ACCESS.items() if roles is not ANYBODY and route not in LEFT_OUT]
#: Led on to wherever this person's own page of a referral is: it says nothing of the referral.
LEADS_ON = {"GET /r/{reference}"}
#: Staff who were never inducted follow where a referral stands, as an operator does, and open nothing more.
FOR_FOLLOWERS = {"GET /api/v1/referrals", "GET /api/v1/referrals/{reference}"}
OUTCOME = {"GET /referrals/{reference}/outcome", "GET /api/v1/referrals/{reference}/outcome"}
ACKNOWLEDGEMENT = {"POST /referrals/{reference}/acknowledgement", "POST /api/v1/referrals/{reference}/acknowledgement"}
#: Only the team that a referral names may send it; an agency is told of the way in instead (R02).
FRONT_DOOR = "POST /api/v1/referrals"
#: A system has no second factor.
FOR_PERSONS = {"POST /api/v1/accounts/me/second-factor"}
#: An agency's people are confirmed by its named manager alone (R47).
FOR_MANAGERS = {"GET /colleagues", "POST /colleagues"}
#: Why an agency was late is said by its named manager (R25).
BY_THEIR_MANAGER = {"POST /checks/{reference}/cause", "POST /api/v1/referrals/{reference}/check/cause"}
#: There is something to see for whoever is named in a restriction, where there is one (S-5).
FOR_THE_NAMED = {route for route in ACCESS if " /restricted/{" in route or "/restriction" in route} - {
    "POST /api/v1/referrals/{reference}/restriction"
}
#: Whoever may lift a restriction sends nothing here: the questions after it need it as it was.
LIFTS = {route for route in FOR_THE_NAMED if route.endswith("/lift")}
#: What was sent to a manager goes back from one alone (R39).
FROM_MANAGERS = {"POST /board/{reference}/manager/back", "POST /api/v1/referrals/{reference}/manager/back"}
#: Nothing of these referrals was drawn for a second look (R63).
OF_WHAT_WAS_DRAWN = {route for route in ACCESS if "/second-looks/{" in route}
#: The team that a part of a joint referral is handed back to did not send it.
_OF_THE_ORIGINATOR = ("/basis", "/details", "/clear-concern", "/withdraw")
ONCE_JOINED = {"GET /api/v1/referrals/{reference}/templates/{version}"}


def declared(cell: Cell) -> set[Met]:
    """How somebody is to be met: the access table for roles, and R48 and R49 for the thing itself."""
    route, who, thing = cell
    if who.actor is None or (who.is_system and " /api/" not in route):
        return {Met.AS_NOBODY}
    if who.actor.role not in (ACCESS[route] or ()):
        return {Met.AS_ROLE}
    if is_staff_without_profile(who.actor) and _is_for_the_profile(route):
        # They may follow where a referral stands, and so know whether there is one.
        return {Met.AS_ROLE} if thing is None or thing.concerns(who.actor) else {Met.AS_ROLE, Met.AS_STRANGER}
    if route in FROM_MANAGERS and not who.actor.manager_authority:
        return {Met.AS_ROLE}
    if thing is None:
        return _declared_of_no_referral(route, who)
    # A system has no second factor, but for what its token was given beside this matrix.
    without_factor = {Met.AS_ROLE} if who.is_system and route in LIFTS else set()
    is_theirs = route in LEADS_ON or _is_theirs(route, who, thing)
    by_their_role = route not in BY_THEIR_MANAGER or who.actor.manages_colleagues
    let_in = Met.LET_IN if by_their_role else Met.AS_ROLE
    return {let_in if is_theirs else Met.AS_STRANGER, *_perhaps_absent(route), *without_factor}


def _declared_of_no_referral(route: str, who: Principal) -> set[Met]:
    assert who.actor is not None
    if who.is_system and route in FOR_PERSONS:
        return {Met.AS_ROLE}
    if route in FOR_MANAGERS and not who.actor.manages_colleagues:
        return {Met.AS_ROLE}
    if route == FRONT_DOOR:
        return {Met.LET_IN if who.actor.duty_team == CHILDREN else Met.AS_ROLE}
    # An id of another kind, such as an account's: here it is a system's, which is no person's account.
    return {Met.AS_STRANGER} if "{account_id}" in route else {Met.LET_IN, *_perhaps_absent(route)}


def _is_for_the_profile(route: str) -> bool:
    inside = any(
        part in route for part in (" /board", "/for-manager", "/break-glass", "/second-looks", " /api/v1/referrals/{")
    )
    return inside and route not in FOR_FOLLOWERS | FOR_THE_NAMED


def _is_theirs(route: str, who: Principal, thing: Thing) -> bool:
    assert who.actor is not None
    if not thing.concerns(who.actor) or route in OF_WHAT_WAS_DRAWN:
        return False
    if route in OUTCOME | ACKNOWLEDGEMENT:
        return who.actor.duty_team in thing.handed_back_to
    if route in FOR_THE_NAMED and not thing.named:
        return False
    if route.endswith(_OF_THE_ORIGINATOR) and who.actor.duty_team and who.actor.duty_team != thing.originator:
        return False
    if "{agency}" in route and FILL["agency"] not in thing.asked:
        return False
    return thing.joined or route not in ONCE_JOINED


def _perhaps_absent(route: str) -> set[Met]:
    """A part of the path that FILL does not know names nothing; both answers are then right."""
    return {Met.AS_STRANGER} if set(PLACE.findall(route)) - set(FILL) - {"reference"} else set()


def met(told: Told) -> Met:
    """How somebody was met."""
    if told.status == 401 or (told.status == 303 and told.header("location").startswith("/sign-in")):
        return Met.AS_NOBODY
    assert told.status < 500, told
    return {403: Met.AS_ROLE, 404: Met.AS_STRANGER}.get(told.status, Met.LET_IN)


def question(cell: Cell) -> Question:
    """The cell's request, with a good document and the proof of its own page."""
    method, _, path = cell.route.partition(" ")
    known = FILL | NOTHINGS | ({"reference": cell.thing.reference} if cell.thing else {})
    target = filled(path, known)
    lifts = cell.route in LIFTS and Met.LET_IN in declared(cell)
    body = body_for("" if lifts else cell.route) if method == "POST" else b""
    return Question(method, target, cell.who.headers(method, api=path.startswith("/api/")), body)


@pytest.fixture(scope="module")
def things(client: Any, credentials: Credentials) -> list[Thing]:
    return all_things(Office(client, credentials.tokens))


@pytest.fixture(scope="module")
def cells(caller: Caller, people: list[Principal], things: list[Thing]) -> dict[Cell, Told]:
    """The whole matrix, asked once: first all that reads, then all that writes."""
    written_to = {"child, checking", "adult, closed", "child, restricted", "absent"}
    some = [thing for thing in things if thing.name in written_to]
    asked = [
        Cell(route, who, thing)
        for method in ("GET", "POST")
        for route in ROUTES
        if route.startswith(method)
        for thing in ((things if method == "GET" else some) if "{reference}" in route else [None])
        for who in people
        if thing in (None, ABSENT) or _depends_on(thing, Cell(route, who, thing), some)
    ]
    return dict(zip(asked, caller.ask(*map(question, asked)), strict=True))


def _depends_on(thing: Thing, cell: Cell, some: list[Thing]) -> bool:
    """Whoever is nobody here is so for every thing: asked once. Whose role is refused is asked of some things."""
    how = declared(cell)
    return how != {Met.AS_NOBODY} and (how != {Met.AS_ROLE} or thing in some)


def test_everybody_is_met_on_every_route_as_is_declared(cells: dict[Cell, Told]):
    """S-1: 100 % of the cells, and more than 1,500 of them"""
    wrong = [f"{cell}: {met(told)}" for cell, told in cells.items() if met(told) not in declared(cell)]
    assert not wrong, "\n".join(wrong)
    assert len(cells) > 1_500
    assert len({cell.who for cell in cells}) >= 11


def test_what_is_refused_is_to_the_byte_what_does_not_exist(cells: dict[Cell, Told]):
    """S-2: nobody learns from a refusal that there is something to refuse"""
    unlike = []
    refused = [(cell, told) for cell, told in cells.items() if cell.thing and told.status == 404]
    for cell, told in refused:
        absent = cells[cell._replace(thing=ABSENT)]
        if _without_own_reference(told, cell) != _without_own_reference(absent, cell._replace(thing=ABSENT)):
            unlike.append(cell)
    assert not unlike, "\n".join(map(repr, unlike))
    assert len(refused) > 250


def test_no_id_that_anybody_was_shown_opens_anything_to_somebody_else(caller: Caller, cells: dict[Cell, Told]):
    """S-2: every address found in any page, asked for by everybody: 0 of 5,000 cross reads"""
    shown = {link for told in cells.values() if told.status == 200 for link in _LINK.findall(told.text)}
    by_reference = {cell.thing.reference: cell.thing for cell in cells if cell.thing}
    people = {cell.who for cell in cells}
    links = [
        Cell(route, who, by_reference.get(places.get("reference", "")))
        for link in sorted(shown)
        for route, places in _routes_of(link)
        for who in people
    ]
    asked = [cell for cell in links if cell not in cells]
    answers = dict(zip(asked, caller.ask(*map(question, asked)), strict=True)) | cells
    across = [(cell, told) for cell, told in answers.items() if cell.route.startswith("GET") and not _is_open_to(cell)]
    opened = [repr(cell) for cell, told in across if met(told) is Met.LET_IN]
    assert not opened, "\n".join(opened)
    assert len(across) >= 5_000


def _is_open_to(cell: Cell) -> bool:
    return Met.LET_IN in declared(cell)


def _routes_of(link: str) -> Iterator[tuple[str, dict[str, str]]]:
    for route in ROUTES:
        method, _, path = route.partition(" ")
        found = re.fullmatch(PLACE.sub(r"(?P<\1>[^/]+)", path), link)
        if method == "GET" and found and "{" in path:
            yield route, found.groupdict()


def test_every_answer_to_anybody_carries_the_safe_headers(cells: dict[Cell, Told]):
    """S-17: 100 % of routes × statuses"""
    unsafe = [f"{cell}: {missing}" for cell, told in cells.items() if (missing := unsafe_headers(told))]
    assert not unsafe, "\n".join(unsafe)
    assert {200, 204, 303, 401, 403, 404, 409, 422} <= {told.status for told in cells.values()}


def test_no_answer_holds_anything_inline(cells: dict[Cell, Told]):
    """S-17: 0 inline scripts and styles"""
    pages = {told.text for told in cells.values() if told.header("content-type").startswith("text/html")}
    assert [page for page in pages if re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)] == []


def _without_own_reference(told: Told, cell: Cell) -> tuple[object, ...]:
    assert cell.thing is not None
    # A page may show the address that was asked for, which is no more than the asker sent.
    return told.status, told.headers, told.body.replace(cell.thing.reference.encode(), b"REFERENCE")
