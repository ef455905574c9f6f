"""Somebody goes through referrals in the portal, by every door, and is stopped (S-20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from sqlmodel import select, update

from casework import kept_forms, restriction
from casework.db import now, unit_of_work
from casework.restriction_documents import RestrictionDocument
from casework.sessions import real_now
from models.account import AccountEvent
from models.settings import settings
from models.signin import Opening, Throttle
from tests.portal.office import DECIDER, Office
from tests.portal.people import Person, at_their_desk

MOST = 3


@pytest.fixture(autouse=True)
def few(record: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three referrals are many here."""
    monkeypatch.setenv("MASH_OPENED_BY_PERSON", str(MOST))
    settings.cache_clear()
    with unit_of_work() as session:
        session.execute(update(Opening).values(opened_at=real_now(session) - timedelta(hours=1)))
        session.execute(update(Throttle).values(tries=0))
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def referrals(office: Office) -> list[str]:
    return [office.refer_and_ask() for _ in range(MOST + 1)]


@pytest.fixture
def support(office: Office, referrals: list[str]) -> Person:
    """A member of the team who has opened three, by pages and by the API."""
    person = at_their_desk(office.client, "MASH_SUPPORT")
    assert person.get(f"/board/{referrals[0]}").status_code == 200
    assert office.get("MASH_SUPPORT", f"/referrals/{referrals[1]}").status_code == 200
    assert person.get(f"/board/{referrals[2]}/checks/POLICE").status_code == 200
    return person


def test_the_page_says_when_one_may_go_on_and_whom_to_ring(support: Person, referrals: list[str]):
    """S-20"""
    answer = support.get(f"/board/{referrals[3]}")
    words = unescape(answer.text)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    for said in (
        "3 referrals within ten minutes",
        "You can open others from",
        "call 999",
        "01632 960001",
        "01632 960003",
    ):
        assert said in words
    assert referrals[3] not in words


def test_no_door_is_left_open(office: Office, support: Person, referrals: list[str]):
    """S-20: the API with one's token or one's session, each page of a referral, and a form that shows it again"""
    new = referrals[3]
    for path in (f"/referrals/{new}", f"/referrals/{new}/template", f"/referrals/{new}/checks/POLICE"):
        answer = office.get("MASH_SUPPORT", path)
        assert (answer.status_code, answer.json()["type"]) == (429, "urn:mash:problem:too-many-opened")
    for page in ("", "/discussion", "/view", "/checks/POLICE", "/ask", "/news"):
        assert support.get(f"/board/{new}{page}").status_code == 429, page
    own = support.hidden(f"/board/{referrals[0]}/discussion")
    assert (
        support.send(f"/board/{new}/discussion", own | {"note": ""}, page=f"/board/{referrals[0]}").status_code == 429
    )


def test_what_is_open_and_the_lists_stay_open(office: Office, support: Person, referrals: list[str]):
    """S-20: nobody is shut out of the work in hand"""
    assert support.get(f"/board/{referrals[3]}").status_code == 429
    for path in (f"/board/{referrals[0]}", f"/board/{referrals[2]}/discussion", "/board", "/you"):
        assert support.get(path).status_code == 200, path
    assert at_their_desk(office.client, "DECISION_MAKER").get(f"/board/{referrals[3]}").status_code == 200


def test_what_somebody_had_typed_is_kept(support: Person, referrals: list[str]):
    """S-20, finding 14"""
    form = {"agency": "POLICE", "view": "AGREE", "reason": "Words that took a while."}
    page = f"/board/{referrals[3]}/view"
    assert support.send(page, form, page=f"/board/{referrals[0]}").status_code == 429
    with unit_of_work() as session:
        kept = kept_forms.find(session, "MASH_SUPPORT", at=real_now(session))
    assert kept is not None
    assert (kept.path, dict(kept.fields)["reason"]) == (page, form["reason"])


def test_it_stands_where_the_lead_and_the_administrators_look(office: Office, support: Person, referrals: list[str]):
    """S-20"""
    support.get(f"/board/{referrals[3]}")
    lead, admin = (
        at_their_desk(office.client, account).get("/openings").text for account in ("IG_LEAD", "ACCOUNT_ADMIN")
    )
    assert all(reference in lead for reference in referrals[:3])
    assert "MASH_SUPPORT" in admin
    assert not any(reference in admin for reference in referrals)
    with unit_of_work() as session:
        query = select(AccountEvent.actor).where(
            AccountEvent.act == "OPENED_TOO_MANY", AccountEvent.account_id == "MASH_SUPPORT"
        )
        assert "HUB" in session.exec(query).all()


def test_what_is_restricted_by_now_is_not_named_there(office: Office, support: Person, referrals: list[str]):
    """S-5, S-20: as a reference that never was one is not"""
    support.get(f"/board/{referrals[3]}")
    hidden = RestrictionDocument(ground="ADOPTION", reason="Two families.", named=["OFFICER"])
    with unit_of_work() as session:
        restriction.restrict(session, referrals[1], hidden, by=DECIDER, at=now(session))
    lead = at_their_desk(office.client, "IG_LEAD").get("/openings").text
    assert [reference in lead for reference in referrals[:3]] == [True, False, True]


def test_what_is_refused_anyway_counts_for_nothing(office: Office, referrals: list[str]):
    """S-2, S-20: guessing opens nothing, and a wrong link takes nothing away"""
    person = at_their_desk(office.client, "POLICE")
    for number in range(10):
        assert person.get(f"/board/{referrals[0]}").status_code == 403, number
    for reference in referrals[:3]:
        assert person.get(f"/checks/{reference}").status_code == 200
