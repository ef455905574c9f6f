"""What anybody on the network may try: other methods, other hosts, other sites' forms, fields that are not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import parse_qsl

import pytest

from models.tables import METADATA
from portal import cookies
from portal.access import ACCESS, ANYBODY
from portal.app import create_app
from rules.permissions import Role
from tests.portal.caller import FORM, JSON, Caller, Question, Told, form
from tests.portal.conftest import Credentials
from tests.portal.office import Office
from tests.portal.principals import BROWSER, Principal
from tests.portal.safe_headers import unsafe_headers
from tests.portal.things import ABSENT
from tests.portal.valid import FORMS, body_for

FILL = {
    "reference": ABSENT.reference,
    "agency": "POLICE",
    "version": "1",
    "account_id": "nobody",
    "token": "guessed",
    "alert": "7KQ2-XW9S",
} | {"name": "portal.css"}
#: An id as the record gives them, and nothing's.
NOBODYS = "01900000-0000-7000-8000-000000000000"
POSTS = [route for route in ACCESS if route.startswith("POST ")]
BEHIND_A_SESSION = [route for route in POSTS if ACCESS[route] is not ANYBODY]
OF_THE_API = [route for route in BEHIND_A_SESSION if " /api/" in route]
OWN_HOST = "127.0.0.1"


def target(route: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: FILL.get(place[1], NOBODYS), route.partition(" ")[2])


def somebody_for(people: list[Principal], route: str) -> Principal:
    return next(who for who in people if who.cookie and who.actor and who.actor.role in (ACCESS[route] or Role))


# --- forms of other sites ---


def test_nothing_is_done_for_a_form_of_another_site(caller: Caller, people: list[Principal]):
    """S-15: every non-GET × every way to borrow a browser: 100 % refused"""
    asked = [
        (route, way, question)
        for route in BEHIND_A_SESSION
        for way, question in _borrowed(route, somebody_for(people, route), people[1])
    ]
    answers = caller.ask(*(question for _, _, question in asked))
    done = [
        f"{route}, {way}: {told.status}" for (route, way, _), told in zip(asked, answers, strict=True) if _did(told)
    ]
    assert not done, "\n".join(done)
    assert len(asked) == 7 * len(BEHIND_A_SESSION)


def _borrowed(route: str, who: Principal, other: Principal) -> Iterator[tuple[str, Question]]:
    api = " /api/" in route
    own = {"Cookie": f"{cookies.name_of(cookies.SESSION)}={who.cookie}", "Content-Type": JSON if api else FORM}
    proof = {cookies.HEADER: cookies.form_token(who.cookie)}
    ways = {
        "without a token": own | BROWSER,
        "another's token": own | BROWSER | {cookies.HEADER: cookies.form_token(other.cookie)},
        "the token of an earlier session": own | BROWSER | {cookies.HEADER: cookies.form_token("an earlier cookie")},
        "from another site": own | BROWSER | proof | {"Sec-Fetch-Site": "cross-site"},
        "from a neighbour": own | BROWSER | proof | {"Sec-Fetch-Site": "same-site"},
        "from another origin": own | proof | {"Accept": "text/html", "Origin": "https://evil.example"},
        "as plain text": own | BROWSER | proof | {"Content-Type": "text/plain"},
    }
    for way, headers in ways.items():
        yield way, Question("POST", target(route), headers, body_for(route) or b"x=1")


#: Forms of nobody who is signed in: they are bound to the cookie of a browser on its way in.
OF_ANYBODY = [route for route in POSTS if ACCESS[route] is ANYBODY]


def test_nobody_is_signed_in_by_a_form_of_another_site(caller: Caller):
    """S-15: the same for the forms before a session"""
    visit = cookies.fresh()
    own = {"Cookie": f"{cookies.name_of(cookies.VISIT)}={visit}", "Content-Type": FORM}
    proof = {cookies.HEADER: cookies.form_token(visit)}
    ways = [
        own | BROWSER,
        own | BROWSER | {cookies.HEADER: cookies.form_token(cookies.fresh())},
        own | BROWSER | proof | {"Sec-Fetch-Site": "cross-site"},
        own | BROWSER | proof | {"Sec-Fetch-Site": "same-site"},
        own | proof | {"Accept": "text/html", "Origin": "https://evil.example"},
        own | BROWSER | proof | {"Content-Type": "text/plain"},
        BROWSER | proof | {"Content-Type": FORM},
    ]
    asked = list(product(OF_ANYBODY, ways))
    answers = caller.ask(*(Question("POST", target(route), headers, b"x=1") for route, headers in asked))
    assert [asked[n] for n, told in enumerate(answers) if told.status not in {403, 415}] == []
    assert len(OF_ANYBODY) == 4


def _did(told: Told) -> bool:
    return told.status not in {401, 403, 415}


# --- methods ---


def test_a_route_does_what_it_says_and_nothing_else(caller: Caller):
    """S-15, S-17: other methods are refused on every path, TRACE with them, under the same headers"""
    paths = sorted({target(route) for route in ACCESS})
    asked = list(product(("HEAD", "TRACE", "PUT", "DELETE", "PATCH", "OPTIONS"), paths))
    answers = caller.ask(*(Question(method, path, BROWSER) for method, path in asked))
    for (method, path), told in zip(asked, answers, strict=True):
        assert told.status in {404, 405}, (method, path, told.status)
        assert unsafe_headers(told) == [], (method, path)


@pytest.mark.parametrize("name", ["portal.css", "govuk.css", "portal.js"])
def test_styles_and_scripts_are_kept_and_otherwise_as_safe_as_the_pages(caller: Caller, name: str):
    """S-17"""
    found, missing = caller.ask(Question("GET", f"/static/{name}"), Question("GET", f"/static/../{name}"))
    assert (found.status, unsafe_headers(found)) == (200, ["Cache-Control"])
    assert (missing.status, unsafe_headers(missing)) == (404, [])


# --- hosts ---

_ODD = ["", " ", ".", "..", "@", "[", "]", "[]", "[::", "::1", "127.0.0.1:x", "127.0.0.1@evil.example", "a b", "a/b"]
_LIKE_OURS = [
    *(f"{prefix}127.0.0.1" for prefix in ("evil.", "x", "-", "@", "/", "?", "#", "\\", "0", "http://")),
    *(f"127.0.0.1{suffix}" for suffix in (".", ".evil.example", "x", "/x", "?x", "#x", "\\x", "@evil", "%00", ",evil")),
    *(f"localhost{suffix}" for suffix in (".", ".evil.example", "x", "@evil.example", "%2eevil", "/../x", ";x")),
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.2", "[::2]", "[::ffff:127.0.0.1]", "evil.example",
    "evil.example:80", "xn--e1afmkfd.example", "EVIL.EXAMPLE", "169.254.169.254",
]  # fmt: skip


def test_only_the_hubs_own_names_are_answered(caller: Caller):
    """S-21: 50 malformed and foreign hosts: 400, and 0 bypass"""
    hosts = [*_ODD, *_LIKE_OURS]
    answers = caller.ask(*(Question("GET", "/sign-in", BROWSER | {"Host": host}) for host in hosts))
    answered = [host for host, told in zip(hosts, answers, strict=True) if told.status != 400]
    assert answered == []
    assert len(hosts) >= 50
    assert all(unsafe_headers(told) == [] for told in answers)


# --- fields that only the hub sets ---

#: Every column of every table: what a sender might hope to set by naming it.
COLUMNS = {column.name for table in METADATA.tables.values() for column in table.columns}
MORE = {"agency_id", "sealed", "is_admin", "admin", "permissions", "scopes", "acting_as", "__proto__", "on_behalf_of"}
#: Forms that read the fields they know by name, and look at no other.
READS_BY_NAME = {
    "POST /checks/{reference}/acknowledge", "POST /referrals/{reference}/acknowledgement",
}  # fmt: skip


@pytest.mark.parametrize("route", OF_THE_API)
def test_no_document_sets_what_only_the_hub_sets(caller: Caller, people: list[Principal], route: str):
    """S-3: every column of the record in every document of the API: each is refused by its name"""
    who, good = somebody_for(people, route), json.loads(body_for(route))
    more = sorted((COLUMNS | MORE) - _known_fields(route))
    for part in (more[:150], more[150:]):
        body = json.dumps(good | dict.fromkeys(part, "x")).encode()
        [told] = caller.ask(Question("POST", target(route), who.headers("POST", api=True), body))
        assert told.status == 422, told
        named = {problem["pointer"] for problem in json.loads(told.body)["errors"]}
        assert {f"/{name}" for name in part} <= named


def _known_fields(route: str) -> set[str]:
    from portal.schema import describe

    described = describe(create_app())
    operation = described["paths"][route.partition(" ")[2]]["post"]
    if "requestBody" not in operation:
        return set()
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return set(described["components"]["schemas"][reference.rpartition("/")[2]]["properties"])


@pytest.fixture(scope="module")
def references(client: Any, credentials: Credentials) -> dict[str, str]:
    """A referral that is being checked, and one whose outcome can be acknowledged."""
    office = Office(client, credentials.tokens)
    return {"": office.refer_and_ask(), "acknowledgement": office.refer_and_hand_back()}


@pytest.mark.parametrize("route", [route for route in FORMS if not route.endswith("/draft")])
def test_no_form_sets_what_only_the_hub_sets(
    caller: Caller, people: list[Principal], references: dict[str, str], route: str
):
    """S-3: the same in every form of a page: refused, or not looked at"""
    who, good = somebody_for(people, route), dict(parse_qsl(body_for(route).decode(), keep_blank_values=True))
    more = sorted((COLUMNS | MORE) - {name.partition(":")[0].partition("-")[0] for name in good} - {"items"})
    body = form(good | dict.fromkeys(more, "x"))
    place = references.get(route.rpartition("/")[2], references[""])
    path = target(route).replace(ABSENT.reference, place)
    [told] = caller.ask(Question("POST", path, who.headers("POST", api=False), body))
    assert told.status == (303 if route in READS_BY_NAME else 422), told
