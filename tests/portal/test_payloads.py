"""What people type is shown as they typed it, in every place that shows it, and asked of the record as a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from html import unescape
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import quote

from casework.db import now, unit_of_work
from models.account import Account
from portal import examples
from portal.access import ACCESS
from tests.portal.caller import Caller, Question
from tests.portal.office import Office
from tests.portal.payloads import MARKUP, SQL
from tests.portal.people import Person, at_their_desk
from tests.portal.principals import Principal
from tests.portal.things import ABSENT

#: Fields that hold codes, times and addresses: they take no text at all.
NO_TEXT = {
    "side", "level_of_need", "source", "urgency", "informed", "consent", "result", "kind", "duty_team", "at", "view",
    "event_date", "searched_at", "consulted_at", "date_of_birth", "nhs_number", "reply_to", "held_at", "mode", "agency",
    "outcome", "subject", "due_on", "withheld_because", "released_to", "recipients", "sharing",
    "informed_how", "informed_on", "consent_on", "consent_reason_code", "request_reason",
}  # fmt: skip
LONG, SHORT = 9_000, 190
EVIL = "\n".join(MARKUP)


class _Shape(HTMLParser):
    """Which elements a page has, and which attributes they have."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def lines() -> list[str]:
    """All payloads in as many short lines as it takes."""
    found = [""]
    for payload in MARKUP:
        if len(found[-1]) + len(payload) > SHORT:
            found.append("")
        found[-1] += f" {payload}"
    return [line.strip() for line in found]


def written(document: Any, short: Iterator[str] | None, *, into: str = "") -> Any:
    """A document with something in each of its text fields: payloads, or harmless words."""
    if isinstance(document, dict):
        return {name: written(value, short, into=name) for name, value in document.items()}
    if isinstance(document, list):
        return [written(value, short, into=into) for value in document]
    if not isinstance(document, str) or into in NO_TEXT or re.fullmatch(r"[A-Z_0-9]+", document):
        return document
    if short is None:
        return "words"
    return next(short)[:100] if into == "upstream_reference" else next(short) if into in SHORT_FIELDS else EVIL


SHORT_FIELDS = {
    "name", "by", "given_name", "family_name", "household_role", "open_to_worker", "system", "searched_with", "who",
    "role", "organisation", "owner", "upstream_reference",
    "consent_given_by", "confirmed_by",
}  # fmt: skip


def a_story(office: Office, short: Iterator[str] | None) -> str:
    """A referral in which everybody has written something everywhere; its reference."""
    child = written(examples.CHILD, short)
    child["subjects"][0] |= {"protected_address": False}
    reference = office.refer_and_ask(child)
    path = f"/referrals/{reference}"
    steps: list[tuple[str, str, Any]] = [
        ("MASH_SUPPORT", "checks", {"agency": "PROBATION", "blocking": False, "question": "text"}),
        ("POLICE", "check/clarify", {"text": "text"}),
        ("MASH_SUPPORT", "checks/POLICE/answer", {"text": "text"}),
        ("POLICE", "check/return", deepcopy(examples.RETURN)),
        ("MENTAL_HEALTH", "check/decline", {"reason": "NO_ISA", "note": "text"}),
        ("MASH_SUPPORT", "discuss-now", None),
        ("MASH_SUPPORT", "discussions", deepcopy(examples.DISCUSSION)),
        ("MASH_SUPPORT", "views", {"agency": "MENTAL_HEALTH", "view": "DISAGREE", "reason": "text"}),
    ]
    forms: list[tuple[str, str, dict[str, str]]] = [
        ("POLICE", f"/checks/{reference}/urgent", {"reason": "text"}),
        ("MASH_SUPPORT", f"/board/{reference}/urgency", {
            "rating": "RED", "rating_seen": "GREEN", "rationale": "text",
        }),
    ]  # fmt: skip
    for account, page, fields in forms:
        sent = at_their_desk(office.client, account).post(page, written(fields, short))
        assert sent.status_code == 303, (page, sent.text)
    for account, step, document in steps:
        answer = office.post(account, f"{path}/{step}", document and written(document, short))
        assert answer.status_code < 300, (step, answer.text)
    return reference


def decided(office: Office, reference: str, short: Iterator[str] | None) -> None:
    """And a decision, handed back."""
    from casework import collation, outcome

    with unit_of_work() as session:
        at = now(session)
        collation.collate(session, reference, at=at)
        collation.request_decision(session, reference, at=at)
    version = office.get("DECISION_MAKER", f"/referrals/{reference}").json()["version"]
    document = written(examples.DECISION, short) | {"version_seen": version}
    answer = office.post("DECISION_MAKER", f"/referrals/{reference}/decisions", document)
    assert answer.status_code == 200, answer.text
    with unit_of_work() as session:
        outcome.hand_back(session, reference, at=now(session))


#: Which earlier referrals resemble one depends on what else the record holds.
EARLIER = re.compile(r'<div class="govuk-inset-text"><p class="govuk-body"><strong>Earlier ref.*?</p></div>', re.DOTALL)
PAGES_OF_THE_TEAM = (
    "", "/decision", "/discussion", "/view", "/checks/POLICE", "/checks/PROBATION", "/urgency", "/discuss-now", "/ask",
    "/reconsideration", "/checks/MENTAL_HEALTH",
)  # fmt: skip


