"""An adult's referral, and a mother's with her two children, through the pages, with the real engine behind."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine.trial import MANAGER
from portal.examples import ADULT, JOINT
from portal.words import STAGES
from rules.stages import Stage
from tests.browser.look import look
from tests.browser.walk import (
    Decided,
    acknowledge,
    decide,
    nothing_known,
    refer,
    try_to_sign,
    until_asked,
    until_closed,
    until_handed_back,
)

SignIn = Callable[..., Page]
FOR_AN_ADULT = ("POLICE", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_ADULTS", "MENTAL_HEALTH")
FOR_BOTH = (*FOR_AN_ADULT, "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN")


def all_know_nothing(sign_in: SignIn, reference: str, agencies: tuple[str, ...]) -> None:
    """Each agency is asked by the engine, and answers."""
    for agency in agencies:
        page = sign_in(f"rep-{agency}")
        until_asked(page, reference)
        assert nothing_known(page, reference, closely=False) <= 4
        page.context.close()


def test_an_adult_is_referred_checked_decided_and_acknowledged_through_the_pages(sign_in: SignIn, open_office: None):
    """R02-R06, R18, R35, R39, R42, R43, R46: an enquiry for a man of seventy-eight, which a manager has to decide on"""
    officer = sign_in("officer-ADULT_ASIST")
    reference = refer(officer, ADULT)
    all_know_nothing(sign_in, reference, FOR_AN_ADULT)
    wanted = [Decided(True, "L3", "A_OTHER_ENQUIRY", "Please begin an enquiry with him.")]
    decider = sign_in("decision-maker-1")
    try_to_sign(decider, reference, wanted)
    look(decider, "to-manager", "A manager decides this")
    decider.get_by_label("What the manager should know").fill("A neighbour, and no carer of his.")
    decider.get_by_role("button", name="Send it to a manager").click()
    expect(decider.get_by_text("The manager is told.")).to_be_visible()
    manager = sign_in(MANAGER)
    manager.goto("/for-manager")
    look(manager, "for-manager", "Sent to a manager")
    manager.get_by_role("link", name=reference).click()
    look(manager, "with-manager", "With a manager")
    expect(manager.get_by_text("A neighbour, and no carer of his.")).to_be_visible()
    decide(manager, reference, wanted)
    until_handed_back(officer, reference)
    officer.goto(f"/referrals/{reference}/outcome")
    expect(officer.get_by_text("Please begin an enquiry with him.")).to_be_visible()
    expect(officer.get_by_text("for the MASH alone")).to_have_count(0)
    acknowledge(officer, reference)
    until_closed(officer, reference)


def test_a_mother_and_her_children_are_decided_one_by_one_and_each_team_reads_its_own(
    sign_in: SignIn, open_office: None
):
    """R08, R35, R42, R43: three decisions, one referral, two duty teams, and neither sees the other's"""
    children, adults = sign_in("officer-CHILDREN_DUTY"), sign_in("officer-ADULT_ASIST")
    reference = refer(children, JOINT)
    adults.goto(f"/referrals/{reference}")
    expect(adults.get_by_role("heading", level=1)).to_have_text("Not found")
    all_know_nothing(sign_in, reference, FOR_BOTH)
    words = {"adult": "Words for the mother alone.", "child": "Words for the children alone."}
    decisions = [
        Decided(True, "L3", "A_S42", words["adult"]),
        Decided(True, "L3", "C_ASSESS", words["child"]),
        Decided(False, "L2", "NFA", words["child"]),
    ]
    decide(sign_in("decision-maker-1"), reference, decisions)
    mother, *both = JOINT["subjects"]
    for page, own, others in ((adults, [mother], both), (children, both, [mother])):
        until_handed_back(page, reference)
        page.goto(f"/referrals/{reference}/outcome")
        look(page, "outcome-joint", "Outcome of")
        told = page.get_by_role("main").inner_text()
        assert all(person["given_name"] in told for person in own)
        assert not any(person["given_name"] in told for person in others)
        assert words[own[0]["side"]] in told
        assert words[others[0]["side"]] not in told
    acknowledge(children, reference)
    # The other team has not said that it knows: the referral stays open.
    adults.goto(f"/referrals/{reference}")
    expect(adults.get_by_role("main").locator("strong").first).to_have_text(STAGES[Stage.AWAITING_ACK])
    acknowledge(adults, reference)
    until_closed(children, reference)
