"""The people of the scenarios. None of them exists; their NHS numbers are from the range kept for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stdnum.gb import nhs


def made_up_nhs_number(serial: int) -> str:
    """The first number with a right check digit from 999 + serial on."""
    first = 9_990_000_000 + serial * 100
    return next(str(number) for number in range(first, first + 100) if nhs.is_valid(str(number)))


#: On what duty teams ask, with the words of the area's profile left to it.
BASIS = {"request_reason": "GENERAL_SAFEGUARDING", "confirmed_by": "Team manager of the day"}


def subject(side: str, given_name: str, family_name: str, **more: Any) -> dict[str, Any]:
    """One subject's part of a referral document."""
    return {
        "side": side,
        "given_name": given_name,
        "family_name": family_name,
        "protected_address": False,
        "household_role": "child" if side == "child" else "lives alone",
        "voice": "Says that the evenings are frightening." if side == "child" else "Wants the shouting to stop.",
        "informed": "INFORMED",
        "informed_on": "2026-03-12",
        "consent": "GIVEN_VERBAL",
        "consent_given_by": "The mother" if side == "child" else "The adult",
        "consent_on": "2026-03-12",
        "basis": BASIS,
        "address": "14 Imagined Row, Bath",
        **more,
    }


def a_child(serial: int = 1) -> dict[str, Any]:
    """A girl of nine."""
    return subject(
        "child",
        "Wren",
        "Ashdown",
        date_of_birth="2016-05-04",
        nhs_number=made_up_nhs_number(serial),
        household_role="daughter",
    )


def an_adult(serial: int = 2) -> dict[str, Any]:
    """A man of seventy-eight."""
    return subject("adult", "Alban", "Thornfield", date_of_birth="1947-11-20", nhs_number=made_up_nhs_number(serial))


def a_family() -> list[dict[str, Any]]:
    """A mother at a protected address, and her two children."""
    mother = subject(
        "adult", "Marla", "Quill", date_of_birth="1988-02-11", household_role="mother", protected_address=True
    )
    son = subject("child", "Perrin", "Quill", date_of_birth="2012-09-30", household_role="son", protected_address=True)
    daughter = subject(
        "child", "Linnet", "Quill", date_of_birth="2018-01-15", household_role="daughter", protected_address=True
    )
    return [mother, son, daughter]


def a_referral(duty_team: str, sender_id: str, subjects: list[dict[str, Any]], at: datetime) -> dict[str, Any]:
    """A duty team's referral document, sent at `at`."""
    return {
        "sender_id": sender_id,
        "duty_team": duty_team,
        "upstream_reference": f"CASE {sender_id}",
        "sending_officer": {"name": "Officer of the day", "reply_to": "officer@duty.bnes.example"},
        "decision_to_refer": {
            "by": "Team manager of the day",
            "at": (at - timedelta(minutes=20)).isoformat(),
            "why_existing_information_is_not_enough": "Our file holds two old contacts, and nothing of the last year.",
        },
        "eligibility": {
            "safeguarding_concern": True,
            "extent_unclear": True,
            "clarification_question": "Has anybody attended the address, or seen injuries, in the last six months?",
        },
        "concern": {
            "narrative": "A neighbour heard shouting at night, several times, and saw a bruise that was "
            "explained in two ways.",
            "source": "1B",
            "level_of_need": "L3",
        },
        "subjects": subjects,
    }
