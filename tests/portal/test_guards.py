"""What every response carries, and what happens when something breaks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import QueuePool
from starlette.testclient import TestClient

from casework import db, follow, register
from engine.stack import Stack
from models.settings import settings
from portal.app import create_app
from portal.examples import CHILD
from portal.rendering import environment
from rules.errors import Misconfigured, OutcomeUnknown, Unavailable
from tests.canary import Aviary
from tests.portal.office import API, CHILDREN, Office, a_referral
from tests.portal.people import at_their_desk

REFERRALS = f"{API}/referrals"
JSON = {"Content-Type": "application/json"}
SECRET = "Examplia Testchild"


def bearer(office: Office, account: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {office.tokens[account]}"}


Ask = Callable[[Office], Any]
ANSWERS: dict[int, Ask] = {
    200: lambda o: o.client.get("/health"),
    201: lambda o: o.post(CHILDREN, "/referrals", a_referral(CHILD)),
    400: lambda o: o.ask(CHILDREN, "POST", "/referrals", content=b"{", headers=JSON),
    401: lambda o: o.client.get(REFERRALS),
    403: lambda o: o.get("POLICE", "/referrals"),
    404: lambda o: o.client.get("/nowhere"),
    405: lambda o: o.client.put(REFERRALS),
    409: lambda o: o.post("DECISION_MAKER", f"/referrals/{o.refer()}/discuss-now"),
    413: lambda o: o.client.post(REFERRALS, content=b"x" * 2_000_000),
    415: lambda o: o.client.post(REFERRALS, content=b"x", headers={"Content-Type": "text/plain"}),
    422: lambda o: o.post(CHILDREN, "/referrals", {}),
}


@pytest.mark.parametrize("status", ANSWERS)
def test_every_response_carries_the_security_headers_and_every_failure_is_a_problem(
    office: Office, status: int
) -> None:
    """R48"""
    answer = ANSWERS[status](office)
    assert answer.status_code == status
    check_headers(answer)


def check_headers(answer: Any) -> None:
    headers = answer.headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Server" not in headers
    if answer.status_code >= 400:
        assert headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["type"].startswith("urn:mash:problem:")
        assert problem["title"]
        assert problem["detail"]


@pytest.mark.parametrize("failure", [Unavailable("silent"), OutcomeUnknown("silent")])
def test_a_record_that_falls_silent_is_said_to_a_person_in_their_own_words(
    office: Office, monkeypatch: pytest.MonkeyPatch, failure: Unavailable
) -> None:
    """F10: a program is told of its fields and headers, a person is not"""

    def silent(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("portal.pages.everybody.page", silent)
    asked = office.client.get("/about", headers={"Accept": "text/html"})
    assert asked.status_code == 503
    assert asked.headers["Retry-After"] == "5"
    assert "sender_id" not in asked.text
    assert "this page again" in asked.text or "Look at the page it was about" in asked.text


def test_a_method_that_is_not_done_here_says_which_are(office: Office) -> None:
    """R48"""
    assert office.client.put("/health").headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/api/v1/", "/api/v1/referrals/", "/x//", "/%00"])
def test_an_unknown_path_is_not_found_and_leads_nowhere(office: Office, path: str) -> None:
    """R48"""
    answer = office.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:mash:problem:not-found")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8400", 200),
        ("[::1]:8400", 200),
        ("LOCALHOST", 200),
        ("mash.example.org", 400),
        ("localhost.example.org", 400),
        ("localhost@example.org", 400),
        ("[", 400),
        ("", 400),
    ],
)
def test_the_hub_answers_under_its_own_names_alone(office: Office, host: str, status: int) -> None:
    """R48"""
    assert office.client.get("/health", headers={"Host": host}).status_code == status


def test_the_portals_own_name_is_one_of_them(
    office: Office, monkeypatch: pytest.MonkeyPatch, fresh_settings: None
) -> None:
    """R48"""
    monkeypatch.setenv("MASH_PORTAL_URL", "https://mash.example.org/")
    settings.cache_clear()
    client = TestClient(create_app(), base_url="https://mash.example.org")
    assert client.get("/api/v1/openapi.json").status_code == 200


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    yield
    settings.cache_clear()


def test_what_nobody_foresaw_is_told_by_its_kind_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R48, R51"""

    def breaks(*_: Any, **__: Any) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(follow, "see", breaks)
    with caplog.at_level(logging.DEBUG):
        answer = office.get(CHILDREN, f"/referrals/{office.refer()}?secret=1")
    assert answer.status_code == 500
    check_headers(answer)
    assert SECRET not in answer.text
    assert [r.getMessage() for r in caplog.records if r.name == "mash.portal"] == [
        "ValueError at GET /api/v1/referrals/{reference}"
    ]
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "asyncio"))]
    assert not [r for r in ours if SECRET in r.getMessage() or r.exc_info]


def test_a_page_that_cannot_be_made_tells_nothing_and_keeps_no_connection(
    office: Office, client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Reliability §4.4: neither what stood on the page, nor what the error said, is in the answer or a log"""
    marks = Aviary("j")
    concern = CHILD["concern"] | {"narrative": marks("on the page")}
    page, support = f"/board/{office.refer_and_ask(CHILD, concern=concern)}", at_their_desk(client, "MASH_SUPPORT")
    assert marks.found_in(support.get(page).content) == {marks.marks["on the page"]}

    def bursts(*_: Any) -> str:
        raise ValueError(f"cannot write {marks('in the error')}")

    monkeypatch.setitem(environment().globals, "local", bursts)
    with caplog.at_level(logging.DEBUG):
        answer = support.get(page)
    assert (answer.status_code, set(marks.marks)) == (500, {"on the page", "in the error"})
    assert marks.found_in(answer.content + caplog.text.encode()) == set()
    pool = db.database().pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0


def test_a_hub_set_up_wrongly_says_so_to_its_operators_alone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """R70"""

    def breaks(*_: Any, **__: Any) -> None:
        raise Misconfigured("profiles/bnes.toml: agencies: nobody")

    monkeypatch.setattr(follow, "see_all", breaks)
    answer = office.get("OPERATOR", "/referrals")
    assert answer.status_code == 500
    assert "bnes" not in answer.text


@pytest.fixture
def without_record(record: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A portal that was started while the record does not answer."""
    _forget()
    monkeypatch.setenv("MASH_DATABASE_URL", "postgresql+psycopg://mash_app:x@127.0.0.1:1/mash")
    settings.cache_clear()
    with TestClient(create_app(), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client
    _forget()
    monkeypatch.undo()
    settings.cache_clear()


def _forget() -> None:
    db.database().dispose()
    for remembered in (settings, db.database, register.current_profile):
        remembered.cache_clear()


def test_while_the_record_does_not_answer_people_are_told_to_keep_what_they_have(
    office: Office, without_record: TestClient
) -> None:
    """R36"""
    answers = [
        without_record.get("/health"),
        without_record.post(REFERRALS, json=a_referral(CHILD), headers=bearer(office, CHILDREN)),
        without_record.get(f"{REFERRALS}/7KQ2-XW9S", headers=bearer(office, CHILDREN)),
    ]
    for answer in answers:
        assert answer.status_code == 503
        check_headers(answer)
        assert answer.headers["Retry-After"] == "5"
        assert "Nothing was saved. Keep this page or document" in answer.json()["detail"]
    assert without_record.get("/live").status_code == 200
