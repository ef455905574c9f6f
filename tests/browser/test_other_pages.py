"""The pages beside the child's way: signing in, accounts, what the MASH does, and every way to refuse a form."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
from playwright.sync_api import Browser, Page, expect

from engine.stack import Stack
from tests.browser.look import look
from tests.scenarios.play import Hub


def test_the_pages_of_a_stranger_shut_nobody_out(browser: Browser, running: tuple[Stack, Hub]) -> None:
    """R46, R72"""
    page = browser.new_context(base_url=running[1].url).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    for path, name in (("/sign-in", "sign-in"), ("/about", "about"), ("/invitation/used", "invitation-over")):
        page.goto(path)
        look(page, name)
    page.goto("/sign-in")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("The address or the password is not right")
    look(page, "sign-in-refused")
    assert complaints == []


def test_the_pages_of_an_administrator_shut_nobody_out(sign_in: Callable[..., Page]) -> None:
    """R47, R64"""
    page = sign_in("account-admin")
    look(page, "authenticator")
    page.get_by_label("Code that the app shows now").fill(
        pyotp.TOTP(page.locator("strong.mash-words").inner_text()).now()
    )
    page.get_by_role("button", name="Use this app from now on").click()
    look(page, "you", "Your account")
    for path, name in (
        ("/accounts", "accounts"),
        ("/accounts-add", "account-add"),
        ("/accounts/mash-support", "account"),
    ):
        page.goto(path)
        look(page, name)
    page.goto("/accounts-add")
    page.get_by_role("button", name="Add and invite").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    look(page, "account-add-errors")
