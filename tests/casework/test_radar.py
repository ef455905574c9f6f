"""Earlier referrals of the same people are found at intake, and a person confirms or dismisses them (R14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from casework import corrections, hidden, intake, radar, restriction
from casework.correction_documents import CorrectionDocument
from casework.db import unit_of_work
from casework.ledger import entries
from casework.radar import ContactSeen, EarlierSeen
from casework.radar_documents import ContactDocument
from casework.restriction_documents import RestrictionDocument
from rules.errors import NotAcceptable, NotPermitted
from rules.permissions import Actor, Role
from rules.radar import Level
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    DUTY,
    OPERATOR,
    SUPPORT,
    a_child,
    account_of,
    act,
    acts_of,
    an_adult,
    ask,
    duty,
    refer,
    referral,
    rep,
    walk,
)
from tests.casework.test_retention import ADMIN, CHILD, LEAD, agreed, erase
from tests.record import Record

OFFICER = Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True)
LATER = ASKED + timedelta(hours=1)
#: The same girl as a_child(), entered by somebody in a hurry who did not have her number.
AGAIN = {
    **a_child(), "given_name": "Wrenn", "date_of_birth": "2016-04-05", "nhs_number": None,
    "address": "3 Other Row, Bath",
}  # fmt: skip


def comes(sender_id: str = "again", at: Any = LATER, **sent: Any) -> str:
    """A referral that comes later, and is screened."""
    reference = refer(at=at, sender_id=sender_id, **{"subjects": [AGAIN], **sent})
    act(intake.screen, reference, at=at)
    return reference


def read(reference: str, by: Actor = SUPPORT) -> EarlierSeen:
    """What somebody is shown, in a transaction that reads as them."""
    with unit_of_work() as session:
        hidden.read_as(session, by)
        return radar.read(session, reference, by=by, at=AFTERNOON)


def found(reference: str, by: Actor = SUPPORT) -> list[ContactSeen]:
    """The earlier referrals that somebody is shown."""
    return read(reference, by).contacts


def answers(reference: str, contact: Any, answer: str = "CONFIRMED", by: Actor = SUPPORT) -> None:
    """A person's word."""
    document = ContactDocument.model_validate({"contact": contact, "answer": answer})
    with unit_of_work() as session:
        hidden.read_as(session, by)
        radar.answer(session, reference, document, by=by, at=AFTERNOON)


@pytest.fixture
def first(record: Record) -> str:
    """A referral of a girl."""
    return walk(Stage.CHECKING)


def test_an_earlier_referral_is_found_with_reasons_and_score_and_nothing_of_it_is_copied(first: str):
    """R14"""
    later = comes()
    [contact] = found(later)
    assert (contact.subject, contact.earlier_reference, contact.earlier_subject) == ("S1", first, "S1")
    assert contact.level is Level.PROBABLE
    assert contact.reasons == (
        "dates of birth with day and month swapped, the same last name, first names that differ as by a typing error"
    )
    assert contact.score == 20
    assert contact.answer is None
    shown = read(later).model_dump_json()
    assert not {word for word in ("Wren", "Ashdown", "2016", "Imagined", "999", "shouting") if word in shown}
    assert referral(later).narrative == referral(first).narrative
    assert found(first) == []


def test_the_third_referral_in_a_year_counts_two_and_what_was_dismissed_does_not_count(first: str):
    """R14: third referral in 12 months"""
    told_then = {"informed_on": "2025-01-12", "consent_on": "2025-01-12"}
    long_ago = comes("old", ASKED - timedelta(days=400), subjects=[{**AGAIN, **told_then}])
    second, third = comes("second"), comes("third", AFTERNOON)
    assert read(second).in_a_year == 1
    assert read(third).in_a_year == 2
    assert {each.earlier_reference for each in found(third)} == {first, second, long_ago}
    answers(third, next(each.id for each in found(third) if each.earlier_reference == second), "DISMISSED")
    assert read(third).in_a_year == 1
    assert [each.answer for each in found(third)] == [None, None, "DISMISSED"]


