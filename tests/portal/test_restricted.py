"""S-5, S-6: what a restricted referral changes for whoever is not named in it. Nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from casework import restriction
from casework.accounts import issue_token
from casework.db import database, now, unit_of_work
from casework.hidden import covered
from casework.register import current_profile
from casework.restriction_documents import RestrictionDocument, WhyDocument
from engine import held_clock
from engine.stack import Stack
from models.account import Account
from portal.access import ACCESS
from rules.permissions import Actor, Role
from rules.reference import new_reference
from rules.stages import Stage
from tests.portal.caller import Caller, Question, Told, filled
from tests.portal.office import CHILDREN, Office, a_referral, acts, ask_all
from tests.portal.people import at_their_desk
from tests.portal.principals import Principal
from tests.portal.things import ABSENT
from tests.portal.valid import body_for

HIDDEN = new_reference()
NAMED = Actor("SECOND_DECIDER", Role.DECISION_MAKER, mash_profile=True, is_person=True)
GROUNDS = ("HIGH_PROFILE", "STAFF_CONFLICT", "ADOPTION")
#: Somebody of the same duty team, a representative of an asked agency, two of the team, and an operator.
EXCLUDED = ("duty officer", "asked agency", "MASH support", "decision maker", "operator")
_FILL = {"agency": "POLICE", "version": "1", "name": "portal.css"}
#: What is asked of the portal in both worlds. What counts its own readings, or ends a stay, differs by itself.
_OF_ITS_OWN = {"GET /sign-in/provider", "GET /stay"}
_ROUTES = [
    route for route in ACCESS
    if (route.startswith("GET ") and "{token}" not in route and route not in _OF_ITS_OWN)
    or (route.startswith("POST ") and "{reference}" in route)
]  # fmt: skip
#: How long somebody stays signed in goes on in every world, and each form has a token of its own.
_CLOCKS = re.compile(rb'You stay signed in until .+?, unless|data-until="[^"]*"|name="form_token" value="[^"]*"')


@pytest.fixture
def hide(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """An officer refers what is restricted at once, under a reference known before; or its ground becomes another."""
    office.tokens["HIDER"] = _hider()
    monkeypatch.setattr("casework.intake.new_reference", lambda: HIDDEN)

    def restricted_on(ground: str) -> None:
        document = {"ground": ground, "reason": "A colleague.", "named": ["SECOND_DECIDER", "HIDER"]}
        if ground == GROUNDS[0]:
            answer = office.post("HIDER", "/referrals", a_referral(restriction=document))
            assert answer.status_code == 201, answer.text
            ask_all(HIDDEN)
            return
        with unit_of_work() as session:
            at = now(session)
            restriction.lift(session, HIDDEN, WhyDocument(reason="Another ground."), by=NAMED, at=at)
            restriction.restrict(session, HIDDEN, RestrictionDocument.model_validate(document), by=NAMED, at=at)

    return restricted_on


@pytest.fixture
def still(record: Stack) -> Iterator[None]:
    """The hub's clock stands, so that two worlds have one time."""
    owner = record.environment()["MASH_OWNER_DATABASE_URL"]
    held_clock.hold(owner, "Mon 16 Mar 2026 12:00", current_profile().zone_info)
    yield
    held_clock.release(owner)


@pytest.fixture
def without_the_rule() -> Iterator[list[str]]:
    """The statements about referrals that went to the record without the rule laid over them."""
    about = re.compile(rf"\b(?:FROM|JOIN) ({'|'.join(sorted(column.table.name for column in covered().values()))})\b")
    found: list[str] = []

    def look(_: object, __: object, statement: str, *more: object) -> None:
        if about.search(statement) and "interest_conflict" not in statement:
            found.append(statement)

    sa.event.listen(database(), "before_cursor_execute", look)
    yield found
    sa.event.remove(database(), "before_cursor_execute", look)


def questions_of(who: Principal) -> list[Question]:
    """All that may be read, of the hidden referral and of one that is not there, and all that may be tried on it."""
    lists = [f"GET /api/v1/referrals?stage={stage}" for stage in Stage]
    one = [(route, route.replace("{reference}", each)) for route in _ROUTES for each in (HIDDEN, ABSENT.reference)]
    return [_question(who, *each) for each in dict.fromkeys([*zip(lists, lists, strict=True), *one])]


def _question(who: Principal, route: str, named: str) -> Question:
    method, _, path = named.partition(" ")
    target = filled(path, _FILL)
    body = body_for(route) if method == "POST" else b""
    return Question(method, target, who.headers(method, api=path.startswith("/api/")), body)


def normal(told: Told) -> tuple[object, ...]:
    """An answer without what is made anew for each: a browser's own token, and the time of day."""
    headers = [(name, value) for name, value in told.headers if name.lower() not in {"set-cookie", "content-length"}]
    return told.status, headers, _CLOCKS.sub(b"", told.body)


