"""What an agency's representative does in the portal (R05, R18, R19, R24, R33, R49, R57)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.examples import CHILD
from tests.portal.office import Office, acts
from tests.portal.people import Person, at_their_desk

SEARCH = {
    "systems_searched-0-system": "Niche",
    "systems_searched-0-searched_with": "name, date of birth",
    "systems_searched-0-searched_at:moment.day": "13",
    "systems_searched-0-searched_at:moment.month": "3",
    "systems_searched-0-searched_at:moment.year": "2026",
    "systems_searched-0-searched_at:moment.time": "14:05",
}
ITEM = {
    "result": "KNOWN_CLOSED",
    "items-0-event_date:date.day": "9",
    "items-0-event_date:date.month": "1",
    "items-0-event_date:date.year": "2026",
    "items-0-text": "Attended; <b>nobody</b> was hurt.",
    "items-0-kind": "FACT",
    "items-0-source": "Incident log",
    "items-0-about:list": "S1",
    "items-0-relevant:bool": "true",
    "items-0-necessary:bool": "true",
    "items-0-proportionate:bool": "true",
    "items-0-recipients": "DUTY_TEAM",
}


@pytest.fixture
def police(office: Office, client: Any) -> Person:
    return at_their_desk(client, "POLICE")


@pytest.fixture
def reference(office: Office) -> str:
    return office.refer_and_ask(CHILD)


def returns_of(office: Office, reference: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.get("POLICE", f"/referrals/{reference}/check").json()["returns"]
    return found


def test_a_task_says_in_words_how_long_is_left(police: Person, reference: str):
    """R10, defect 8: text and colour"""
    text = police.get("/tasks").text
    assert reference in text
    assert "In time" in text or "Due soon" in text
    assert " left" in text


def test_a_check_shows_the_question_and_the_least_to_search_for(police: Person, reference: str):
    """R05, R18, R49"""
    text = police.get(f"/checks/{reference}").text
    assert CHILD["eligibility"]["clarification_question"] in text
    for shown in ("Examplia Testchild", "4 May 2017", "1 Imaginary Row"):
        assert shown in text
    # The police keep no NHS numbers (issue 5, point 2).
    assert "9990000018" not in text
    assert "NHS number" not in text
    assert CHILD["concern"]["narrative"] not in text
    assert "Mental Health" not in text.partition("</nav>")[2]


@pytest.mark.parametrize(
    ("button", "shown"),
    [
        ("Known, open to us", "Known: open"),
        ("Known, file closed", "Known: closed"),
        ("Not known to us", "Not known"),
        ("I have seen this", "Seen"),
    ],
)
def test_one_click_says_whether_the_family_is_known(police: Person, reference: str, button: str, shown: str):
    """R18: and whether the file is open, so that no closed file is told as an open one"""
    [known] = re.findall(rf'name="known" value="(\w*)">{button}<', police.get(f"/checks/{reference}").text)
    answer = police.send(f"/checks/{reference}/acknowledge", {"known": known}, page=f"/checks/{reference}")
    assert answer.headers["location"] == f"/checks/{reference}?done=acknowledged"
    assert shown in police.get(f"/checks/{reference}").text
    assert acts(reference).count("CHECK_ACKNOWLEDGED") == 1


def test_nothing_known_is_a_full_return(office: Office, police: Person, reference: str):
    """R27"""
    page = f"/checks/{reference}/nothing-known"
    assert police.send(page, SEARCH).headers["location"] == f"/checks/{reference}?done=returned"
    [version] = returns_of(office, reference)
    assert version["result"] == "NOT_KNOWN"
    [search] = version["systems_searched"]
    assert (search["system"], search["searched_at"]) == ("Niche", "2026-03-13T14:05:00Z")


def test_an_unfinished_return_names_every_field_and_keeps_what_was_typed(
    office: Office, police: Person, reference: str
):
    """R01: plain errors beside the field"""
    page = f"/checks/{reference}/return"
    answer = police.send(page, {"items-0-text": "Only <this>", "do": "send"})
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert 'href="#items-0-event_date"' in answer.text
    assert 'id="items-0-event_date"' in answer.text
    assert "Only &lt;this&gt;" in answer.text
    assert returns_of(office, reference) == []


def test_what_was_typed_for_a_check_that_is_over_is_given_back(
    office: Office, client: Any, police: Person, reference: str
):
    """R24, finding 14: without a script nothing else has kept it; and the page says what to do instead"""
    page, question = f"/checks/{reference}/return", f"/checks/{reference}/question"
    hidden, answered = police.hidden(page), SEARCH | ITEM | {"do": "send"}
    other = office.refer_and_ask(CHILD)
    assert police.send(f"/checks/{other}/return", answered).status_code == 303
    late = police.send(f"/checks/{other}/question", {"text": "Is it <still> open?"})
    assert (late.status_code, "Is it &lt;still&gt; open?" in late.text) == (409, True)
    assert f'href="/checks/{other}/return"' in late.text
    officer = at_their_desk(client, "OFFICER")
    assert officer.send(f"/referrals/{reference}/withdraw", {"reason": "OTHER"}).status_code == 303
    over = police.post(page, hidden | answered)
    assert over.status_code == 409
    for kept in ("Attended; &lt;b&gt;nobody&lt;/b&gt; was hurt.", "Incident log", "Niche", "2026-01-09"):
        assert kept in over.text
    assert "01632 960001" in over.text
    assert "Half a question" in police.post(question, hidden | {"text": "Half a question"}).text
    assert returns_of(office, reference) == []


def test_a_return_holds_items_searches_and_consultations(office: Office, police: Person, reference: str):
    """R18, R19"""
    consultation = {
        "consultations-0-who": "Pat Example",
        "consultations-0-role": "Sergeant",
        "consultations-0-organisation": "Police",
        "consultations-0-consulted_at:moment.day": "13",
        "consultations-0-consulted_at:moment.month": "3",
        "consultations-0-consulted_at:moment.year": "2026",
        "consultations-0-consulted_at:moment.time": "9:40",
        "consultations-0-what_was_asked": "Anything later?",
        "consultations-0-what_they_said": "Nothing.",
    }
    answer = police.send(f"/checks/{reference}/return", SEARCH | ITEM | consultation | {"do": "send"})
    assert answer.status_code == 303, answer.text
    [version] = returns_of(office, reference)
    assert version["items"][0] | {"about": ["S1"]} == version["items"][0]
    assert version["items"][0]["event_date"] == "2026-01-09"
    assert version["consultations"][0]["who"] == "Pat Example"
    text = police.get(f"/checks/{reference}").text
    assert "Attended; &lt;b&gt;nobody&lt;/b&gt; was hurt." in text


def test_a_correction_begins_with_what_was_said_and_is_a_new_version(office: Office, police: Person, reference: str):
    """R24: by a new version"""
    page = f"/checks/{reference}/return"
    police.send(page, SEARCH | ITEM | {"do": "send"})
    shown = police.get(page).text
    assert "Correct your return" in shown
    assert "Attended; &lt;b&gt;nobody&lt;/b&gt; was hurt." in shown
    assert 'value="Niche"' in shown
    police.send(page, SEARCH | ITEM | {"items-0-text": "Attended twice.", "do": "send"})
    assert [version["items"][0]["text"] for version in returns_of(office, reference)] == [
        "Attended; <b>nobody</b> was hurt.", "Attended twice.",
    ]  # fmt: skip


def test_a_draft_is_kept_for_its_writer_alone(office: Office, client: Any, police: Person, reference: str):
    """Finding 14"""
    page = f"/checks/{reference}/return"
    typed = SEARCH | ITEM | {"items-0-kind": ""}
    assert police.send(page, typed | {"do": "save"}).headers["location"] == f"{page}?done=saved"
    again = police.get(page).text
    assert "Attended; &lt;b&gt;nobody&lt;/b&gt; was hurt." in again
    assert 'value="Niche"' in again
    assert "You have a draft" in police.get(f"/checks/{reference}").text
    other = at_their_desk(client, "MENTAL_HEALTH")
    assert "Attended" not in other.get(page).text
    assert returns_of(office, reference) == []
    police.send(page, SEARCH | ITEM | {"do": "send"})
    assert "You have a draft" not in police.get(f"/checks/{reference}").text


def test_what_is_being_typed_is_kept_without_a_click(police: Person, reference: str):
    """Finding 14: autosave"""
    answer = police.send(f"/checks/{reference}/draft", ITEM, page=f"/checks/{reference}/return")
    assert answer.status_code == 204
    assert "Incident log" in police.get(f"/checks/{reference}/return").text


def test_a_short_text_is_kept_while_it_is_typed_and_no_longer_once_it_is_sent(police: Person, reference: str):
    """Finding 14: each page its own, so that a time-out loses nothing"""
    draft = f"/checks/{reference}/draft"
    for page, field in (("question", "text"), ("urgent", "reason"), ("decline", "note"), ("view", "reason")):
        path = f"/checks/{reference}/{page}"
        assert f'data-save="{draft}"' in police.get(path).text
        assert police.send(draft, {field: f"Half a {page}"}, page=path).status_code == 204
    shown = {page: police.get(f"/checks/{reference}/{page}").text for page in ("question", "urgent", "decline", "view")}
    assert [[page for page in shown if f"Half a {page}" in text] for text in shown.values()] == [
        [each] for each in shown
    ]
    assert "You have a draft" not in police.get(f"/checks/{reference}").text
    assert police.send(f"/checks/{reference}/question", {"text": "Which address?"}).status_code == 303
    assert "Half a question" not in police.get(f"/checks/{reference}/question").text
    assert "Half a decline" in police.get(f"/checks/{reference}/decline").text
    assert police.post(draft, {"text": "x", "draft_of": "elsewhere"}).status_code == 404


def test_rows_are_added_without_a_script_and_empty_ones_are_left_out(office: Office, police: Person, reference: str):
    """Works without JavaScript"""
    page = f"/checks/{reference}/return"
    police.send(page, SEARCH | ITEM | {"do": "add:items"})
    assert "Item 2" in police.get(page).text
    police.send(page, SEARCH | ITEM | {"items-1-text": " ", "items-1-source": "", "do": "send"})
    assert len(returns_of(office, reference)[0]["items"]) == 1


def test_a_draft_can_be_thrown_away(police: Person, reference: str):
    """Finding 14"""
    page = f"/checks/{reference}/return"
    police.send(page, ITEM | {"do": "save"})
    police.send(page, ITEM | {"do": "discard"})
    assert "Incident log</" not in police.get(page).text
    assert "Attended" not in police.get(page).text


def test_a_question_goes_to_the_mash_and_its_answer_comes_back(office: Office, police: Person, reference: str):
    """R33"""
    page = f"/checks/{reference}/question"
    assert police.send(page, {"text": " "}).status_code == 422
    assert police.send(page, {"text": "Which address?"}).headers["location"] == f"/checks/{reference}?done=asked"
    office.post("MASH_SUPPORT", f"/referrals/{reference}/checks/POLICE/answer", {"text": "The newer one."})
    text = police.get(f"/checks/{reference}").text
    assert "Which address?" in text
    assert "The newer one." in text


def test_declining_needs_its_reason(office: Office, police: Person, reference: str):
    """R57"""
    page = f"/checks/{reference}/decline"
    assert police.send(page, {"note": "A note"}).status_code == 422
    assert police.send(page, {"reason": "LIVE_INVESTIGATION", "note": "A note"}).status_code == 303
    text = police.get(f"/checks/{reference}").text
    assert "Live investigation" in text
    assert office.get("POLICE", f"/referrals/{reference}/check").json()["status"] == "DECLINED"


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"items-0-relevant:bool": ""}, "relevant"),
        ({"items-0-necessary:bool": ""}, "necessary"),
        ({"items-0-proportionate:bool": "false"}, "proportionate"),
        ({"items-0-recipients": ""}, "recipients"),
        ({"items-0-recipients": "NOBODY"}, "withheld_because"),
        ({"items-0-withheld_because": "NO_ISA"}, "withheld_because"),
    ],
)
def test_an_item_without_its_answers_is_named_beside_its_field(
    office: Office, police: Person, reference: str, typed: dict[str, str], place: str
):
    """R29"""
    page = f"/checks/{reference}/return"
    answer = police.send(page, SEARCH | ITEM | typed | {"do": "send"})
    assert answer.status_code == 422
    assert answer.text.count(f'href="#items-0-{place}"') == 1
    assert f'id="items-0-{place}-error"' in answer.text
    assert returns_of(office, reference) == []


def test_the_mash_team_reads_that_something_is_withheld_and_how_far_the_rest_may_go(client: Any, reference: str):
    """R29, R37"""
    police = at_their_desk(client, "POLICE")
    withheld = {
        "items-1-recipients": "NOBODY", "items-1-withheld_because": "NO_ISA", "items-1-text": "Kept to ourselves.",
    }  # fmt: skip
    police.send(f"/checks/{reference}/return", SEARCH | ITEM | withheld | {"do": "send"})
    police.send(f"/checks/{reference}/view", {"view": "AGREE", "threshold_met:bool": "false"})
    text = at_their_desk(client, "MASH_SUPPORT").get(f"/board/{reference}").text
    assert "<strong>Withheld:</strong> No information sharing agreement covers it" in text
    assert "The MASH team and the duty team" in text
    assert "Kept to ourselves." not in text
    assert "says that the threshold is not met" in text


def test_an_item_is_withheld_with_its_reason(office: Office, police: Person, reference: str):
    """R29: a first-class answer"""
    withheld = {"result": "KNOWN_OPEN", "items-0-recipients": "NOBODY", "items-0-withheld_because": "NO_ISA"}
    answer = police.send(f"/checks/{reference}/return", SEARCH | withheld | {"do": "send"})
    assert answer.status_code == 303, answer.text
    text = police.get(f"/checks/{reference}").text
    assert "Withheld: No information sharing agreement covers it." in text
    assert returns_of(office, reference)[0]["items"][0]["withheld_because"] == "NO_ISA"
    # A correction begins with it.
    assert 'value="NOBODY" checked' in police.get(f"/checks/{reference}/return").text


def test_a_row_is_taken_out_without_a_script(police: Person, reference: str):
    """R29: works without JavaScript"""
    page = f"/checks/{reference}/return"
    second = {"items-1-text": "The second", "items-2-text": "The third"}
    answer = police.send(page, SEARCH | ITEM | second | {"do": "remove:items-1"})
    assert answer.headers["location"] == f"{page}?done=removed#items"
    text = police.get(page).text
    assert "The second" not in text
    assert "Item 2" in text
    assert "Item 3" not in text
    assert "The third" in text


@pytest.mark.parametrize(
    "do", ["remove:items-9", "remove:items", "remove:", "remove:summary-1", "remove:…", "add:", "add:…"]
)
def test_no_name_of_a_button_breaks_the_form(police: Person, reference: str, do: str):
    """S-3"""
    page = f"/checks/{reference}/return"
    police.send(page, SEARCH | ITEM | {"do": do})
    assert "Incident log" in police.get(page).text


def test_an_agency_says_what_it_thinks_of_the_threshold(office: Office, police: Person, reference: str):
    """R37: agree, disagree or abstain, with its own view and its reason, before the discussion"""
    page = f"/checks/{reference}/view"
    assert police.send(page, {"view": "DISAGREE"}).status_code == 422
    assert police.send(page, {"threshold_met:bool": "true"}).status_code == 422
    view = {"view": "DISAGREE", "threshold_met:bool": "true", "level_of_need": "L4", "reason": "A <b>pattern</b>."}
    assert police.send(page, view).headers["location"] == f"/checks/{reference}?done=viewed"
    for text in (police.get(f"/checks/{reference}").text, police.get(page).text):
        assert "Disagrees" in text
        assert "The threshold is met" in text
        assert "A &lt;b&gt;pattern&lt;/b&gt;." in text
    template = office.get("MASH_SUPPORT", f"/referrals/{reference}/template?format=json").json()
    [kept] = template["views"]
    assert (kept["agency"], kept["threshold_met"], kept["level_of_need"][:7]) == ("POLICE", True, "Level 4")


@pytest.mark.parametrize("form", [{"agency": "MENTAL_HEALTH"}, {"level_of_need": "L9"}, {"view": "PERHAPS"}])
def test_a_view_is_the_agencys_own_and_of_the_code_sets(police: Person, reference: str, form: dict[str, str]):
    """R37, R49"""
    police.send(f"/checks/{reference}/view", {"view": "AGREE"} | form)
    assert acts(reference).count("VIEW_RECORDED") == (1 if "agency" in form else 0)


def test_an_agency_sees_who_has_read_what_it_gave(office: Office, client: Any, police: Person, reference: str):
    """R50: by role and organisation, never by name"""
    police.send(f"/checks/{reference}/return", SEARCH | ITEM | {"do": "send"})
    text = police.get(f"/checks/{reference}/readers").text
    assert "Nobody outside your agency has read it yet." in text
    at_their_desk(client, "SUPPORT_WITHOUT_PROFILE").get(f"/board/{reference}")
    at_their_desk(client, "MASH_SUPPORT").get(f"/board/{reference}")
    text = police.get(f"/checks/{reference}/readers").text
    assert text.count("MASH support") == 1
    assert "Nobody outside" not in text
    assert "Person MASH_SUPPORT" not in text


def test_an_agency_reads_the_outcomes_category_and_nothing_else(office: Office, client: Any):
    """R44"""
    reference = office.refer_and_hand_back(CHILD)
    text = at_their_desk(client, "POLICE").get(f"/checks/{reference}").text
    assert "No further action" in text
    assert "Nobody knows of anything." not in text
    assert "Mental Health" not in text.partition("</nav>")[2]


@pytest.mark.parametrize(
    "form",
    [
        {"agency": "MENTAL_HEALTH"},
        {"due_at": "2030-01-01T00:00:00Z"},
        {"recorded_by": "DECISION_MAKER"},
        {"items-0-agency": "MENTAL_HEALTH"},
    ],
)
def test_a_field_that_the_form_does_not_have_is_refused(
    office: Office, police: Person, reference: str, form: dict[str, str]
):
    """S-3: mass assignment, defect 2"""
    answer = police.send(f"/checks/{reference}/return", SEARCH | ITEM | form | {"do": "send"})
    assert answer.status_code == 422
    assert returns_of(office, reference) == []


@pytest.mark.parametrize(
    "name", ["a-b-c-d-e", "-", "items-99999999-text", "result-x", "items-0.day", "items:list", "…"]
)
def test_no_name_of_a_field_breaks_the_form(police: Person, reference: str, name: str):
    """S-3"""
    answer = police.send(f"/checks/{reference}/return", SEARCH | ITEM | {name: "x", "do": "send"})
    assert answer.status_code in {303, 422}
