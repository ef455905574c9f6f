"""A person's details are corrected as a new version, and the one before stays readable (Article 16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casework import collation, corrections, evidence, ledger, outgoing, queues, referrals, subject_access
from casework.correction_documents import CorrectionDocument
from casework.documents import AccessDocument
from casework.ledger import first_broken
from casework.register import current_profile
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    ASKED,
    DECIDER,
    DUTY,
    FOR_A_CHILD,
    SUPPORT,
    a_child,
    account_of,
    act,
    document,
    duty,
    notices_of,
    referral,
    rep,
    walk,
)

WHY = "The school has the certificate."
LEAD = Actor("ig-lead", Role.IG_LEAD, is_person=True)
HARBOUR, QUARRY = "12 Harbour Lane, Exampleton", "7 Quarry Road, Exampleton"
PROTECTED = {**a_child(), "address": HARBOUR, "protected_address": True}
OPEN, UNKNOWN = ({"address": address, "protected_address": False} for address in (HARBOUR, None))
ELSEWHERE = {"address": "3 Old Row, Exampleton", "protected_address": True}


def correct(reference: str, by: Actor = SUPPORT, **more: Any) -> None:
    """One correction of the first person, on the referral as it stands."""
    document = {"version_seen": referral(reference).version, "subject": "S1", "reason": WHY, **more}
    act(corrections.correct, reference, CorrectionDocument.model_validate(document), by=by, at=AFTERNOON)


def read(reference: str, by: Actor = SUPPORT) -> corrections.PersonDetails:
    """The first person's details."""
    person: corrections.PersonDetails = act(corrections.read, reference, by=by, at=AFTERNOON).people[0]
    return person


@pytest.fixture
def checking(record) -> str:
    """A referral about one child, with the agencies asked."""
    return walk(Stage.CHECKING)


def test_a_correction_is_a_new_version_and_says_who_when_and_why(checking):
    """R24, R41: the version before stays readable for the MASH team"""
    was = read(checking).details
    correct(checking, given_name="Wrenna", nhs_number="999 000 0026")
    person = read(checking)
    assert (person.version, person.details.given_name, person.details.nhs_number) == (2, "Wrenna", "9990000026")
    assert person.details.family_name == was.family_name
    [before] = person.earlier
    assert before.details == was
    assert (before.version, before.until, before.corrected_by, before.reason) == (1, AFTERNOON, SUPPORT.id, WHY)
    assert before.changed == ["given_name", "nhs_number"]


def test_what_is_not_known_after_all_is_taken_away(checking):
    """Article 16"""
    correct(checking, not_known=["date_of_birth"])
    assert read(checking).details.date_of_birth is None
    assert read(checking).earlier[0].details.date_of_birth is not None


def test_the_ledger_holds_codes_and_the_evidence_pack_both_versions(checking):
    """R28: the words are sealed beside the chain"""
    correct(checking, given_name="Wrenna")
    chain, contents = (act(each, checking) for each in (ledger.entries, ledger.contents))
    assert first_broken(chain) is None
    told = evidence.record(checking, chain, contents, [])
    [entry] = [each for each in told["referred"] if each["act"] == "DETAILS_CORRECTED"]
    assert entry["detail"] == {"subject": "S1", "version": 2, "changed": ["given_name"]}
    assert entry["content"]["was"]["given_name"] == a_child()["given_name"]
    assert (entry["content"]["now"]["given_name"], entry["content"]["reason"]) == ("Wrenna", WHY)
    assert evidence.as_pdf(told, at=AFTERNOON).startswith(b"%PDF")


def test_agencies_see_what_is_right_and_are_told_that_there_is_a_correction(record, checking):
    """Article 19: whoever was told of it; the letter holds no content, since it has no field for any"""
    assert act(queues.read_check, checking, by=rep("POLICE"), at=AFTERNOON).subjects[0].corrected_at is None
    correct(checking, given_name="Wrenna")
    [child] = act(queues.read_check, checking, by=rep("POLICE"), at=AFTERNOON).subjects
    assert (child.given_name, child.corrected_at) == ("Wrenna", AFTERNOON)
    told = {to for message, to in notices_of(record, checking) if message == "details_corrected"}
    assert told == {
        f"duty:{DUTY}", "agency:POLICE", "agency:COUNCIL_CHILDREN", "agency:COMMUNITY_HEALTH_CHILDREN",
        "agency:MENTAL_HEALTH",
    }  # fmt: skip


def test_an_agency_is_not_told_of_what_it_was_never_shown(record, checking):
    """Issue 5, point 2: the police are shown no NHS number; and the duty team corrects, so the MASH team is told"""
    correct(checking, duty(), nhs_number="9990000026")
    told = {to for message, to in notices_of(record, checking) if message == "details_corrected"}
    assert "agency:MENTAL_HEALTH" in told
    assert "mash:team" in told
    assert "agency:POLICE" not in told