def pages(reference: str) -> list[tuple[str, str]]:
    """Every page of this referral, and who reads it."""
    board = [f"/board/{reference}{end}" for end in PAGES_OF_THE_TEAM]
    check = [
        f"/checks/{reference}{end}"
        for end in ("", "/return", "/nothing-known", "/decline", "/urgent", "/view", "/readers")
    ]
    own = [f"/referrals/{reference}{end}" for end in ("", "/outcome", "/withdraw")]
    return [
        *(("DECISION_MAKER", page) for page in ("/board", *board)),
        *(("POLICE", page) for page in ("/tasks", *check)),
        *(("MENTAL_HEALTH", page) for page in check[:1]),
        *(("PROBATION", page) for page in check[:2]),
        *(("OFFICER", page) for page in ("/referrals", *own)),
    ]


def shapes(client: Any, reference: str) -> dict[str, tuple[list[tuple[str, tuple[str, ...]]], str]]:
    people: dict[str, Person] = {}
    found = {}
    for account, page in pages(reference):
        if account not in people:
            people[account] = at_their_desk(client, account)
        text = people[account].get(page).text
        if page not in ("/board", "/tasks", "/referrals"):
            found[f"{account} {page.replace(reference, 'R')}"] = (_Shape(EARLIER.sub("", text)).found, text)
    return found


def test_what_was_typed_is_shown_as_it_was_typed_and_does_nothing(office: Office, client: Any):
    """S-18: more than 60 payloads in every text field of every document; no page has one element more for it"""
    turn = iter(lines() * 40)
    evil, harmless = a_story(office, turn), a_story(office, None)
    decided(office, evil, turn)
    decided(office, harmless, None)
    bad, good = shapes(client, evil), shapes(client, harmless)
    for page, (shape, text) in bad.items():
        assert shape == good[page][0], page
        assert "60481729" not in text, page
    whole = unescape(bad["DECISION_MAKER /board/R"][1])
    assert all(payload.replace("\x0b", "") in whole.replace("\x0b", "") for payload in MARKUP)
    assert len(MARKUP) >= 60


def test_what_is_typed_about_no_referral_is_shown_as_it_was_typed(office: Office, client: Any):
    """S-18: feedback, a sharing agreement and somebody's own name, in the pages of whoever reads them"""
    officer, admin = at_their_desk(client, "OFFICER"), at_their_desk(client, "ACCOUNT_ADMIN")
    shown: list[dict[str, str]] = []
    for words, line in (("words", "words"), (EVIL, lines()[0])):
        assert officer.post("/feedback", {"went_well": words, "should_change": words}).status_code == 303
        assert admin.post("/agreements-add", _an_agreement(line)).status_code == 303
        with unit_of_work() as session:
            session.get_one(Account, "OFFICER").display_name = line
        read = [
            (officer, "/feedback"),
            (officer, "/you"),
            (admin, "/feedback"),
            (admin, "/accounts"),
            (admin, "/agreements"),
        ]
        shown.append({f"{who.account_id} {path}": who.get(path).text for who, path in read})
    harmless, evil = shown
    for page, text in evil.items():
        assert set(_Shape(text).found) == set(_Shape(harmless[page]).found), page
        assert MARKUP[0] in unescape(text), page


def _an_agreement(line: str) -> dict[str, Any]:
    days = {"signed_on": "2026", "in_force_from": "2026", "review_on": "2027"}
    parts = {
        f"{name}:date.{part}": value
        for name, year in days.items()
        for part, value in (("day", "1"), ("month", "3"), ("year", year))
    }
    return {"title": line, "version": "V1", "parties:list": ["POLICE", "ADULT_ASIST"], "scope": line, **parts}


PLACES = sorted({
    (route, place) for route in ACCESS if route.startswith("GET ") for place in re.findall(r"\{(\w+)\}", route)
})  # fmt: skip
QUERIES = [
    "/api/v1/referrals?after=", "/api/v1/referrals?stage=", "/api/v1/referrals?limit=", "/api/v1/checks?settled=",
    "/sign-in?next=", "/sign-in?done=", "/you?done=", "/tasks?sort=", "/board?sort=", "/accounts?role=",
]  # fmt: skip


def test_no_parameter_is_read_as_sql(caller: Caller, people: list[Principal]):
    """S-19: 40 payloads × every parameter of a path, and every query: no failure, no delay, nothing found"""
    decider = next(who for who in people if who.name == "decision maker")
    agency = next(who for who in people if who.name == "asked agency")
    admin = next(who for who in people if who.name == "administrator")
    asked = [*_in_paths(), *(query + quote(payload, safe="") for query, payload in product(QUERIES, SQL))]
    questions = [
        Question("GET", target, who.headers("GET", api=target.startswith("/api/")))
        for target, who in zip(asked, _in_turn(decider, agency, admin), strict=False)
    ]
    told = caller.ask(*questions)
    assert [target for target, answer in zip(asked, told, strict=True) if answer.status >= 500] == []
    assert not [answer for answer in told if re.search(r"syntax error|psycopg|SQLSTATE|sqlalchemy", answer.text)]
    assert len(SQL) >= 40


def _in_paths() -> list[str]:
    known = {
        "reference": ABSENT.reference,
        "agency": "POLICE",
        "version": "1",
        "account_id": "x",
        "token": "x",
        "name": "x",
    }
    return [
        route.partition(" ")[2].format_map(
            {**dict.fromkeys(re.findall(r"\{(\w+)\}", route), "x"), **known, place: value}
        )
        for (route, place), value in product(PLACES, (quote(payload, safe="") for payload in SQL))
    ]


def _in_turn(*people: Principal) -> Iterator[Principal]:
    while True:
        yield from people