@pytest.mark.usefixtures("still")
def test_two_worlds_look_the_same_to_whoever_is_not_named(
    caller: Caller, office: Office, people: list[Principal], hide: Callable[[str], None], without_the_rule: list[str]
):
    """S-5: 5 people × 3 grounds × more than 200 requests, 0 bytes apart"""
    excluded = [next(person for person in people if person.name == name) for name in EXCLUDED]
    asked = {who: questions_of(who) for who in excluded}
    assert min(map(len, asked.values())) >= 200
    without_the_rule.clear()
    before = {who: caller.ask(*questions) for who, questions in asked.items()}
    assert without_the_rule == []
    apart = []
    for ground in GROUNDS:
        hide(ground)
        for who, questions in asked.items():
            apart += [
                f"{who.name}, {ground}: {question.method} {question.target}"
                for question, was, told in zip(questions, before[who], caller.ask(*questions), strict=True)
                if normal(was) != normal(told)
            ]
        # And whoever is named sees what the others do not.
        assert office.get(NAMED.id, f"/referrals/{HIDDEN}").status_code == 200
    assert apart == []


def _hider() -> str:
    with unit_of_work() as session:
        at = now(session)
        if session.get(Account, "HIDER") is None:
            session.add(Account(id="HIDER", role=Role.DUTY_TEAM, is_person=True, duty_team=CHILDREN, added_at=at))
            session.flush()
        return issue_token(session, "HIDER", at=at)


def test_a_page_that_was_open_is_gone_with_the_next_click(client: Any, office: Office):
    """S-6: next request 404, and the same as of what is not there"""
    reference = office.refer_and_ask()
    police, support = at_their_desk(client, "POLICE"), at_their_desk(client, "MASH_SUPPORT")
    assert police.get(f"/checks/{reference}").status_code == 200
    assert support.get(f"/board/{reference}").status_code == 200
    decider = at_their_desk(client, "DECISION_MAKER")
    sent = {"ground": "HIGH_RISK", "reason": "He is looking for her.", "named:lines": "OFFICER\r\n"}
    answer = decider.send(f"/board/{reference}/restrict", sent)
    assert answer.headers["location"] == f"/restricted/{reference}?done=restricted"
    for person, page in ((police, "/checks"), (support, "/board")):
        assert person.get(f"{page}/{reference}").status_code == 404
        assert person.get(f"{page}/{reference}").text == person.get(f"{page}/{ABSENT.reference}").text.replace(
            ABSENT.reference, reference
        )
    shown = decider.get(f"/restricted/{reference}").text
    assert "He is looking for her." in shown
    assert "Asked, and nobody there is named" in shown
    assert f'href="/restricted/{reference}"' in decider.get(f"/board/{reference}").text


def test_named_people_are_chosen_reviewed_and_let_go_on_one_page(client: Any, office: Office):
    """S-5: the list of what is to be looked at, naming, removing, and lifting"""
    reference = office.refer_and_ask()
    decider = at_their_desk(client, "DECISION_MAKER")
    sent = {"ground": "HIGH_RISK", "reason": "x", "named:lines": "NOBODY"}
    wrong = decider.send(f"/board/{reference}/restrict", sent)
    assert wrong.status_code == 422
    assert "line 1 is nobody" in wrong.text
    decider.send(f"/board/{reference}/restrict", {**sent, "named:lines": "OFFICER"})
    assert decider.post(f"/restricted/{reference}/people", {"who": "POLICE"}).status_code == 303
    police = at_their_desk(client, "POLICE")
    assert reference in police.get("/restricted").text
    assert "<strong>Restricted:</strong>" in police.get(f"/checks/{reference}").text
    assert "Name one more person" not in police.get(f"/restricted/{reference}").text
    decider.post(f"/restricted/{reference}/people/remove", {"person": "POLICE"})
    assert reference not in police.get("/restricted").text
    assert decider.post(f"/restricted/{reference}/review", {"reason": "Still so."}).status_code == 303
    assert decider.post(f"/restricted/{reference}/lift", {"reason": "It is over."}).status_code == 303
    assert police.get(f"/checks/{reference}").status_code == 200


def test_a_representative_steps_back_and_sees_nothing_more(client: Any, office: Office):
    """S-6"""
    reference = office.refer_and_ask()
    police = at_their_desk(client, "POLICE")
    assert f"/checks/{reference}/interest" in police.get(f"/checks/{reference}").text
    assert police.send(f"/checks/{reference}/interest", {}).status_code == 422
    assert police.send(f"/checks/{reference}/interest", {"ground": "RELATIVE"}).headers["location"].startswith("/tasks")
    assert police.get(f"/checks/{reference}").status_code == 404
    assert reference not in police.get("/tasks").text
    assert acts(reference)[-1] == "INTEREST_DECLARED"
