"""A child's referral through the pages, as the real users, with the real engine behind; axe-core looks at each page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from portal.words import STAGES
from rules.stages import Stage
from tests.browser.look import look
from tests.browser.walk import (
    answer_eligibility,
    date,
    nothing_known,
    reload_until,
    until_asked,
    until_closed,
    until_handed_back,
)

REPRESENTATIVES = ("POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN", "MENTAL_HEALTH")


def refer(page: Page) -> str:
    """A duty officer refers a girl of nine; the reference."""
    page.goto("/refer")
    look(page, "refer")
    answer_eligibility(page, "Has anybody attended, or seen injuries?")
    look(page, "refer-details", "Refer to the MASH")
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    look(page, "refer-errors")
    page.get_by_label("Their own view", exact=True).fill("She says that the evenings are frightening.")
    page.get_by_role("group", name="Child or adult?").get_by_label("Child").check()
    page.get_by_label("First name").fill("Wren")
    page.get_by_label("Last name").fill("Ashdown")
    page.get_by_role("group", name="Must the address be kept").get_by_label("No").check()
    page.get_by_label("Role in the household").fill("daughter")
    page.get_by_label("Were they told of this referral?").select_option("INFORMED")
    page.get_by_label("Consent", exact=True).select_option("GIVEN_VERBAL")
    page.locator("#subjects-0-consent_given_by").fill("The mother")
    for part, value in {"day": "12", "month": "3", "year": "2026"}.items():
        page.locator(f"input[name='subjects-0-consent_on:date.{part}']").fill(value)
    page.locator("#subjects-0-basis-request_reason").select_option("GENERAL_SAFEGUARDING")
    page.locator("#subjects-0-basis-confirmed_by").fill("Team manager")
    page.get_by_label("What worries you").fill("Shouting at night, several times this month.")
    page.get_by_label("Who told you").select_option("1B")
    page.get_by_label("Level of need").select_option("L3")
    page.get_by_label("Who decided").fill("Team manager")
    page.get_by_label("Why what you know already is not enough").fill("Two old contacts only.")
    page.get_by_label("Your own case reference").fill("CASE 7")
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_text("Your referral is with the MASH.")).to_be_visible()
    look(page, "my-referral")
    return page.url.split("/")[-1].partition("?")[0]


def full_return(page: Page, reference: str) -> None:
    """The police know something, and type it with the keyboard alone."""
    page.goto("/tasks")
    look(page, "tasks")
    page.get_by_role("link", name=reference).press("Enter")
    page.get_by_role("button", name="Known, file closed", exact=True).press("Enter")
    expect(page.get_by_text("The MASH knows that you have this check.")).to_be_visible()
    page.get_by_role("link", name="Return what you know").press("Enter")
    look(page, "return", "Return what you know")
    page.get_by_label("Known: closed").press("Space")
    date(page, "items-0-event_date", datetime(2026, 1, 9, tzinfo=UTC))
    page.get_by_label("What happened").fill("Attended after a call about shouting. Nobody was hurt.")
    page.get_by_label("Fact", exact=True).press("Space")
    page.get_by_label("Where it is written").fill("Incident log")
    for question in ("Is it relevant?", "Is it necessary?", "Is it proportionate?"):
        page.get_by_role("group", name=question).get_by_label("Yes").press("Space")
    page.get_by_label("The MASH team and the duty team").press("Space")
    page.get_by_label("System", exact=True).fill("Incident log")
    page.get_by_label("Searched with").fill("name, address")
    expect(page.get_by_text("Draft saved at")).to_be_visible(timeout=15_000)
    page.reload()
    expect(page.get_by_label("Where it is written")).to_have_value("Incident log")
    page.get_by_role("button", name="Send return").press("Enter")
    expect(page.get_by_text("Your return is with the MASH team.")).to_be_visible()


def decide(page: Page, reference: str) -> None:
    """A decision maker finds the referral on the board and decides."""
    reload_until(page, f"/board/{reference}", STAGES[Stage.AWAITING_DECISION])
    page.goto("/board")
    look(page, "board")
    page.get_by_role("link", name=reference).click()
    look(page, "referral", "Referral")
    page.get_by_role("link", name="Record the discussion").click()
    look(page, "discussion", "Record the discussion")
    page.goto(f"/board/{reference}/decision")
    look(page, "decision", "Decide")
    page.get_by_role("group", name="Is the threshold met?").get_by_label("Yes").check()
    page.get_by_label("Level 3: complex needs").check()
    page.get_by_label("Outcome", exact=True).select_option("C_ASSESS")
    page.get_by_label("Rationale").fill("A pattern over months.")
    page.get_by_label("Words for the duty team").fill("Please begin an assessment, and see her alone.")
    date(page, "decisions-0-actions-0-due_on", datetime(2026, 3, 20, tzinfo=UTC))
    page.get_by_label("Action", exact=True).fill("Begin the assessment")
    page.get_by_label("Who does it").fill("Children's duty team")
    page.get_by_label("Why decide without?").fill("The returns are clear enough.")
    page.get_by_role("button", name="Sign the decision").click()
    expect(page.get_by_text("Your decision is signed.")).to_be_visible()


def test_a_child_is_referred_checked_decided_and_acknowledged_through_the_pages(
    sign_in: Callable[..., Page], open_office: None
) -> None:
    """R02-R06, R13, R18, R35, R42, R43, R49, R53: from referral to acknowledgement"""
    officer = sign_in("officer-CHILDREN_DUTY")
    look(officer, "referrals")
    reference = refer(officer)
    police = sign_in("rep-POLICE")
    until_asked(police, reference)
    full_return(police, reference)
    for agency in REPRESENTATIVES[1:]:
        clicks = nothing_known(sign_in(f"rep-{agency}", java_script_enabled=agency != "MENTAL_HEALTH"), reference)
        assert clicks <= 4
    decide(sign_in("decision-maker-1"), reference)
    until_handed_back(officer, reference)
    officer.get_by_text("Read the outcome").click()
    look(officer, "outcome", "Outcome of")
    expect(officer.get_by_text("Please begin an assessment, and see her alone.")).to_be_visible()
    officer.get_by_role("button", name="We know this outcome").click()
    expect(officer.get_by_text("The MASH knows that your team has this outcome.")).to_be_visible()
    until_closed(officer, reference)