def test_a_decided_referral_can_be_corrected_and_what_was_known_then_stays(record):
    """R41, Article 16: for as long as it is held"""
    reference = walk(Stage.CLOSED)
    kept = [each.digest for each in act(collation.kept, reference)]
    correct(reference, given_name="Wrenna")
    assert [each.digest for each in act(collation.kept, reference)] == kept
    assert read(reference).details.given_name == "Wrenna"


def test_a_protected_address_is_shown_in_no_version_and_guarded_in_each(record):
    """R29: whoever lived there may live there still"""
    reference = walk(Stage.CHECKING, subjects=[PROTECTED])
    correct(reference, address="7 Quarry Road, Exampleton")
    assert "Harbour" not in read(reference).model_dump_json()
    assert "Quarry" not in read(reference).model_dump_json()
    guard = act(lambda session: outgoing.for_agency(session, referrals.find(session, reference), "POLICE"))
    for place in ("12 Harbour Lane, Exampleton", "7 Quarry Road, Exampleton"):
        assert outgoing.in_a_question(f"Who lives at {place}?", guard, "/text")


@pytest.mark.parametrize(
    ("was", "asked", "change", "is_held"),
    [
        # It stood on the screen of whoever searches with an address.
        (OPEN, "Who is at home at night?", {"protected_address": True}, True),
        # Everybody reads the question.
        (ELSEWHERE, "Who else lives at 7, Quarry Rd?", {"address": QUARRY}, True),
        (UNKNOWN, "Who lives at number 12 Harbour Ln?", {"address": HARBOUR, "protected_address": True}, True),
        # Nobody was told, or nothing is protected.
        (ELSEWHERE, "Who is at home at night?", {"address": QUARRY}, False),
        (UNKNOWN, "Who is at home at night?", {"protected_address": True}, False),
        (OPEN, "Who is at home at 7 Quarry Road?", {"address": QUARRY}, False),
    ],
)
def test_the_mash_team_learns_who_holds_an_address_that_is_protected_now(record, was, asked, change, is_held):
    """R29: they are to be asked who has it, and not to pass it on; the duty team does not learn whom the hub asked"""
    eligibility = {**document()["eligibility"], "clarification_question": asked}
    reference = walk(Stage.CHECKING, subjects=[a_child() | was], eligibility=eligibility)
    correct(reference, **change)
    holders = set(FOR_A_CHILD) if is_held else set()
    assert set(read(reference).address_held_by) == holders
    assert read(reference, duty()).address_held_by == []
    assert (("held_already", "mash:team") in notices_of(record, reference)) is is_held
    [corrected] = [each for each in act(ledger.entries, reference) if each.act == "DETAILS_CORRECTED"]
    assert set(corrected.detail.get("address_held_by", ())) == holders


def test_who_asks_for_their_own_data_is_given_the_versions_before(checking):
    """S-28"""
    correct(checking, given_name="Wrenna")
    act(lambda session: session.add(account_of(LEAD, ASKED)))
    asked = AccessDocument(
        reference=checking, subject="S1", received_on=AFTERNOON.astimezone(current_profile().zone_info).date()
    )
    request = act(subject_access.ask, asked, by=LEAD, at=AFTERNOON)
    told = act(subject_access.export, request, by=LEAD, at=AFTERNOON)
    [before] = [each for each in told["given"] if each["about"] == "earlier details"]
    assert (before["given_name"], before["corrected because"]) == (a_child()["given_name"], WHY)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({}, "/subject"),
        ({"given_name": a_child()["given_name"]}, "/subject"),
        ({"subject": "S9", "given_name": "Wrenna"}, "/subject"),
        ({"date_of_birth": "2099-01-01"}, "/date_of_birth"),
        ({"address": "Here", "not_known": ["address"]}, "/not_known"),
    ],
)
def test_what_corrects_nothing_or_contradicts_itself_is_refused(checking, more, pointer):
    """Issue 1: helpful errors, and nothing stored"""
    with pytest.raises(NotAcceptable) as refusal:
        correct(checking, **more)
    assert pointer in {field.pointer for field in refusal.value.fields}
    assert read(checking).version == 1


def test_whoever_was_slower_looks_again(checking):
    """Defect 5: no lost update"""
    correct(checking, given_name="Wrenna")
    with pytest.raises(Conflict):
        correct(checking, version_seen=referral(checking).version - 1, given_name="Wren")


@pytest.mark.parametrize(
    ("by", "error"), [(rep("POLICE"), NotPermitted), (LEAD, NotPermitted), (duty(ASIST), NotFound)]
)
def test_nobody_else_corrects_or_reads_the_versions(checking, by, error):
    """R48, R49"""
    for what in (lambda: correct(checking, by, given_name="Wrenna"), lambda: read(checking, by)):
        with pytest.raises(error):
            what()


def test_a_reading_of_the_versions_is_in_the_ledger(checking):
    """R50"""
    read(checking, DECIDER)
    last = act(ledger.entries, checking)[-1]
    assert (last.act, last.actor, json.dumps(last.detail)) == ("DETAILS_READ", DECIDER.id, "{}")
