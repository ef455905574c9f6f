"""The warning before one is signed out, and the code asked for anew, in a real browser (S-14, S-16)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import update

from casework.db import unit_of_work
from casework.sessions import IDLE, real_now
from engine.stack import Stack
from models.signin import PortalSession
from tests.browser.look import look
from tests.hub import surroundings
from tests.scenarios.play import Hub


@pytest.fixture
def away(running: tuple[Stack, Hub]) -> Callable[[timedelta], None]:
    """Everybody was away for so long, or gave their second factor so long ago."""

    def been(time_away: timedelta) -> None:
        with surroundings(running[0].environment()), unit_of_work() as session:
            at = real_now(session) - time_away
            session.execute(update(PortalSession).values(seen_at=at, proven_at=at))

    return been


def test_whoever_is_away_is_warned_and_stays_with_one_key(
    sign_in: Callable[..., Page], away: Callable[[timedelta], None]
) -> None:
    """S-14: the warning takes the keyboard, and gives it back"""
    page = sign_in("rep-POLICE")
    page.clock.install()
    with page.expect_response("**/stay"):
        page.goto("/you")
    away(IDLE - timedelta(minutes=3))
    page.clock.fast_forward("26:00")
    warning = page.get_by_role("dialog", name="You will be signed out soon")
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("You will be signed out in 3 minutes")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
    look(page, "idle")
    # To be looked at as it is printed it was hidden for a moment, and what is hidden has no focus.
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Stay signed in").press("Enter")
    expect(warning).to_be_hidden()
    assert int(page.request.get("/stay").text()) > IDLE.total_seconds() - 120


def test_the_warning_says_so_when_it_is_too_late(
    sign_in: Callable[..., Page], away: Callable[[timedelta], None]
) -> None:
    """S-14: and the page with what was typed stays where it is"""
    page = sign_in("rep-POLICE")
    page.clock.install()
    with page.expect_response("**/stay"):
        page.goto("/you")
    away(IDLE)
    page.clock.fast_forward("31:00")
    expect(page.get_by_role("dialog")).to_contain_text("You are signed out.")
    page.get_by_role("button", name="Go back to the page").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your account")


def test_the_code_is_asked_for_anew_before_an_account_is_changed(
    sign_in: Callable[..., Page], away: Callable[[timedelta], None], running: tuple[Stack, Hub]
) -> None:
    """S-16"""
    page = sign_in("decision-maker-2")
    away(timedelta(minutes=20))
    page.goto("/board")
    fetched = page.evaluate(
        """async () => (await fetch('/board/7KQ2-XW9S/reconsideration', { method: 'POST', redirect: 'manual',
        headers: { 'X-Form-Token': document.querySelector('input[name="form_token"]').value } })).type"""
    )
    assert fetched == "opaqueredirect"
    page.goto("/step-up")
    began = time.monotonic()
    look(page, "step-up", "Confirm that it is you")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    look(page, "step-up-errors")
    assert time.monotonic() - began < 60
