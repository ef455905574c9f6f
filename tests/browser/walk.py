"""Steps of a referral's way through the pages, as the real users take them, and waits for what the engine does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from playwright.sync_api import Page, expect

from portal.words import STAGES
from rules.stages import Stage
from tests.browser.look import look


def date(page: Page, place: str, moment: datetime, *, time: bool = False) -> None:
    """Fill in a date's fields."""
    page.locator(f"#{place}").fill(str(moment.day))
    page.locator(f"#{place}-month").fill(str(moment.month))
    page.locator(f"#{place}-year").fill(str(moment.year))
    if time:
        page.locator(f"#{place}-time").fill(f"{moment:%H:%M}")


def nothing_known(page: Page, reference: str, *, closely: bool = True) -> int:
    """A representative returns nothing known, from the mail's link; how many clicks it took."""
    page.goto(f"/r/{reference}")
    if closely:
        look(page, "check")
    clicks = 0
    page.get_by_role("link", name="Return “nothing known”").click()
    clicks += 1
    if closely:
        look(page, "nothing-known", "Return “nothing known”")
    page.get_by_label("System", exact=True).fill("Records")
    page.get_by_label("Searched with").fill("name, date of birth")
    page.get_by_role("button", name="Send: nothing known").click()
    clicks += 1
    expect(page.get_by_text("Your return is with the MASH team.")).to_be_visible()
    return clicks


def answer_eligibility(page: Page, question: str) -> None:
    """The three questions before a referral."""
    for asked in ("Is there a safeguarding concern?", "Is its extent or seriousness unclear?"):
        page.get_by_role("group", name=asked).get_by_label("Yes").check()
    page.get_by_label("What exactly must the agencies clarify?").fill(question)
    page.get_by_role("button", name="Continue").click()


def describe(page: Page, number: int, person: dict[str, Any]) -> None:
    """One person of the referral, from an example."""
    place = f"#subjects-{number}-"
    page.locator(f"{place}voice").fill(person.get("voice") or "")
    page.locator(f"{place}voice_missing_because").fill(person.get("voice_missing_because") or "")
    page.locator(f"input[name='subjects-{number}-side'][value='{person['side']}']").check()
    for field in ("given_name", "family_name", "household_role", "consent_reason"):
        page.locator(place + field).fill(person.get(field) or "")
    protected = "true" if person["protected_address"] else "false"
    page.locator(f"input[name='subjects-{number}-protected_address:bool'][value='{protected}']").check()
    page.locator(f"{place}informed").select_option(person["informed"])
    page.locator(f"{place}consent").select_option(person["consent"])
    page.locator(f"{place}consent_given_by").fill(person.get("consent_given_by") or "")
    if "consent_on" in person:
        year, month, day = person["consent_on"].split("-")
        for part, value in {"day": day, "month": month, "year": year}.items():
            page.locator(f"input[name='subjects-{number}-consent_on:date.{part}']").fill(value)
    page.locator(f"{place}consent_reason_code").select_option(person.get("consent_reason_code", ""))
    page.locator(f"{place}basis-request_reason").select_option(person["basis"]["request_reason"])
    page.locator(f"{place}basis-confirmed_by").fill(person["basis"]["confirmed_by"])


def refer(page: Page, example: dict[str, Any]) -> str:
    """A duty officer refers the people of an example; the reference."""
    page.goto("/refer")
    answer_eligibility(page, example["eligibility"]["clarification_question"])
    for number, person in enumerate(example["subjects"]):
        if number:
            page.get_by_role("button", name="Add a person").click()
        describe(page, number, person)
    page.get_by_label("What worries you").fill(example["concern"]["narrative"])
    page.get_by_label("Who told you").select_option(example["concern"]["source"])
    page.get_by_label("Level of need").select_option(example["concern"]["level_of_need"])
    page.get_by_label("Who decided").fill("Team manager")
    page.get_by_label("Why what you know already is not enough").fill("Two old contacts only.")
    page.get_by_label("Your own case reference").fill("CASE 8")
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_text("Your referral is with the MASH.")).to_be_visible()
    return page.url.split("/")[-1].partition("?")[0]


class Decided(NamedTuple):
    """What is decided for one subject."""

    met: bool
    level: str
    outcome: str
    words: str


def decide(page: Page, reference: str, decisions: Iterable[Decided]) -> None:
    """A decision maker decides for each subject, in the order of the page, without a discussion."""
    try_to_sign(page, reference, decisions)
    expect(page.get_by_text("Your decision is signed.")).to_be_visible()


def try_to_sign(page: Page, reference: str, decisions: Iterable[Decided]) -> None:
    """The same up to the button, whatever comes of it."""
    reload_until(page, f"/board/{reference}", STAGES[Stage.AWAITING_DECISION])
    page.goto(f"/board/{reference}/decision")
    look(page, "decision-by-subject", "Decide")
    for number, one in enumerate(decisions):
        place, names = f"#decisions-{number}-", f"decisions-{number}-"
        met = "true" if one.met else "false"
        page.locator(f"input[name='{names}threshold_met:bool'][value='{met}']").check()
        page.locator(f"input[name='{names}level_of_need'][value='{one.level}']").check()
        page.locator(f"{place}outcome").select_option(one.outcome)
        page.locator(f"{place}rationale").fill(f"Why: for the MASH alone, {number}.")
        page.locator(f"{place}words_for_duty_team").fill(one.words)
    page.get_by_label("Why decide without?").fill("The returns are clear enough.")
    page.get_by_role("button", name="Sign the decision").click()


def acknowledge(page: Page, reference: str) -> None:
    """A duty officer has read the outcome."""
    page.goto(f"/referrals/{reference}/outcome")
    page.get_by_role("button", name="We know this outcome").click()
    expect(page.get_by_text("The MASH knows that your team has this outcome.")).to_be_visible()


def until_asked(page: Page, reference: str) -> None:
    """An agency's representative finds the referral among their checks."""
    reload_until(page, "/tasks", reference)


def until_handed_back(page: Page, reference: str) -> None:
    """A duty officer finds the outcome."""
    reload_until(page, f"/referrals/{reference}", "Read the outcome")


def reload_until(page: Page, path: str, text: str | re.Pattern[str]) -> None:
    """The engine does its part within a minute."""
    for _ in range(60):
        page.goto(path)
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"{text} did not come to {path}")


def until_closed(page: Page, reference: str) -> None:
    """The engine has ended the referral."""
    reload_until(page, f"/referrals/{reference}", re.compile(r"Closed\s*\. Next|^Closed$"))
