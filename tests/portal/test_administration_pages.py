"""What an account administrator does in the portal (R47, R48, R64, S-8, S-9)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.portal.office import Office
from tests.portal.people import Person, at_their_desk

INDUCTED = {
    "inducted_at:moment.day": "2",
    "inducted_at:moment.month": "3",
    "inducted_at:moment.year": "2026",
    "inducted_at:moment.time": "09:00",
}


@pytest.fixture
def admin(office: Office, client: Any) -> Person:
    return at_their_desk(client, "ACCOUNT_ADMIN")


def added(admin: Person, role: str = "MASH_SUPPORT", domain: str = "mash.bnes.example", **more: str) -> str:
    form = {"display_name": "Sam Rook", "email": f"{uuid4().hex[:12]}@{domain}", "role": role}
    answer = admin.send("/accounts-add", form | more)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].partition("?")[0])


def test_a_person_is_added_and_invited(admin: Person):
    """R47"""
    page = added(admin, "AGENCY", "police.bnes.example", agency="POLICE")
    text = admin.get(page).text
    assert "Sam Rook" in text
    assert "Invited, by ACCOUNT_ADMIN" in text
    assert page in admin.get("/accounts").text


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({"email": "rep@gmail.com"}, "email"),
        ({"email": ""}, "email"),
        ({"display_name": ""}, "display_name"),
        ({"role": ""}, "role"),
        ({"agency": ""}, "agency"),
        ({"mash_profile": "true"}, "mash_profile"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(admin: Person, form: dict[str, str], place: str):
    """S-3, S-9"""
    good = {"display_name": "A", "email": "a@police.bnes.example", "role": "AGENCY", "agency": "POLICE"}
    answer = admin.send("/accounts-add", good | form)
    assert answer.status_code == 422
    assert f'href="#{place}"' in answer.text


def test_the_mash_profile_is_granted_after_an_induction_and_withdrawn(admin: Person):
    """R64"""
    page = added(admin)
    assert admin.send(f"{page}/mash-profile", {}, page=page).status_code == 422
    assert admin.send(f"{page}/mash-profile", INDUCTED, page=page).status_code == 303
    assert "Withdraw the MASH profile" in admin.get(page).text
    assert admin.send(f"{page}/mash-profile/withdraw", page=page).status_code == 303
    assert "Grant the MASH profile" in admin.get(page).text


def test_a_leaver_is_disabled(admin: Person):
    """R47"""
    page = added(admin)
    assert admin.send(f"{page}/disable", page=page).headers["location"] == f"{page}?done=disabled"
    assert "Disabled" in admin.get(page).text


def test_nobody_changes_their_own_account(admin: Person):
    """S-9"""
    page = "/accounts/ACCOUNT_ADMIN"
    assert "another administrator" in admin.get(page).text
    for act in ("invite", "disable", "mash-profile"):
        assert admin.post(f"{page}/{act}", INDUCTED).status_code == 403


def test_systems_and_strangers_are_no_persons_account(admin: Person):
    """S-2"""
    for account in ("CHILDREN_DUTY", "nobody", "HUB"):
        assert admin.get(f"/accounts/{account}").status_code == 404
        assert admin.post(f"/accounts/{account}/disable").status_code == 404


def test_an_address_is_changed_to_one_of_the_same_body_and_proven_anew(admin: Person):
    """S-9"""
    page = added(admin, "AGENCY", "police.bnes.example", agency="POLICE")
    elsewhere = admin.send(f"{page}/address", {"email": "rep@gmail.com"}, page=page)
    assert elsewhere.status_code == 422
    assert 'href="#email"' in elsewhere.text
    new = f"{uuid4().hex[:12]}@police.bnes.example"
    assert admin.send(f"{page}/address", {"email": new}, page=page).headers["location"] == f"{page}?done=moved"
    text = admin.get(page).text
    assert new in text
    assert "Address changed, by ACCOUNT_ADMIN" in text
    taken = admin.send(f"{page}/address", {"email": new}, page=page)
    assert "somebody has an account with this address already" in taken.text.lower()


def test_whoever_comes_back_has_another_account_under_the_address_that_they_had(admin: Person):
    """S-9: the account that they left keeps its name and its history, and no address"""
    left, back = (added(admin, "AGENCY", "police.bnes.example", agency="POLICE") for _ in range(2))
    address = f"{uuid4().hex[:12]}@police.bnes.example"
    assert admin.send(f"{left}/address", {"email": address}, page=left).status_code == 303
    page = admin.get(left).text
    assert page.index("It cannot be undone") < page.index("Yes, disable it")
    assert admin.send(f"{left}/disable", page=left).status_code == 303
    assert admin.send(f"{back}/address", {"email": address}, page=back).headers["location"] == f"{back}?done=moved"
    assert address in admin.get(back).text
    assert address not in admin.get(left).text
    assert "Address given up, by ACCOUNT_ADMIN" in admin.get(left).text


def test_a_named_manager_confirms_their_colleagues_on_a_page_of_their_own(admin: Person, client: Any):
    """R47, R49"""
    for page in ("/accounts/RUH", "/accounts/CCG"):
        assert admin.send(f"{page}/manager", page=page).headers["location"] == f"{page}?done=manager"
    colleague = added(admin, "AGENCY", "ruh.bnes.example", agency="RUH").rpartition("/")[2]
    manager = at_their_desk(client, "RUH")
    assert "Your colleagues" in manager.get("/tasks").text
    assert "Sam Rook" in manager.get("/colleagues").text
    nobody = manager.send("/colleagues")
    assert nobody.status_code == 422
    assert 'href="#people"' in nobody.text
    assert manager.send("/colleagues", {"person:CCG": "LEFT"}).status_code == 404
    told = manager.send("/colleagues", {f"person:{colleague}": "LEFT"})
    assert told.headers["location"] == "/colleagues?done=confirmed"
    assert "Sam Rook" not in manager.get("/colleagues").text
    assert admin.send("/accounts/RUH/manager/withdraw", page="/accounts/RUH").status_code == 303
    assert manager.get("/colleagues").status_code == 403


def test_accounts_to_confirm_are_listed_for_the_administrator(admin: Person):
    """R47"""
    from datetime import timedelta

    from casework.db import unit_of_work
    from casework.sessions import real_now
    from models.account import Account

    account_id = added(admin, "DUTY_TEAM", "children.bnes.example", duty_team="CHILDREN_DUTY").rpartition("/")[2]
    assert account_id not in admin.get("/accounts-stale").text
    with unit_of_work() as session:
        account = session.get(Account, account_id)
        assert account is not None
        account.confirmed_at = real_now(session) - timedelta(days=190)
    assert "Not confirmed in time" in admin.get("/accounts-stale").text
    assert admin.send("/accounts-stale", {f"person:{account_id}": "STAYS"}).status_code == 303
    assert account_id not in admin.get("/accounts-stale").text
    assert "Confirmed, by ACCOUNT_ADMIN" in admin.get(f"/accounts/{account_id}").text
