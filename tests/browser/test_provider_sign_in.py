"""A real browser goes to a council's own sign-in service, on another site, and comes back (R46, S-14, S-17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from casework.accounts import give_address
from casework.db import unit_of_work
from models.account import Account
from models.settings import settings
from tests.browser.look import complaints_of, look
from tests.browser.test_every_page import site  # noqa: F401 -- a fixture
from tests.portal.conftest import credentials, record, server  # noqa: F401 -- fixtures
from tests.portal.council import CLIENT, DOMAIN, SECRET, Council, council

WHO, ADDRESS = "BOARD", f"board@{DOMAIN}"


@pytest.fixture
def service(site: str, credentials: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Council]:  # noqa: F811
    """The portal offers the council's service, whose people need no code of the hub's."""
    with council(f"{site}/sign-in/provider/back") as running:
        given = {
            "MASH_PORTAL_URL": site, "MASH_OIDC_ISSUER": running.issuer, "MASH_OIDC_CLIENT_ID": CLIENT,
            "MASH_OIDC_CLIENT_SECRET": SECRET, "MASH_OIDC_DOMAINS": DOMAIN, "MASH_OIDC_SECOND_FACTOR": "mfa",
        }  # fmt: skip
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        yield running
    monkeypatch.undo()
    settings.cache_clear()


def test_somebody_comes_in_by_the_second_button(browser: Browser, site: str, service: Council):  # noqa: F811
    """R46: the policy lets the browser go, and its cookie comes back with it"""
    with unit_of_work() as session:
        account = session.get_one(Account, WHO)
        account.provider_subject = None
        give_address(session, account, ADDRESS, "Board")
        address = account.email or ""
    service.seat("nobody", f"nobody@{DOMAIN}", ("password", "otp"), email_verified=True)
    page = browser.new_context(base_url=site).new_page()
    complaints = complaints_of(page)
    page.goto("/you")
    look(page, "sign-in-provider")
    page.get_by_role("button", name="Sign in with your council account").click()
    look(page, "sign-in-provider-refused")
    service.seat("board", address, ("password", "otp"), email_verified=True)
    page.goto("/you")
    page.get_by_role("button", name="Sign in with your council account").click()
    page.wait_for_url(f"{site}/you")
    assert complaints == []
