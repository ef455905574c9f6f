"""Every way through the pages: few clicks, no script at all, or no mouse at all (R27, R29, R43, R49)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session

from casework import checks, decision, intake, referrals
from casework.db import now, unit_of_work
from casework.documents import DecisionDocument, ReturnDocument
from engine import held_clock
from engine.stack import Stack
from rules.permissions import Actor, Role
from rules.stages import OPEN_CHECKS, Stage
from tests.browser.conftest import Post
from tests.browser.look import look
from tests.hub import surroundings
from tests.scenarios.people import a_child, a_referral
from tests.scenarios.play import Hub

DECIDER = Actor("decision-maker-1", Role.DECISION_MAKER, mash_profile=True, is_person=True)
COUNT_CLICKS = """
addEventListener('click', event => {
  if (event.isTrusted && event.detail) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1
}, true)
"""
SignIn = Callable[..., Page]


@pytest.fixture(autouse=True)
def office_hours(running: tuple[Stack, Hub]) -> Iterator[None]:
    """The hub's clock stands at a Monday morning for a while."""
    hub = running[1]
    held_clock.hold(hub.owner_url, "Mon 16 Mar 2026 10:00", hub.profile.zone_info)
    yield
    held_clock.release(hub.owner_url)


class Others:
    """Whoever is not in front of the browser; the engine does its own part."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def refer(self) -> str:
        """A child's referral that the agencies are being asked about."""
        with surroundings(self._stack.environment()):
            with unit_of_work() as session:
                at = now(session)
                document = a_referral("CHILDREN_DUTY", f"ways-{uuid4().hex}", [a_child()], at)
                by = Actor("system-CHILDREN_DUTY", Role.DUTY_TEAM, duty_team="CHILDREN_DUTY")
                reference = intake.receive(session, document, by=by, at=at).reference
            _reach(reference, Stage.CHECKING)
        return reference

    def are_asked(self, reference: str) -> None:
        """The agencies have been asked."""
        with surroundings(self._stack.environment()):
            _reach(reference, Stage.CHECKING)

    def answer(self, reference: str) -> None:
        """Who has not answered knows nothing; a decision is wanted."""
        with surroundings(self._stack.environment()):
            with unit_of_work() as session:
                _know_nothing(session, reference)
            _reach(reference, Stage.AWAITING_DECISION)

    def answer_and_decide(self, reference: str) -> None:
        """The same, and a decision maker decides; the outcome goes back."""
        self.answer(reference)
        with surroundings(self._stack.environment()):
            with unit_of_work() as session:
                _decide(session, reference)
            _reach(reference, Stage.AWAITING_ACK)


def _reach(reference: str, stage: Stage) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with unit_of_work() as session:
            if referrals.find(session, reference).stage is stage and referrals.checks(session, reference):
                return
        time.sleep(0.3)
    raise AssertionError(f"{reference} did not reach {stage}")


def _know_nothing(session: Session, reference: str) -> None:
    at = now(session)
    search = {"system": "Records", "searched_with": "name", "searched_at": at.isoformat()}
    document = ReturnDocument.model_validate({"result": "NOT_KNOWN", "systems_searched": [search]})
    for check in referrals.checks(session, reference):
        if check.status in OPEN_CHECKS:
            by = Actor(f"rep-{check.agency}", Role.AGENCY, agency=check.agency, is_person=True)
            checks.record_return(session, reference, check.agency, document, by=by, at=at)


def _decide(session: Session, reference: str) -> None:
    decided = {
        "subject": "S1", "threshold_met": False, "level_of_need": "L1", "outcome": "NFA", "rationale": "Nothing.",
        "words_for_duty_team": "Nothing more is known.", "actions": [],
    }  # fmt: skip
    seen = referrals.find(session, reference).version
    document = {"version_seen": seen, "without_discussion_because": "Clear enough.", "decisions": [decided]}
    decision.decide(session, reference, DecisionDocument.model_validate(document), by=DECIDER, at=now(session))


@pytest.fixture
def others(running: tuple[Stack, Hub]) -> Others:
    return Others(running[0])


