"""What the MASH team does in the portal (R13, R24, R33-R39, R41, R53)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from casework import outcome, referrals, sessions
from casework.db import now, unit_of_work
from models.signin import PortalSession
from portal.examples import CHILD
from tests.portal.office import Office, acts, returns
from tests.portal.people import Person, at_their_desk

DECISION = {
    "decisions-0-subject": "S1",
    "decisions-0-threshold_met:bool": "true",
    "decisions-0-level_of_need": "L3",
    "decisions-0-outcome": "C_ASSESS",
    "decisions-0-rationale": "A pattern over months.",
    "decisions-0-words_for_duty_team": "Please begin an assessment.",
    "without_discussion_because": "Urgent.",
    "do": "send",
}
DISCUSSION = {
    "held_at:moment.day": "16",
    "held_at:moment.month": "3",
    "held_at:moment.year": "2026",
    "held_at:moment.time": "10:30",
    "mode": "VIDEO",
    "present-0-agency": "POLICE",
    "present-0-name": "Example Constable",
    "present-0-role": "Representative",
    "note": "Read together.",
    "do": "send",
}


@pytest.fixture
def decider(office: Office, client: Any) -> Person:
    return at_their_desk(client, "DECISION_MAKER")


@pytest.fixture
def support(office: Office, client: Any) -> Person:
    return at_their_desk(client, "MASH_SUPPORT")


def actions_empty(form: dict[str, str]) -> dict[str, str]:
    """A decision with one action, since a page always shows the fields of one."""
    return form | {
        "decisions-0-actions-0-what": "Begin the assessment",
        "decisions-0-actions-0-owner": "Children's duty team",
        "decisions-0-actions-0-due_on:date.day": "20",
        "decisions-0-actions-0-due_on:date.month": "3",
        "decisions-0-actions-0-due_on:date.year": "2026",
    }


def test_the_board_shows_references_and_initials_and_no_name(office: Office, support: Person):
    """R53, defect 11"""
    reference = office.refer_and_join(CHILD)
    for path in ("/board", "/board-rows"):
        text = support.get(path).text
        assert reference in text
        assert "ET" in text
        for secret in ("Examplia", "Testchild", "Imaginary", "bruise"):
            assert secret not in text


def test_the_board_is_for_the_mash_profile(office: Office, client: Any):
    """R48"""
    for account in ("SUPPORT_WITHOUT_PROFILE", "DECIDER_WITHOUT_PROFILE"):
        assert at_their_desk(client, account).get("/board").status_code == 403
    reference = office.refer_and_join(CHILD)
    page = at_their_desk(client, "SUPPORT_WITHOUT_PROFILE").get(f"/board/{reference}")
    assert page.status_code == 403
    assert "Examplia" not in page.text


def test_a_return_is_seen_the_moment_it_is_made(office: Office, support: Person):
    """R13"""
    reference = office.refer_and_ask(CHILD)
    with unit_of_work() as session:
        returns(session, reference, "POLICE")
    text = support.get(f"/board/{reference}").text
    assert "Not known" in text
    assert "Returned on time" in text
    assert "Not seen yet" in text


def test_the_wait_is_ended_by_a_person_who_was_told_what_it_means(office: Office, support: Person):
    """R13"""
    reference = office.refer_and_ask(CHILD)
    page = f"/board/{reference}/discuss-now"
    assert "no breach" in support.get(page).text
    assert support.send(page).headers["location"] == f"/board/{reference}?done=called"
    afterwards = support.get(f"/board/{office.refer_and_join(CHILD)}/discuss-now").text
    assert "There is no wait to end" in afterwards
    assert "End the wait" not in afterwards


def test_nothing_is_decided_beforehand(office: Office, decider: Person):
    """Defect 1, R35"""
    reference = office.refer_and_join(CHILD)
    text = decider.get(f"/board/{reference}/decision").text
    assert " checked" not in text
    assert " selected" not in text
    answer = decider.send(f"/board/{reference}/decision", {"decisions-0-subject": "S1", "do": "send"})
    assert answer.status_code == 422
    assert "Is the threshold met: please answer this" in answer.text
    assert "DECIDED" not in acts(reference)


def test_a_decision_is_signed_by_whoever_is_signed_in(office: Office, decider: Person):
    """R35, R36, defect 2"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}/decision"
    assert decider.send(page, DECISION | {"decided_by": "SECOND_DECIDER"}).status_code == 422
    answer = decider.send(page, actions_empty(DECISION))
    assert answer.headers.get("location") == f"/board/{reference}?done=decided", answer.text
    with unit_of_work() as session:
        [signed] = referrals.decisions(session, reference).values()
        assert (signed.decided_by, signed.outcome, signed.threshold_met) == ("DECISION_MAKER", "C_ASSESS", True)
        assert signed.actions[0]["due_on"] == "2026-03-20"


