"""Free text about people is readable with the hub's key alone (R51)."""

from __future__ import annotations

import base64
import os

import pytest
from cryptography.exceptions import InvalidTag
from sqlmodel import Session, select

from casework.db import database
from models.base import SealedJson, SealedText, seal, unseal
from models.referral import Subject
from models.tables import METADATA
from tests.models.rows import a_referral_row, a_subject_row, foundations, put
from tests.record import Record, forget_settings

#: Text that is not sealed and yet long enough to hold words: each for a reason.
OPEN_TEXT = {
    "threshold_decision.quorum_missing",  # agencies' codes
    "referral.sender_id",  # the sender's own id, looked up by
    "referral.upstream_reference",  # a reference in the duty team's system
    "follow_up.due_in_words",  # the same, of a question about a return
    "referral.question_about",  # codes
    "earlier_contact.signs",  # codes
    "agency_check.basis",  # codes, by subject's number
    "agency_check.due_in_words",  # computed from the calendar
    "notice.key",  # reference, message, recipient
    "notice.recipient",  # agency:CODE, duty:CODE, mash:name
    "area_profile.content",  # the profile file
    "ledger.detail",  # codes, numbers and times
    "account_event.detail",  # codes, numbers and times
    "account.password_hash",  # Argon2
    "sharing_agreement.title",  # an agreement between bodies, about nobody
    "sharing_agreement.parties",  # agencies' codes
    "agreement_event.detail",  # codes, numbers and dates
    "post.place",  # numbers of a server, a database and a table
}
#: What must be sealed, whatever else is: R51's list of what makes somebody findable.
PERSONAL = {
    "subject": {
        "given_name", "family_name", "born_on_sealed", "nhs_number", "address", "household_role", "voice",
        "voice_missing_because", "consent_reason", "open_to_worker",
        "consent_given_by", "basis_confirmed_by",
    },
    "referral": {
        "narrative", "clarification_question", "why_not_enough", "sending_officer", "reply_to", "decided_to_refer_by",
        "rated_because",
    },
    "agency_not_asked": {"override_reason"},
    "agency_return": {"summary", "items", "systems_searched", "not_searched_because", "consultations"},
    "agency_check": {"decline_note", "question"},
    "clarification": {"question", "answer"},
    "follow_up": {"question", "answer"},
    "urgent_call": {"reason"},
    "restriction": {"reason", "lifted_because"},
    "glass_break": {"reason", "note"},
    "collated_template": {"content"},
    "ledger_content": {"salt", "content"},
    "discussion": {"present", "note"},
    "threshold_view": {"reason"},
    "dissent": {"resolution"},
    "threshold_decision": {"rationale", "words_for_duty_team", "actions", "without_discussion_because",
        "below_quorum_because",
    },
    "manager_request": {"reason", "answer"},
    "reconsideration": {"reason"},
    "hand_back": {"outcomes"},
    "feedback": {"went_well", "should_change", "answer", "what_changed"},
    "account": {"email", "display_name", "totp_secret"},
    "notice": {"secret"},
    "draft": {"content"},
}  # fmt: skip


@pytest.mark.parametrize("text", ["", "Wren", "Zoë 李 👩‍👧", "e\u0301 is not \u00e9", "x" * 20_000])
def test_what_was_sealed_comes_back_to_the_letter(record: Record, text):
    assert unseal(seal(text)) == text


def test_the_same_text_is_never_sealed_the_same_way_twice(record: Record):
    """Equal names must not be seen to be equal."""
    assert len({seal("Wren Ashdown") for _ in range(100)}) == 100


def test_another_key_opens_nothing(record: Record, monkeypatch):
    sealed = seal("Wren Ashdown")
    monkeypatch.setenv("MASH_KEY", base64.b64encode(os.urandom(32)).decode())
    forget_settings()
    with pytest.raises(InvalidTag):
        unseal(sealed)


def test_no_byte_of_what_was_sealed_can_be_changed_unnoticed(record: Record):
    sealed = seal("Wren Ashdown")
    for place in range(len(sealed)):
        forged = bytearray(sealed)
        forged[place] ^= 1
        with pytest.raises(InvalidTag):
            unseal(bytes(forged))


def test_a_subject_is_stored_sealed_and_read_back_whole(record: Record):
    """R51: name, date of birth, NHS number, address"""
    secrets = {
        "given_name": "Canarywren",
        "family_name": "Canaryashdown",
        "born_on_sealed": "2016-05-04",
        "nhs_number": "9990000107",
        "address": "14 Canaryrow",
    }
    put(*foundations(), a_referral_row("R"), a_subject_row("R", **secrets))
    [(stored,)] = record.ask("SELECT s::text FROM subject s")
    for text in secrets.values():
        assert text not in stored
        assert text.encode().hex() not in stored
    with Session(database()) as session:
        subject = session.exec(select(Subject)).one()
        assert {name: getattr(subject, name) for name in secrets} == secrets
        assert subject.born_on.isoformat() == "2016-05-04"


@pytest.mark.parametrize(("table", "columns"), PERSONAL.items())
def test_everything_about_a_person_is_in_a_sealed_column(table, columns):
    """R51"""
    sealed = {c.name for c in METADATA.tables[table].columns if isinstance(c.type, SealedText | SealedJson)}
    assert columns == sealed


def test_every_column_that_could_hold_words_is_sealed_or_stands_in_the_list(record: Record):
    """A new column for words must be sealed, or be put into OPEN_TEXT with its reason."""
    wordy = record.ask(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND (data_type IN ('text', 'json', 'jsonb', 'ARRAY') OR character_maximum_length > 64)"
    )
    assert {name for (name,) in wordy} == OPEN_TEXT