def test_nothing_known_takes_at_most_four_clicks_from_the_mails_link(
    sign_in: SignIn, others: Others, running: tuple[Stack, Hub]
) -> None:
    """R27, issue 4: counted by the browser, with the mouse alone but for what is typed"""
    page = sign_in("rep-COMMUNITY_HEALTH_CHILDREN")
    began = time.time() - 1
    reference = others.refer()
    address = running[1].profile.agency("COMMUNITY_HEALTH_CHILDREN").notify.primary
    link = Post(running[1].mail).newest(address, rf"(http\S+/r/{reference})", began)
    page.add_init_script(COUNT_CLICKS)
    page.goto(link)
    page.get_by_role("link", name="Return “nothing known”").click()
    for label, words in (("System", "Records"), ("Searched with", "name, date of birth")):
        page.get_by_label(label, exact=True).click()
        page.keyboard.type(words)
    page.get_by_role("button", name="Send: nothing known").click()
    expect(page.get_by_text("Your return is with the MASH team.")).to_be_visible()
    clicks = int(page.evaluate("sessionStorage.clicks"))
    assert clicks == 4


def test_a_referral_its_return_and_its_acknowledgement_need_no_script(sign_in: SignIn, others: Others) -> None:
    """R29, R43: with JavaScript switched off"""
    officer = sign_in("officer-CHILDREN_DUTY", java_script_enabled=False)
    reference = _refer(officer)
    others.are_asked(reference)
    police = sign_in("rep-POLICE", java_script_enabled=False)
    police.goto(f"/r/{reference}")
    police.get_by_role("button", name="Known, file closed", exact=True).click()
    expect(police.get_by_text("The MASH knows that you have this check.")).to_be_visible()
    _return_three_items(police)
    look(police, "check-returned", f"Check {reference}")
    police.get_by_role("link", name="Say what you think of the threshold").click()
    look(police, "own-view", "thinks")
    police.get_by_label("We disagree").check()
    police.get_by_label("Why").fill("It looks higher to us.")
    police.get_by_role("button", name="Record our view").click()
    expect(police.get_by_text("The view is recorded.")).to_be_visible()
    others.answer(reference)
    others.answer_and_decide(reference)
    police.goto(f"/checks/{reference}/readers")
    look(police, "readers", "Who has read")
    police.goto(f"/checks/{reference}/question")
    police.get_by_label("Your question").fill("Is it still open?")
    police.get_by_role("button", name="Send question").click()
    expect(police.get_by_label("What you typed, to copy")).to_have_value("Text: Is it still open?")
    look(police, "check-over", "This was not sent")
    police.goto(f"/checks/{reference}")
    expect(police.get_by_text("No further action")).to_be_visible()
    officer.goto(f"/r/{reference}")
    officer.get_by_role("button", name="Read the outcome").or_(officer.get_by_text("Read the outcome")).first.click()
    officer.get_by_role("button", name="We know this outcome").click()
    expect(officer.get_by_text("The MASH knows that your team has this outcome.")).to_be_visible()


