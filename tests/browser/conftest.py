"""A real browser in front of a real hub. Without a browser these tests say so and are skipped."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from casework import accounts
from casework.db import now, unit_of_work
from engine import held_clock
from engine.stack import Stack
from models.account import Account
from rules.permissions import HUB
from tests.hub import surroundings
from tests.scenarios.play import Hub

PASSWORD = "harbour violet tram ladder"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for this folder alone: while Playwright lives, no other event loop runs in its thread."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: install it (Debian: apt-get install chromium) to run these tests")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def closed_behind(browser: Browser) -> Iterator[None]:
    """Pages left open would ask for news to the end of all tests."""
    yield
    for context in browser.contexts:
        context.close()


class Post:
    """The mail that the hub has sent, as its sink keeps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, to: str, wanted: str, after: float, patience: float = 60) -> str:
        """What the first group of `wanted` matches in the newest message to an address since a moment."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            for file in sorted(self._folder.glob("*.eml"), reverse=True):
                if file.stat().st_mtime < after:
                    break
                message = message_from_bytes(file.read_bytes(), policy=default)
                body = message.get_body(("plain",))
                match = re.search(wanted, body.get_content() if body else "")
                if to in str(message["X-Mash-Envelope-To"]) and match:
                    return match[1]
            time.sleep(0.2)
        raise AssertionError(f"no mail for {to} within {patience} s")


@pytest.fixture(scope="package")
def sign_in(browser: Browser, running: tuple[Stack, Hub]) -> Callable[..., Page]:
    """Sign somebody in with a browser of their own, as everybody does: invitation, password, code from the mail."""
    stack, hub = running
    post = Post(hub.mail)

    kept: dict[str, Any] = {}

    def signed_in(account_id: str, **options: Any) -> Page:
        """Once by hand; after that with the cookies of then."""
        if account_id not in kept:
            kept[account_id] = by_hand(account_id).context.storage_state()
        page = browser.new_context(base_url=hub.url, storage_state=kept[account_id], **options).new_page()
        page.goto("/")
        return page

    def by_hand(account_id: str) -> Page:
        with surroundings(stack.environment()), unit_of_work() as session:
            path = accounts.send_invitation(session, account_id, by=HUB, at=now(session))
            address = session.get(Account, account_id).email or ""  # type: ignore[union-attr]
        page = browser.new_context(base_url=hub.url).new_page()
        page.goto(path)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.get_by_label("E-mail address").fill(address)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        began = time.time() - 1
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Code").fill(post.newest(address, r"Your code: (\d{6})", began))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    return signed_in


@pytest.fixture
def open_office(running: tuple[Stack, Hub]) -> Iterator[None]:
    """The hub's clock stands at a Monday morning for a while."""
    owner = running[1].owner_url
    held_clock.hold(owner, "Mon 16 Mar 2026 10:00", running[1].profile.zone_info)
    yield
    held_clock.release(owner)
