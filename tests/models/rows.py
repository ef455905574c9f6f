"""Rows put straight into the record, past every verb: what the database itself makes of them is under test."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, SQLModel

from casework.db import database
from models.account import Account
from models.agency import Agency, AreaProfile
from models.check import AgencyCheck
from models.decision import CollatedTemplate
from models.referral import Referral, Subject
from rules.people import Side
from rules.permissions import Role
from rules.stages import CheckStatus, Stage
from tests.rules.london import london

NOW = london("Mon 16 Mar 2026 10:00")
DUE = NOW + timedelta(days=1)
LATE = DUE + timedelta(milliseconds=1)


def put(*rows: SQLModel) -> None:
    """Store rows under the application's role, in this order."""
    with Session(database()) as session, session.begin():
        for row in rows:
            session.add(row)
            session.flush()


def foundations() -> list[SQLModel]:
    """What every other row leans on."""
    return [
        AreaProfile(version="v1", digest="0" * 64, content={}, first_used_at=NOW),
        Agency(code="POLICE", kind="core", first_used_at=NOW),
        Account(id="decider", role=Role.DECISION_MAKER, is_person=True, mash_profile=True, added_at=NOW),
    ]


def a_referral_row(reference: str, stage: Stage = Stage.RECEIVED, **more: object) -> Referral:
    """A referral that stands at a stage."""
    fields: dict[str, object] = {
        "reference": reference,
        "duty_team": "CHILDREN_DUTY",
        "sender_id": reference,
        "body_digest": "0" * 64,
        "upstream_reference": "CASE 1",
        "profile_version": "v1",
        "stage": stage,
        "received_at": NOW,
        "closed_at": NOW if stage is Stage.CLOSED else None,
        "sending_officer": "An officer",
        "reply_to": "officer@duty.bnes.example",
        "decided_to_refer_by": "A manager",
        "decided_to_refer_at": NOW,
        "why_not_enough": "Old contacts only.",
        "safeguarding_concern": True,
        "extent_unclear": True,
        "narrative": "Shouting at night.",
        "source": "1B",
        "level_of_need": "L3",
        "urgency": "STANDARD",
        "board_place": 22,
    }
    return Referral(**{**fields, **more})


def a_subject_row(reference: str, **more: object) -> Subject:
    """A child."""
    fields: dict[str, object] = {
        "reference": reference,
        "number": 1,
        "side": Side.CHILD,
        "household_role": "daughter",
        "given_name": "Wren",
        "family_name": "Ashdown",
        "protected_address": False,
        "informed": "INFORMED",
        "consent": "GIVEN_VERBAL",
    }
    return Subject(**{**fields, **more})


def consistent(status: CheckStatus) -> dict[str, object]:
    """The columns that a check of this status must have."""
    settled = {CheckStatus.RETURNED_LATE: LATE}.get(status, NOW) if status.settled else None
    reason = "NO_ISA" if status is CheckStatus.DECLINED else None
    return {"status": status, "settled_at": settled, "decline_reason": reason}


def a_check_row(reference: str, status: CheckStatus = CheckStatus.REQUESTED, **more: object) -> AgencyCheck:
    """A check of the police, of a status, with all that goes with it."""
    fields: dict[str, object] = {
        "reference": reference,
        "agency": "POLICE",
        "sides": "child",
        "place": 0,
        "requested_at": NOW,
        "due_at": DUE,
        "clock_policy": "ELAPSED_24H",
        "calendar_version": "v1",
        "due_in_words": "Asked. Due.",
        "asked_because": "IN_SCOPE",
        "basis": {},
        **consistent(status),
    }
    return AgencyCheck(**{**fields, **more})


def a_template_row(reference: str) -> CollatedTemplate:
    """A kept template."""
    return CollatedTemplate(
        reference=reference,
        version=1,
        template_version="1",
        taken_for="DECISION",
        taken_at=NOW,
        content={},
        digest="0" * 64,
    )