def _refer(page: Page) -> str:
    page.goto("/refer")
    for question in ("Is there a safeguarding concern?", "Is its extent or seriousness unclear?"):
        page.get_by_role("group", name=question).get_by_label("Yes").check()
    page.get_by_label("What exactly must the agencies clarify?").fill("Has anybody attended?")
    page.get_by_role("button", name="Continue").click()
    for label, words in (
        ("Their own view", "She says that the evenings are frightening."), ("First name", "Wren"),
        ("Last name", "Ashdown"), ("Role in the household", "daughter"), ("What worries you", "Shouting at night."),
        ("Who decided", "Team manager"), ("Why what you know already is not enough", "Two old contacts."),
        ("Your own case reference", "CASE 8"), ("Who gave the consent, if it was given", "The mother"),
        ("Who confirms this basis", "Team manager"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(words)
    for part, value in (("day", "12"), ("month", "3"), ("year", "2026")):
        page.locator(f"input[name='subjects-0-consent_on:date.{part}']").fill(value)
    page.get_by_role("group", name="Child or adult?").get_by_label("Child").check()
    page.get_by_role("group", name="Must the address be kept").get_by_label("No").check()
    for label, option in (
        ("Were they told of this referral?", "INFORMED"), ("Consent", "GIVEN_VERBAL"), ("Who told you", "1B"),
        ("Level of need", "L3"), ("Reason for the request", "GENERAL_SAFEGUARDING"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).select_option(option)
    page.get_by_role("button", name="Send referral").click()
    expect(page.get_by_text("Your referral is with the MASH.")).to_be_visible()
    return page.url.split("/")[-1].partition("?")[0]


def _return_three_items(page: Page) -> None:
    """One is given, one is withheld, and one is taken out again; what is wrong is said beside its field."""
    page.get_by_role("link", name="Return what you know").click()
    page.get_by_label("Known: closed").check()
    for label, words in (("System", "Incident log"), ("Searched with", "name")):
        page.get_by_label(label, exact=True).fill(words)
    given, withheld, wrong = (page.get_by_role("group", name=f"Item {number}", exact=True) for number in (1, 2, 3))
    given.get_by_label("What happened").fill("Attended after a call about shouting.")
    page.get_by_role("button", name="Add another item").click()
    withheld.get_by_label("What happened").fill("Typed by mistake.")
    page.get_by_role("button", name="Add another item").click()
    wrong.get_by_label("What happened").fill("The third.")
    page.get_by_role("button", name="Remove item 2").click()
    expect(withheld.get_by_label("What happened")).to_have_value("The third.")
    expect(wrong).to_have_count(0)
    withheld.get_by_label("Nobody: we withhold it").check()
    page.get_by_role("button", name="Send return").click()
    expect(page.get_by_role("alert")).to_contain_text("Item 1, is it relevant: please answer this")
    expect(page.get_by_role("alert")).to_contain_text("Item 2, why you withhold it: please answer this")
    look(page, "return-errors")
    for part, number in (("Day", "9"), ("Month", "1"), ("Year", "2026")):
        given.get_by_label(part, exact=True).fill(number)
    given.get_by_label("Fact", exact=True).check()
    given.get_by_label("Where it is written").fill("Incident log")
    for question in ("Is it relevant?", "Is it necessary?", "Is it proportionate?"):
        given.get_by_role("group", name=question).get_by_label("Yes").check()
    given.get_by_label("The MASH team and the duty team").check()
    withheld.get_by_label("If you withhold it: why?").select_option("LIVE_INVESTIGATION")
    page.get_by_role("button", name="Send return").click()
    expect(page.get_by_text("Your return is with the MASH team.")).to_be_visible()
    expect(page.get_by_text("Withheld: Live investigation.")).to_be_visible()


class Keyboard:
    """A page without a mouse: Tab goes on, Shift-Tab back, Space and Enter choose, and keys type."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, wanted: Locator) -> None:
        """Tab on until the focus is there."""
        expect(wanted).to_be_visible()
        for _ in range(250):
            if wanted.evaluate("it => it === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {wanted}")

    def press(self, role: str, name: str, key: str = "Enter") -> None:
        """Go to a link, a button or a box, and press it."""
        self.to(self.page.get_by_role(role, name=name, exact=True))  # type: ignore[arg-type]
        self.page.keyboard.press(key)

    def type(self, label: str, words: str) -> None:
        """Go to a field and type."""
        self.to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.type(words)

    def choose(self, question: str, number: int) -> None:
        """Choose one of some radio buttons: Tab comes to the first, arrows go on from there."""
        group = self.page.get_by_role("group", name=question)
        self.to(group.get_by_role("radio").first)
        self.page.keyboard.press("Space")
        for _ in range(number):
            self.page.keyboard.press("ArrowDown")

    def pick(self, label: str, number: int) -> None:
        """Choose an option of a list."""
        self.to(self.page.get_by_label(label, exact=True))
        for _ in range(number):
            self.page.keyboard.press("ArrowDown")


def test_a_referral_its_return_and_its_acknowledgement_need_no_mouse(sign_in: SignIn, others: Others) -> None:
    """R29, R43: Tab, Space, Enter and arrows alone"""
    officer = sign_in("officer-CHILDREN_DUTY")
    officer.goto("/refer")
    reference = _refer_by_keyboard(Keyboard(officer))
    others.are_asked(reference)
    representative = sign_in("rep-COUNCIL_CHILDREN")
    representative.goto(f"/r/{reference}")
    _return_by_keyboard(Keyboard(representative))
    _look_at_the_rest(representative, officer, reference)
    others.answer_and_decide(reference)
    officer.goto(f"/r/{reference}")
    keys = Keyboard(officer)
    keys.to(officer.get_by_text("Read the outcome"))
    officer.keyboard.press("Enter")
    keys.press("button", "We know this outcome", "Space")
    expect(officer.get_by_text("The MASH knows that your team has this outcome.")).to_be_visible()


def test_the_board_renews_itself_under_the_keyboard(sign_in: SignIn, others: Others) -> None:
    """R53, WCAG 2.4.3: whoever goes through it with the keyboard stays at the row where they were"""
    reference = others.refer()
    page = sign_in("decision-maker-1")
    page.clock.install()
    page.goto("/board")
    row = page.get_by_role("link", name=reference)
    row.focus()
    page.evaluate("document.querySelector('[data-live] table').id = 'before'")
    with page.expect_response("**/board-rows"):
        page.clock.fast_forward("00:11")
    expect(page.locator("#before")).to_have_count(0)
    expect(row).to_be_focused()


def _refer_by_keyboard(keys: Keyboard) -> str:
    keys.choose("Is there a safeguarding concern?", 0)
    keys.choose("Is its extent or seriousness unclear?", 0)
    keys.type("What exactly must the agencies clarify?", "Has anybody attended?")
    keys.press("button", "Continue")
    keys.type("Their own view", "She says that the evenings are frightening.")
    keys.choose("Child or adult?", 0)
    keys.type("First name", "Wren")
    keys.type("Last name", "Ashdown")
    keys.choose("Must the address be kept", 1)
    keys.type("Role in the household", "daughter")
    keys.pick("Were they told of this referral?", 1)
    keys.pick("Consent", 2)
    keys.type("Who gave the consent, if it was given", "The mother")
    for part, number in (("Day", "12"), ("Month", "3"), ("Year", "2026")):
        keys.to(keys.page.get_by_role("group", name="When it was given").get_by_label(part, exact=True))
        keys.page.keyboard.type(number)
    keys.pick("Reason for the request", 2)
    keys.type("Who confirms this basis", "Team manager")
    keys.type("What worries you", "Shouting at night.")
    keys.pick("Who told you", 2)
    keys.pick("Level of need", 3)
    keys.type("Who decided", "Team manager")
    keys.type("Why what you know already is not enough", "Two old contacts.")
    keys.type("Your own case reference", "CASE 9")
    keys.press("button", "Send referral")
    expect(keys.page.get_by_text("Your referral is with the MASH.")).to_be_visible()
    return keys.page.url.split("/")[-1].partition("?")[0]


def _return_by_keyboard(keys: Keyboard) -> None:
    keys.press("link", "Return what you know")
    keys.choose("What did you find?", 1)
    for part, number in (("Day", "9"), ("Month", "1"), ("Year", "2026")):
        keys.to(keys.page.get_by_role("group", name="When it happened").get_by_label(part, exact=True))
        keys.page.keyboard.type(number)
    keys.type("What happened", "A bruise was seen at school.")
    keys.choose("Is it a fact or an opinion?", 2)
    keys.type("Where it is written", "School file")
    for question in ("Is it relevant?", "Is it necessary?", "Is it proportionate?"):
        keys.choose(question, 0)
    keys.choose("Who may have it?", 1)
    keys.type("System", "Case file")
    keys.type("Searched with", "name")
    keys.press("button", "Send return", "Space")
    expect(keys.page.get_by_text("Your return is with the MASH team.")).to_be_visible()


def _look_at_the_rest(representative: Page, officer: Page, reference: str) -> None:
    """Pages that no step of the way needs."""
    for name, heading in (("view", "thinks"), ("readers", "Who has read"), ("question", "Ask"), ("decline", "Decline")):
        representative.goto(f"/checks/{reference}/{name}")
        look(representative, f"check-{name}", heading)
    representative.goto(f"/checks/{reference}/return")
    representative.get_by_role("button", name="Remove item 1").click()
    look(representative, "return-corrected", "Correct your return")
    representative.goto("/feedback")
    representative.get_by_label("What should change?").fill("Fewer questions.")
    representative.get_by_role("button", name="Send feedback").click()
    look(representative, "feedback", "Feedback")
    officer.goto(f"/referrals/{reference}/clear-concern")
    look(officer, "clear-concern", "The concern is clear")