def test_a_decision_needs_no_action(office: Office, decider: Person):
    """R35"""
    reference = office.refer_and_join(CHILD)
    form = DECISION | {"decisions-0-threshold_met:bool": "false", "decisions-0-outcome": "NFA"}
    assert decider.send(f"/board/{reference}/decision", form).status_code == 303


def test_the_slower_of_two_deciders_is_told_and_keeps_what_they_typed(office: Office, client: Any, decider: Person):
    """Defect 5, F18"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}/decision"
    other = at_their_desk(client, "SECOND_DECIDER")
    seen = other.hidden(page)
    assert decider.send(page, actions_empty(DECISION)).status_code == 303
    late = other.post(page, DECISION | {"version_seen:int": seen["version_seen:int"]})
    assert late.status_code == 409
    assert "Somebody changed this while you were working" in late.text
    assert "A pattern over months." in other.get(page).text
    assert acts(reference).count("DECIDED") == 1


def test_support_prepares_and_does_not_decide(office: Office, support: Person):
    """R17, R39"""
    reference = office.refer_and_join(CHILD)
    assert "/decision" not in support.get(f"/board/{reference}").text
    assert support.post(f"/board/{reference}/decision", DECISION).status_code == 403


def test_a_discussion_is_recorded_with_who_was_there(office: Office, support: Person):
    """R34"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}/discussion"
    assert support.send(page, {"note": "x", "do": "send"}).status_code == 422
    assert support.send(page, DISCUSSION).headers["location"] == f"/board/{reference}?done=discussed"
    text = support.get(f"/board/{reference}").text
    assert "Read together." in text
    assert "Example Constable" in text


def test_a_disagreement_needs_its_reason_and_is_shown(office: Office, support: Person):
    """R37"""
    reference = office.refer_and_join(CHILD)
    page = f"/board/{reference}/view"
    form = {"agency": "MENTAL_HEALTH", "view": "DISAGREE"}
    assert support.send(page, form).status_code == 422
    assert support.send(page, form | {"reason": "Higher on the continuum."}).status_code == 303
    text = support.get(f"/board/{reference}").text
    assert "The agencies disagree" in text
    assert "Higher on the continuum." in text


def test_an_agencys_question_is_answered(office: Office, support: Person):
    """R33"""
    reference = office.refer_and_ask(CHILD)
    office.post("POLICE", f"/referrals/{reference}/check/clarify", {"text": "Which address?"})
    page = f"/board/{reference}/checks/POLICE"
    assert page in support.get(f"/board/{reference}").text
    assert support.send(page, {"text": ""}).status_code == 422
    assert support.send(page, {"text": "The newer one."}).status_code == 303
    assert "The newer one." in support.get(page).text


def test_a_late_return_is_looked_at_and_the_decision_stands_or_not(office: Office, decider: Person):
    """R24"""
    reference = office.refer_and_hand_back(CHILD)
    with unit_of_work() as session:
        returns(session, reference, "POLICE", late=True)
    assert "Does the decision stand?" in decider.get(f"/board/{reference}").text
    page = f"/board/{reference}/reconsideration"
    assert decider.send(page, {"reason": ""}).status_code == 422
    assert decider.send(page, {"reason": "It repeats what was known."}).status_code == 303
    assert "Does the decision stand?" not in decider.get(f"/board/{reference}").text


def test_every_look_at_the_assessment_is_kept(office: Office, support: Person):
    """R48, R50"""
    reference = office.refer_and_join(CHILD)
    support.get(f"/board/{reference}")
    assert acts(reference)[-1] == "ASSESSMENT_READ"


ITEM = {
    "event_date": "2026-01-09", "source": "Incident log", "kind": "FACT", "text": "Attended after shouting.",
    "about": ["S1"], "relevant": True, "necessary": True, "proportionate": True, "recipients": "DUTY_TEAM",
}  # fmt: skip


