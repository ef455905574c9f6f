"""Whole documents for the API's description and for trying the hub. Nobody in them exists.

The NHS numbers are from the range 999, which is never given to people. docs/examples/ holds the referrals as files.
They are written in the codes of B&NES; `in_area` puts those of another area in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.profile import Profile
from rules.people import Side

_QUESTION = "Has anybody attended the address, seen injuries, or had contact with the family, in the last six months?"


_BASIS = {"request_reason": "GENERAL_SAFEGUARDING", "confirmed_by": "Example Team Manager"}


def _subject(side: str, given_name: str, family_name: str, **more: Any) -> dict[str, Any]:
    given = {"consent_given_by": "The mother" if side == "child" else "The adult", "consent_on": "2026-03-12"}
    return {
        "side": side,
        "given_name": given_name,
        "family_name": family_name,
        "protected_address": False,
        "informed": "INFORMED",
        "informed_how": "VERBAL",
        "informed_on": "2026-03-12",
        "consent": "GIVEN_VERBAL",
        **({} if "consent" in more else given),
        "basis": _BASIS,
        **more,
    }


def _referral(duty_team: str, sender_id: str, narrative: str, subjects: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sender_id": sender_id,
        "duty_team": duty_team,
        "upstream_reference": f"Example case {sender_id}",
        "sending_officer": {"name": "Example Officer", "reply_to": "officer@duty.example.org"},
        "decision_to_refer": {
            "by": "Example Team Manager",
            "at": "2026-03-13T09:40:00+00:00",
            "why_existing_information_is_not_enough": (
                "Our own file holds two contacts from years ago and nothing of the last twelve months."
            ),
        },
        "eligibility": {
            "safeguarding_concern": True,
            "extent_unclear": True,
            "clarification_question": _QUESTION,
        },
        "concern": {"narrative": narrative, "source": "1B", "level_of_need": "L3", "urgency": "STANDARD"},
        "subjects": subjects,
    }


CHILD = _referral(
    "CHILDREN_DUTY",
    "example-child-1",
    "A neighbour heard shouting at night several times this month, and saw a bruise that was explained in two ways.",
    [
        _subject(
            "child",
            "Examplia",
            "Testchild",
            date_of_birth="2017-05-04",
            nhs_number="9990000018",
            address="1 Imaginary Row, Exampleton",
            household_role="daughter",
            voice="She says that the evenings are frightening.",
        )
    ],
)

ADULT = _referral(
    "ADULT_ASIST",
    "example-adult-1",
    "A carer reports that his savings have gone down quickly since a new friend began to visit.",
    [
        _subject(
            "adult",
            "Samplio",
            "Testadult",
            date_of_birth="1947-11-20",
            nhs_number="9990000026",
            address="2 Imaginary Row, Exampleton",
            household_role="lives alone",
            voice="He wants to keep his friend, and to know where his money went.",
        )
    ],
)

JOINT = _referral(
    "CHILDREN_DUTY",
    "example-joint-1",
    "A school saw both children very tired; their mother says that somebody waits outside the house at night.",
    [
        _subject(
            "adult",
            "Fictina",
            "Testfamily",
            date_of_birth="1988-02-11",
            nhs_number="9990000034",
            address="3 Imaginary Row, Exampleton",
            protected_address=True,
            household_role="mother",
            voice="She wants to stay in her home with her children, and to sleep.",
        ),
        _subject(
            "child",
            "Mockus",
            "Testfamily",
            date_of_birth="2013-09-30",
            nhs_number="9990000042",
            protected_address=True,
            household_role="son",
            voice="He says that he stays awake to listen.",
        ),
        _subject(
            "child",
            "Dummia",
            "Testfamily",
            date_of_birth="2024-01-15",
            nhs_number="9990000050",
            protected_address=True,
            household_role="daughter",
            voice_missing_because="She is too young to be asked; she was seen, and slept.",
            consent="NOT_SOUGHT",
            consent_reason_code="RISK_TO_CHILD",
            consent_reason="To ask once more would tell whoever waits outside the house.",
        ),
    ],
)

RETURN = {
    "result": "KNOWN_CLOSED",
    "summary": "Two calls to the address last winter; no crime was recorded.",
    "items": [
        {
            "event_date": "2026-01-09",
            "source": "Incident log",
            "kind": "FACT",
            "text": "Attended after a call about shouting. Everybody was seen and nobody was hurt.",
            "about": ["S1"],
            "relevant": True,
            "necessary": True,
            "proportionate": True,
            "recipients": "DUTY_TEAM",
        },
        {
            "event_date": "2026-01-10",
            "source": "Officer's note",
            "kind": "OPINION",
            "text": "The officer thought that the answers were rehearsed.",
            "about": ["S1"],
            "relevant": True,
            "necessary": True,
            "proportionate": True,
            "recipients": "MASH",
        },
        {"recipients": "NOBODY", "withheld_because": "LIVE_INVESTIGATION"},
    ],
    "systems_searched": [
        {
            "system": "Incident log",
            "searched_with": "name, date of birth, address",
            "searched_at": "2026-03-13T14:05:00+00:00",
        }
    ],
    "consultations": [
        {
            "who": "Example Sergeant",
            "role": "Neighbourhood sergeant",
            "organisation": "Example Police",
            "consulted_at": "2026-03-13T14:30:00+00:00",
            "what_was_asked": "Does the neighbourhood team know of anything later?",
            "what_they_said": "Nothing since January.",
        }
    ],
}

NOTHING_KNOWN = {
    "result": "NOT_KNOWN",
    "systems_searched": [
        {
            "system": "Patient record",
            "searched_with": "NHS number",
            "searched_at": "2026-03-13T15:20:00+00:00",
        }
    ],
}

VIEW = {
    "agency": "MENTAL_HEALTH",
    "view": "DISAGREE",
    "reason": "Taken together, this places the child higher on the continuum.",
}

DISCUSSION = {
    "held_at": "2026-03-16T10:30:00+00:00",
    "mode": "VIDEO",
    "present": [
        {"agency": "POLICE", "name": "Example Constable", "role": "Representative"},
        {"agency": "COUNCIL_CHILDREN", "name": "Example Social Worker", "role": "Representative"},
        {"agency": "MENTAL_HEALTH", "name": "Example Nurse", "role": "Representative"},
    ],
    "note": "The returns were read together. The calls of last winter and the school's observation fit each other.",
    "views": [
        {"agency": "POLICE", "view": "AGREE"},
        VIEW,
    ],
}

COMPLETION = {
    "version_seen": 3,
    "subjects": [
        {
            "subject": "S1",
            "informed": "INFORMED",
            "informed_how": "VERBAL",
            "informed_on": "2026-03-12",
            "consent": "GIVEN_VERBAL",
            "consent_given_by": "The mother",
            "consent_on": "2026-03-12",
            "basis": _BASIS,
        }
    ],
}

CORRECTION = {
    "version_seen": 3,
    "subject": "S1",
    "date_of_birth": "2017-04-05",
    "reason": "Day and month were the wrong way round; the school has the certificate.",
}

OVERRIDE = {"agency": "POLICE", "reason": "The new agreement is signed on Monday; the risk is tonight."}

DECISION = {
    "version_seen": 4,
    "decisions": [
        {
            "subject": "S1",
            "threshold_met": True,
            "level_of_need": "L3",
            "outcome": "C_ASSESS",
            "rationale": "A pattern over months, and an injury that was explained in two ways.",
            "words_for_duty_team": "Please begin an assessment under section 17, and see her alone.",
            "actions": [
                {"what": "Begin the assessment", "owner": "Children's duty team", "due_on": "2026-03-20"},
            ],
        }
    ],
}

TO_MANAGER = {
    "outcome": "OTHER_LA",
    "reason": "The family moved across the boundary last week; the other authority has an open case.",
}

SAMPLE = {"first_on": "2026-01-01", "last_on": "2026-03-31", "size": 30, "seed": 20260401}

LOOK = {
    "looks": [
        {
            "subject": "S1",
            "threshold_met": True,
            "level_of_need": "L3",
            "outcome": "C_ASSESS",
            "reason": "The injury was explained in two ways, and nobody had seen her alone.",
        }
    ]
}

RESOLUTION = {"version_seen": 5, "resolution": "All agreed on an assessment after a second look at the dates."}

CONTACT = {"contact": "3f0c9a52-6f0e-4a3b-9d57-0c8f6f1f2a10", "answer": "CONFIRMED"}

#: The referrals that docs/examples/ holds, by the name of their file.
REFERRALS = {"child": CHILD, "adult": ADULT, "joint": JOINT}


def cast(profile: Profile) -> dict[str, str]:
    """Who stands in an area for each code of these examples: its duty teams, and the agencies that hold the same."""
    child, adult = Side.CHILD, Side.ADULT
    others = (agency.code for agency in profile.agencies if not agency.default_checks)
    police = _holder(profile, "POLICE_CONTACT", child)
    return {
        "CHILDREN_DUTY": profile.duty_team_of(child).code,
        "ADULT_ASIST": profile.duty_team_of(adult).code,
        "POLICE": police,
        "COUNCIL_CHILDREN": _holder(profile, "SOCIAL_CARE", child),
        "COUNCIL_ADULTS": _holder(profile, "SOCIAL_CARE", adult),
        "COMMUNITY_HEALTH_CHILDREN": _holder(profile, "PHYSICAL_HEALTH", child),
        "COMMUNITY_HEALTH_ADULTS": _holder(profile, "PHYSICAL_HEALTH", adult),
        "MENTAL_HEALTH": _holder(profile, "MENTAL_HEALTH", child),
        "PROBATION": next(others, police),
        "STANDARD": profile.clocks.default_band,
    }


def in_area(document: Any, names: Mapping[str, str]) -> Any:
    """A document with each of those codes replaced by the one that stands for it."""
    match document:
        case dict():
            return {key: in_area(value, names) for key, value in document.items()}
        case list():
            return [in_area(value, names) for value in document]
        case str():
            return names.get(document, document)
    return document


def _holder(profile: Profile, topic: str, side: Side) -> str:
    asked = [agency.code for agency in profile.agencies_to_ask({side})]
    holders = profile.asking.question_about.get(topic, ())
    return next((code for code in asked if code in holders), asked[0])