def test_somebody_of_the_same_household_is_shown_once_as_such(first: str):
    """R14: household"""
    brother = {**a_child(7), "given_name": "Robin", "date_of_birth": "2011-01-30", "address": "14 Imagined Row, Bath"}
    [contact] = found(comes(subjects=[brother, {**brother, "given_name": "Martin", "nhs_number": None}]))
    assert (contact.level, contact.earlier_reference) == (Level.HOUSEHOLD, first)
    assert contact.reasons == "the same last name, the same address"
    assert read(contact.earlier_reference).in_a_year == 0


def test_a_protected_address_is_compared_with_none(record: Record):
    """R29: that two live at one door would tell where she lives"""
    protected = {**a_child(), "protected_address": True}
    walk(Stage.CHECKING, subjects=[protected])
    lodger = {**an_adult(), "address": protected["address"]}
    assert found(comes(subjects=[lodger])) == []
    nearest = found(comes("same", subjects=[a_child()]))[0]
    assert nearest.reasons.startswith("the same NHS number")
    assert "address" not in nearest.reasons


def test_screening_twice_finds_it_once_and_an_answer_outlives_a_new_look(first: str):
    """Architecture §1: every step is safe to repeat"""
    later = comes()
    answers(later, found(later)[0].id)
    act(radar.look, later, at=AFTERNOON)
    assert [each.answer for each in found(later)] == ["CONFIRMED"]
    other = comes("other", AFTERNOON)
    ids = {each.earlier_reference for each in found(other)}
    act(radar.look, other, at=AFTERNOON)
    assert {each.earlier_reference for each in found(other)} == ids == {first, later}
    assert len(found(other)) == 2


def test_a_correction_finds_anew_and_forgets_what_no_longer_holds(first: str):
    """R14, R41"""
    stranger = {**a_child(9), "given_name": "Rosalind", "date_of_birth": "2009-12-24", "address": "9 Far Road, Bath"}
    later = comes(subjects=[stranger])
    assert found(later) == []
    correct(later, given_name="Wren", date_of_birth="2016-05-04", not_known=["nhs_number"])
    assert [each.earlier_reference for each in found(later)] == [first]
    correct(later, given_name="Rosalind", date_of_birth="2009-12-24")
    assert found(later) == []


def correct(reference: str, **more: Any) -> None:
    """The first person's details are put right."""
    document = {"version_seen": referral(reference).version, "subject": "S1", "reason": "Misread.", **more}
    act(corrections.correct, reference, CorrectionDocument.model_validate(document), by=SUPPORT, at=AFTERNOON)


# --- a person's word ---


def test_who_said_what_and_when_is_in_the_ledger_by_codes_alone(record: Record, first: str):
    """R14, R28: never the other referral's reference, since its readers may be others"""
    later = comes()
    contact = found(later)[0].id
    answers(later, contact)
    answers(later, contact)
    answers(later, contact, "DISMISSED", DECIDER)
    assert acts_of(record, later)[-2:] == ["CONTACT_CONFIRMED", "CONTACT_DISMISSED"]
    confirmed, dismissed = act(entries, later)[-2:]
    assert (confirmed.actor, confirmed.at, dismissed.actor) == (SUPPORT.id, AFTERNOON, DECIDER.id)
    assert confirmed.detail == {
        "contact": str(contact), "level": "PROBABLE", "score": 20,
        "signs": ["BORN_SWAPPED", "FAMILY_SAME", "GIVEN_NEARLY"],
    }  # fmt: skip
    assert first not in str(confirmed.detail)
    assert "CONTACT_CONFIRMED" not in acts_of(record, first)
    [seen] = found(later)
    assert (seen.answer, seen.answered_by, seen.answered_at) == ("DISMISSED", DECIDER.id, AFTERNOON)


