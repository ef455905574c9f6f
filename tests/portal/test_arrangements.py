"""The pages of what the area has agreed: the register, the calendar, the profile's versions (R26, R55, R70)."""

from __future__ import annotations

from typing import Any

import pytest

from casework.register import current_profile
from engine import held_clock
from engine.stack import Stack
from portal.words import on_day
from tests.portal.office import Office
from tests.portal.people import Person, at_their_desk


def dated(name: str, day: str) -> dict[str, str]:
    parts = zip((".day", ".month", ".year"), day.split(), strict=True)
    return {f"{name}:date{part}": value for part, value in parts}


FORM: dict[str, Any] = {
    "title": "Agreement of the area", "version": "1.0", "parties:list": ["POLICE", "ADULT_ASIST"],
    "scope": "To decide on the threshold.", **dated("signed_on", "1 2 2026"), **dated("in_force_from", "1 3 2026"),
    **dated("review_on", "1 3 2030"),
}  # fmt: skip


@pytest.fixture
def admin(office: Office, client: Any) -> Person:
    return at_their_desk(client, "ACCOUNT_ADMIN")


def test_an_agreement_is_added_renewed_and_ended(admin: Person):
    """R55"""
    page = admin.send("/agreements-add", FORM).headers["location"].partition("?")[0]
    assert "Added, by ACCOUNT_ADMIN" in admin.get(page).text
    assert page in admin.get("/agreements").text
    begun = admin.get(f"{page}/renew").text
    assert "Agreement of the area" in begun
    same = admin.send(f"{page}/renew", FORM)
    assert same.status_code == 422
    assert 'href="#version"' in same.text
    newer = admin.send(f"{page}/renew", FORM | {"version": "2.0"})
    assert newer.headers["location"].endswith("?done=entered")
    twice = admin.send(f"{page}/renew", FORM | {"version": "3.0"})
    assert twice.status_code == 409
    assert admin.send(f"{page}/end", page=page).headers["location"] == f"{page}?done=ended"
    assert "Over" in admin.get(page).text


@pytest.mark.parametrize(
    "name", ["title", "version", "parties:list", "scope", "signed_on:date.day", "review_on:date.day"]
)
def test_what_is_missing_stands_beside_its_field(admin: Person, name: str):
    """R55"""
    answer = admin.send("/agreements-add", {key: value for key, value in FORM.items() if key != name})
    assert answer.status_code == 422
    assert f'href="#{name.partition(":")[0]}"' in answer.text


def test_information_governance_reads_and_changes_nothing(admin: Person, client: Any):
    """R58"""
    page = admin.send("/agreements-add", FORM).headers["location"].partition("?")[0]
    lead = at_their_desk(client, "IG_LEAD")
    for path in ("/agreements", page, "/calendar", "/profile-versions"):
        text = lead.get(path).text
        assert "<h1" in text
        assert f'action="{page}' not in text
    assert lead.post(f"{page}/end").status_code == 403


def test_the_calendar_lists_what_is_closed_and_warns_of_the_year_that_is_missing(admin: Person, record: Stack):
    """R26, finding 23"""
    known = current_profile().hours.known_until
    text = admin.get("/calendar").text
    assert on_day(known) in text
    assert "Christmas Day" in text
    assert "Warning" not in text
    owner = record.environment()["MASH_OWNER_DATABASE_URL"]
    held_clock.hold(owner, f"{known.replace(month=12, day=2):%a %d %b %Y} 10:00", current_profile().zone_info)
    try:
        assert "Deadlines after that day would count them as open" in admin.get("/calendar").text
    finally:
        held_clock.release(owner)


def test_the_versions_of_the_profile_are_listed(admin: Person):
    """R70"""
    assert current_profile().version in admin.get("/profile-versions").text