def test_the_decider_picks_item_by_item_what_the_duty_team_reads(office: Office, client: Any, decider: Person):
    """R29"""
    reference = office.refer_and_ask(CHILD)
    items = [ITEM, ITEM | {"text": "A second call."}, ITEM | {"text": "For the MASH.", "recipients": "MASH"}]
    returned = {"result": "KNOWN_OPEN", "items": items, "not_searched_because": "Known by heart."}
    assert office.post("POLICE", f"/referrals/{reference}/check/return", returned).status_code == 200
    assert at_their_desk(client, "MASH_SUPPORT").send(f"/board/{reference}/discuss-now").status_code == 303
    page = f"/board/{reference}/decision"
    text = decider.get(page).text
    assert "decisions-0-choices-POLICE_1_1" in text
    assert "decisions-0-choices-POLICE_1_3" not in text
    choices = {"decisions-0-choices-POLICE_1_1": "RELEASE", "decisions-0-choices-POLICE_1_2": "LIVE_INVESTIGATION"}
    answer = decider.send(page, actions_empty(DECISION) | choices)
    assert answer.headers.get("location") == f"/board/{reference}?done=decided", answer.text
    mine = decider.get(f"/board/{reference}").text
    assert "Withheld, Avon and Somerset Constabulary: Live investigation" in mine
    with unit_of_work() as session:
        outcome.hand_back(session, reference, at=now(session))
    told = at_their_desk(client, "OFFICER").get(f"/referrals/{reference}/outcome").text
    assert "Attended after shouting." in told
    for absent in ("A second call.", "For the MASH.", "Live investigation"):
        assert absent not in told


def test_the_page_says_which_item_holds_a_protected_address_and_does_not_repeat_it(office: Office, decider: Person):
    """R29: it can be withheld there; a find that may be a false alarm can be explained"""
    hidden = CHILD | {
        "subjects": [CHILD["subjects"][0] | {"address": "3 Larkhall Row, BA1 6RT", "protected_address": True}]
    }
    reference = office.refer_and_ask(hidden)
    items = [ITEM | {"text": "Seen at 3, LARKHALL\nrow."}, ITEM | {"text": "The Larkhall Row surgery rang."}]
    returned = {"result": "KNOWN_OPEN", "items": items, "not_searched_because": "Known by heart."}
    assert office.post("POLICE", f"/referrals/{reference}/check/return", returned).status_code == 200
    assert office.post("MASH_SUPPORT", f"/referrals/{reference}/discuss-now", {}).status_code == 200
    page, first = f"/board/{reference}/decision", "decisions-0-choices-POLICE_1_1"
    form = actions_empty(DECISION) | {first: "RELEASE", "decisions-0-choices-POLICE_1_2": "RELEASE"}
    refused = decider.send(page, form)
    assert refused.status_code == 422
    assert f'href="#{first}"' in refused.text
    assert "holds a protected address (S1): withhold item 1 of POLICE" in refused.text
    assert "Is it a false alarm?" not in refused.text
    form[first] = "RISK_TO_PERSON"
    assert "Is it a false alarm?" in decider.send(page, form).text
    form["decisions-0-false_alarm_because"] = "The surgery is at the other end."
    assert decider.send(page, form).status_code == 303
    assert "ALARM_OVERRIDDEN" in acts(reference)


def test_below_quorum_the_page_warns_and_asks_why(office: Office, decider: Person):
    """R38"""
    reference = office.refer_and_join(CHILD)
    decider.send(f"/board/{reference}/discussion", DISCUSSION)
    page = f"/board/{reference}/decision"
    assert "Below quorum: Bath and North East Somerset Council, children&#39;s services" in decider.get(page).text
    form = actions_empty({name: value for name, value in DECISION.items() if not name.startswith("without")})
    refused = decider.send(page, form)
    assert refused.status_code == 422
    assert "Why without them" in refused.text
    assert decider.send(page, form | {"below_quorum_because": "Nobody could be reached."}).status_code == 303
    assert "Nobody could be reached." in decider.get(f"/board/{reference}").text


