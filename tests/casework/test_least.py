"""An agency is told the least that it needs to search for somebody (issue 5, point 2)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from casework import queues, referrals
from casework.db import unit_of_work
from models.base import SealedText
from rules.stages import Stage
from tests.casework.factory import ASKED, a_child, act, ask, refer, rep, walk

#: What every agency needs of the words that a referral holds: the question, and who is who.
EVERYBODY = {"clarification_question", "given_name", "family_name", "household_role"}
TOLD = {
    "POLICE": EVERYBODY | {"born_on_sealed", "address"},
    "COUNCIL_CHILDREN": EVERYBODY | {"born_on_sealed", "address", "nhs_number"},
    "MENTAL_HEALTH": EVERYBODY | {"born_on_sealed", "address", "nhs_number"},
}


def marked(reference: str) -> dict[str, str]:
    """Every sealed text of a referral and its subject holds a mark of its own; the marks by column."""
    marks: dict[str, str] = {}
    with unit_of_work() as session:
        [subject] = referrals.subjects(session, reference)
        referral = referrals.find(session, reference)
        referral.rated_at = ASKED
        for row in (referral, subject):
            for column in sa.inspect(type(row)).columns:
                if isinstance(column.type, SealedText):
                    mark = "2003-02-01" if column.key == "born_on_sealed" else f"mark of {column.key}"
                    setattr(row, column.key, mark)
                    marks[column.key] = mark
            session.add(row)
    return marks


@pytest.mark.parametrize("agency", sorted(TOLD))
def test_an_agency_sees_what_it_can_search_with_and_nothing_else_that_was_written(record, agency):
    """R29, R49, issue 5 point 2: a new column is searched for too"""
    reference = walk(Stage.CHECKING)
    marks = marked(reference)
    assert {"narrative", "voice", "reply_to", "consent_reason", "open_to_worker"} <= marks.keys()
    seen = act(queues.read_check, reference, by=rep(agency), at=ASKED).model_dump_json()
    assert {column for column, mark in marks.items() if mark in seen} == TOLD[agency]


def test_why_somebody_was_not_asked_for_consent_is_not_told(record):
    """R29: the reason would tell the concern"""
    why = {"consent": "NOT_SOUGHT", "consent_reason_code": "SUSPECTED_SEXUAL_ABUSE", "consent_reason": "Words."}
    reference = refer(subjects=[{**a_child(), **why}])
    ask(reference)
    seen = act(queues.read_check, reference, by=rep("POLICE"), at=ASKED)
    assert seen.basis["S1"]["consent"] == "NOT_SOUGHT"
    assert "SUSPECTED_SEXUAL_ABUSE" not in seen.model_dump_json()