@pytest.mark.parametrize("by", [duty(), rep("POLICE"), OPERATOR, LEAD], ids=lambda by: by.id)
def test_nobody_but_the_mash_team_reads_or_answers(first: str, by: Actor):
    """R14, R48, R49: not agencies, not duty teams"""
    later = comes()
    contact = found(later)[0].id
    with pytest.raises(NotPermitted):
        read(later, by)
    with pytest.raises(NotPermitted):
        answers(later, contact, by=by)


# --- restricted referrals ---


@pytest.fixture
def named(first: str) -> str:
    """The earlier referral restricted: a decision maker and an officer are named."""
    with unit_of_work() as session:
        session.add(account_of(OFFICER, ASKED))
    restrict(first)
    return first


def restrict(reference: str) -> None:
    """A decision maker hides a referral."""
    document = RestrictionDocument(ground="STAFF_CONFLICT", reason="A colleague's son.", named=[OFFICER.id])
    act(restriction.restrict, reference, document, by=DECIDER, at=ASKED)


def test_a_restricted_referral_is_neither_shown_nor_counted_to_whoever_may_not_know(named: str):
    """S-5: as if it were not there; to whoever is named it is"""
    later = comes()
    assert read(later) == EarlierSeen(reference=later, contacts=[], in_a_year=0)
    [contact] = found(later, DECIDER)
    assert (contact.earlier_reference, read(later, DECIDER).in_a_year) == (named, 1)


def test_it_is_not_shown_any_more_once_it_is_restricted(first: str):
    """S-6: restricted after it was found"""
    later = comes()
    contact = found(later)[0].id
    with unit_of_work() as session:
        session.add(account_of(OFFICER, ASKED))
    restrict(first)
    assert found(later) == []
    with pytest.raises(NotAcceptable) as hidden_one:
        answers(later, contact)
    with pytest.raises(NotAcceptable) as no_such:
        answers(later, uuid4())
    assert hidden_one.value.fields == no_such.value.fields


def test_a_word_on_a_restricted_referral_stands_in_its_own_ledger(record: Record, named: str):
    """S-5: whoever reads the later one's ledger learns nothing"""
    later = comes()
    before = acts_of(record, later)
    answers(later, found(later, DECIDER)[0].id, by=DECIDER)
    assert acts_of(record, later) == before
    assert acts_of(record, named)[-1] == "CONTACT_CONFIRMED"


# --- what is kept ---


def test_what_is_looked_for_is_kept_as_digests_and_goes_with_the_rest(record: Record):
    """R51, S-27: no name, no date, no number; nothing after erasure"""
    with unit_of_work() as session:
        session.add_all(account_of(actor, AFTERNOON) for actor in (LEAD, ADMIN))
    walk(Stage.CLOSED)
    kept = record.ask("SELECT kind, key FROM radar_key ORDER BY kind")
    assert [kind for kind, _ in kept] == ["born", "family-day", "given-day", "home", "names", "nhs"]
    assert all(len(key) == 8 for _, key in kept)
    assert not any(word in key for _, key in kept for word in (b"wren", b"2016", b"999"))
    agreed(AFTERNOON + CHILD)
    assert erase(AFTERNOON + CHILD) == 1
    assert record.ask("SELECT count(*) FROM radar_key WHERE length(key) > 0") == [(0,)]
    assert found(comes(at=AFTERNOON + CHILD + timedelta(days=3), subjects=[a_child()])) == []


def test_the_look_up_goes_by_the_index_under_the_second_wall(record: Record):
    """S-4: an operator that leaks would have to read every row first"""
    ask(refer())
    with record.as_app() as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute("EXPLAIN SELECT subject_id FROM radar_key WHERE key IN ('\\x01', '\\x02')").fetchall()
    assert "Index Cond" in str(plan)
    assert "radar_key_by_key" in str(plan)
