"""Who may call what: every route × every role, and nothing learned from a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from portal.access import ACCESS, allowed_on
from portal.app import create_app
from portal.examples import CHILD
from rules.errors import Misconfigured
from tests.portal.office import Office, acts

ABSENT = "7KQ2-XW9S"
OF_THE_API = {route: roles for route, roles in ACCESS.items() if " /api/" in route}
BEHIND_A_CREDENTIAL = [route for route, roles in OF_THE_API.items() if roles is not None]


def routes(parts: Iterable[Any]) -> Iterator[str]:
    """Every route of the application, also of the routers in it."""
    for part in parts:
        if inside := getattr(part, "original_router", None):
            yield from routes(inside.routes)
        else:
            yield from (f"{method} {part.path}" for method in part.methods or () if method != "HEAD")


def test_every_route_has_an_entry_in_the_access_table_and_no_entry_is_idle(record: object) -> None:
    """R48"""
    found = list(routes(create_app().routes))
    assert len(found) == len(set(found))
    assert set(found) == set(ACCESS)


def test_a_route_without_an_entry_answers_nobody() -> None:
    """R48"""
    with pytest.raises(Misconfigured, match=r"portal/access\.py: no entry for GET /api/v1/secrets"):
        allowed_on("GET", "/api/v1/secrets")


@pytest.fixture(scope="module")
def not_theirs_once() -> dict[str, str]:
    return {}


@pytest.fixture
def not_theirs(office: Office, not_theirs_once: dict[str, str]) -> str:
    """A child's referral, of which the adults' side knows nothing."""
    if "reference" not in not_theirs_once:
        not_theirs_once["reference"] = office.refer_and_ask(CHILD)
    return not_theirs_once["reference"]


VALID_DOCUMENTS = [
    ("COUNCIL_ADULTS", "check/acknowledge", {}),
    ("COUNCIL_ADULTS", "check/clarify", {"text": "Which?"}),
    ("COUNCIL_ADULTS", "check/decline", {"reason": "NO_ISA"}),
    ("COUNCIL_ADULTS", "check/return", {"result": "NOT_KNOWN", "not_searched_because": "none"}),
    ("COUNCIL_ADULTS", "views", {"agency": "COUNCIL_ADULTS", "view": "AGREE"}),
    ("COUNCIL_ADULTS", "views", {"agency": "POLICE", "view": "AGREE"}),
    ("ADULT_ASIST", "withdraw", {"reason": "OTHER"}),
    ("ADULT_ASIST", "clear-concern", {}),
    ("ADULT_ASIST", "acknowledgement", {"version": 1}),
]


@pytest.mark.parametrize(("account", "path", "document"), VALID_DOCUMENTS)
def test_a_good_document_about_somebody_elses_referral_changes_and_tells_nothing(
    office: Office, not_theirs: str, account: str, path: str, document: dict[str, Any]
) -> None:
    """R48, R49"""
    before = acts(not_theirs)
    refused, absent = (
        office.post(account, f"/referrals/{reference}/{path}", document) for reference in (not_theirs, ABSENT)
    )
    assert refused.status_code == absent.status_code == 404
    assert refused.content == absent.content
    assert acts(not_theirs) == before


@pytest.mark.parametrize("reference", ["7KQ2-XW9T", "x", "%00", "..%2f..", "7kq2%20xw9s", "%F0%9F%98%80"])
def test_what_cannot_be_a_reference_looks_like_one_that_does_not_exist(office: Office, reference: str) -> None:
    """R48"""
    answers = [office.get("OPERATOR", f"/referrals/{each}") for each in (reference, ABSENT)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].content == answers[1].content


def test_a_reference_may_be_typed_as_people_do(office: Office, not_theirs: str) -> None:
    """R51"""
    typed = not_theirs.lower().replace("-", " ")
    assert office.get("OPERATOR", f"/referrals/{typed}").json()["reference"] == not_theirs


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Bearer "}, {"Authorization": "Basic eDp5"}],
)
@pytest.mark.parametrize("route", BEHIND_A_CREDENTIAL)
def test_without_a_credential_nothing_is_answered(office: Office, route: str, headers: dict[str, str]) -> None:
    """R46, R48"""
    method, _, path = route.partition(" ")
    target = path.format(reference=ABSENT, agency="POLICE", version=1, sample_id=uuid4())
    answer = office.client.request(method, target, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_leavers_token_stands_for_nobody(office: Office) -> None:
    """R47"""
    assert office.get("LEAVER", "/accounts/me").status_code == 401


def test_an_account_learns_who_it_is(office: Office) -> None:
    """R46"""
    me = office.get("POLICE", "/accounts/me").json()
    assert me.pop("second_factor_until")
    assert me == {
        "id": "POLICE",
        "role": "AGENCY",
        "duty_team": None,
        "agency": "POLICE",
        "mash_profile": False,
        "is_person": True,
    }


def test_a_denial_is_logged_by_account_and_route_alone(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """R48"""
    office.get("MASH_SUPPORT", f"/referrals/{ABSENT}/template?format=json")
    assert [record.getMessage() for record in caplog.records if record.name == "mash.portal"] == [
        "NotFound for account MASH_SUPPORT at GET /api/v1/referrals/{reference}/template"
    ]