def test_a_disagreement_is_resolved_on_its_own_page(office: Office, client: Any, decider: Person):
    """R37"""
    reference = office.refer_and_join(CHILD)
    form = {"agency": "MENTAL_HEALTH", "view": "DISAGREE", "reason": "Higher on the continuum."}
    decider.send(f"/board/{reference}/view", form)
    page = f"/board/{reference}/dissent"
    assert page in decider.get(f"/board/{reference}").text
    assert "Higher on the continuum." in decider.get(page).text
    assert decider.send(page, {"resolution": ""}).status_code == 422
    assert decider.send(page, {"resolution": "Placed at level 3."}).headers["location"].endswith("done=resolved")
    assert "The agencies disagree" not in decider.get(f"/board/{reference}").text
    assert acts(reference).count("DISSENT_RESOLVED") == 1
    assert decider.post(page, {"version_seen:int": "1", "resolution": "Again."}).status_code == 409


def test_a_short_text_is_kept_while_it_is_typed_but_not_the_version_it_was_typed_on(office: Office, decider: Person):
    """Finding 14: what is sent later is sent on what the page shows by then"""
    reference = office.refer_and_join(CHILD)
    page, draft = f"/board/{reference}/dissent", f"/board/{reference}/draft"
    view, urgency = f"/board/{reference}/view", f"/board/{reference}/urgency"
    decider.send(view, {"agency": "POLICE", "view": "DISAGREE", "reason": "Higher."})
    for path, field in ((page, "resolution"), (urgency, "rationale"), (view, "reason")):
        assert f'data-save="{draft}"' in decider.get(path).text
        assert decider.send(draft, {field: "Half a thought", "version_seen:int": "0"}, page=path).status_code == 204
        assert "Half a thought" in decider.get(path).text
    assert decider.send(page, {"resolution": "Placed at level 3."}).headers["location"].endswith("done=resolved")
    assert decider.send(view, {"agency": "MENTAL_HEALTH", "view": "AGREE"}).status_code == 303
    assert "Half a thought" not in decider.get(view).text
    assert "Half a thought" in decider.get(urgency).text
    assert decider.post(draft, {"text": "x", "draft_of": "decision"}).status_code == 404


def leave_alone(account_id: str, minutes: int) -> None:
    """Nobody touches a page of theirs for some minutes."""
    with unit_of_work() as session:
        seen_at = sessions.real_now(session) - timedelta(minutes=minutes)
        session.execute(sa.update(PortalSession).where(PortalSession.account_id == account_id).values(seen_at=seen_at))  # type: ignore[arg-type]


def test_a_board_that_is_left_alone_locks_itself_and_shows_nothing(office: Office, support: Person):
    """R53"""
    reference = office.refer_and_join(CHILD)
    assert "url=/board-locked" in support.get("/board").headers["Refresh"]
    assert support.get("/board-locked").headers["location"] == "/board"
    leave_alone("MASH_SUPPORT", 9)
    assert reference in support.get("/board-rows").text
    leave_alone("MASH_SUPPORT", 11)
    assert support.get("/board-rows").headers["location"] == "/board-locked"
    locked = support.get("/board-locked").text
    assert "The board is locked" in locked
    assert reference not in locked
    assert support.get("/board").headers["location"].startswith("/sign-in")


def test_without_a_script_the_locked_page_locks(support: Person):
    """R53"""
    support.get("/board")
    leave_alone("MASH_SUPPORT", 11)
    assert "The board is locked" in support.get("/board-locked").text
    assert support.get("/board").status_code == 303


def test_the_board_says_how_long_the_oldest_referral_has_waited(office: Office, support: Person):
    """R53"""
    office.refer_and_join(CHILD)
    assert "Waiting longest:" in support.get("/board").text


def test_a_referrals_page_is_fetched_anew_only_when_something_happened(office: Office, support: Person):
    """R13, R50: looking whether there is news reads nothing, and is no reading"""
    reference = office.refer_and_ask(CHILD)
    shown = support.get(f"/board/{reference}")
    mark = shown.headers["ETag"]
    before = acts(reference).count("ASSESSMENT_READ")
    same = support.get(f"/board/{reference}/news", **{"If-None-Match": mark})
    assert (same.status_code, same.text) == (304, "")
    assert acts(reference).count("ASSESSMENT_READ") == before
    with unit_of_work() as session:
        returns(session, reference, "POLICE")
    news = support.get(f"/board/{reference}/news", **{"If-None-Match": mark})
    assert news.status_code == 200
    assert news.headers["ETag"] != mark
    assert "Returned on time" in news.text
    assert "<html" not in news.text
    assert acts(reference).count("ASSESSMENT_READ") == before + 1
