"""What must be on record before anybody is asked, by the table that the hub ships with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import product

import pytest

from models.profile import load_profile
from models.settings import HOUSE
from rules.legal_gate import GIVEN, PARTS, completed, missing, wrong_basis
from rules.people import Side

PROFILE = load_profile(HOUSE / "profiles" / "bnes.toml")
assert PROFILE.legal_gate
GATE = PROFILE.legal_gate.rule()
LEVELS, REASONS = tuple(PROFILE.codes["need_level"]), tuple(PROFILE.codes["request_reason"])
NOTHING_GIVEN = {"consent_given_by": None, "consent_on": None}


@dataclass(frozen=True)
class Person:
    """A child about whom everything is on record."""

    side: Side = Side.CHILD
    informed: str = "INFORMED"
    consent: str = "GIVEN_VERBAL"
    consent_given_by: str | None = "The mother"
    consent_on: date | None = date(2026, 3, 12)
    consent_reason: str | None = None
    consent_reason_code: str | None = None
    request_reason: str | None = "GENERAL_SAFEGUARDING"
    article_6: str | None = "6_1_E"
    article_9: str | None = "9_2_G"
    dpa_condition: str | None = "SCH1_P2_18"
    gateway: str | None = "CA2004_S10"
    basis_confirmed_by: str | None = "A team manager"


def lacking(person: Person, level: str = "L3") -> list[str]:
    """The fields to fill in."""
    return [found.pointer.removeprefix("/S1/") for found in missing(GATE, level, person, "/S1")]


def test_nothing_is_missing_when_everything_is_on_record():
    """R54, R56"""
    assert lacking(Person()) == []


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"request_reason": None}, ["basis"]),
        ({"basis_confirmed_by": None}, ["basis"]),
        ({"article_6": "6_1_A"}, ["basis/article_6"]),
        ({"gateway": "CARE2014_S42"}, ["basis/gateway"]),
        ({"request_reason": "S42_CARE_ACT"}, ["basis/request_reason"]),
        ({"informed": "UNKNOWN"}, ["informed"]),
        ({"informed": "NOT_INFORMED_RISK"}, []),
        ({"consent_given_by": None}, ["consent_given_by"]),
        ({"consent_on": None}, ["consent_on"]),
        ({"consent": "REFUSED_RESPECTED"}, ["consent"]),
        ({"consent": "WITHDRAWN"}, ["consent"]),
        ({"consent": "NOT_SOUGHT", **NOTHING_GIVEN}, ["consent_reason_code", "consent_reason"]),
        ({"consent": "NOT_SOUGHT", "consent_reason": "She would be hurt.", **NOTHING_GIVEN}, ["consent_reason_code"]),
        ({"consent": "REFUSED_OVERRIDDEN", "consent_reason": " ", "consent_reason_code": "DELAY"}, ["consent_reason"]),
        ({"consent": "NOT_SOUGHT", "consent_reason": "Hurt.", "consent_reason_code": "RISK_TO_CHILD"}, []),
        ({"consent": "LACKS_CAPACITY", **NOTHING_GIVEN}, ["consent_reason"]),
        ({"consent": "NOT_REQUIRED_STATUTORY", **NOTHING_GIVEN}, ["consent_reason"]),
    ],
)  # fmt: skip
def test_a_child_in_need_is_asked_about_only_with_basis_consent_or_a_reason(changed, fields):
    """R56: an L2 or L3 child case with no consent and no reason cannot fan out"""
    for level in ("L2", "L3"):
        assert lacking(replace(Person(), **changed), level) == fields


def test_significant_harm_needs_no_consent_but_a_basis_all_the_same():
    """R54, R56"""
    statutory = {"consent": "NOT_REQUIRED_STATUTORY", **NOTHING_GIVEN}
    assert lacking(replace(Person(), **statutory), "L4") == []
    assert lacking(replace(Person(), **statutory, request_reason=None), "L4") == ["basis"]


def test_section_17_with_consent_needs_consent():
    """R54"""
    basis = completed(GATE, Side.CHILD, "L3", {"request_reason": "S17_WITH_CONSENT"})
    assert lacking(replace(Person(), **basis)) == []
    sought = {"consent": "NOT_SOUGHT", "consent_reason": "Hurt.", "consent_reason_code": "DELAY"}
    assert lacking(replace(Person(), **basis, **sought)) == ["basis/request_reason"]


@pytest.mark.parametrize(("side", "level", "reason"), list(product(Side, LEVELS, REASONS)))
def test_what_the_profile_proposes_is_allowed_and_no_other_reason_is_filled_in(side, level, reason):
    """R54: the whole product of sides, levels and reasons"""
    stands = reason in {row.request_reason for row in GATE.grounds_of(side, level)}
    basis = completed(GATE, side, level, {"request_reason": reason})
    assert all((basis[part] is not None) == stands for part in PARTS)
    assert (wrong_basis(GATE, side, level, basis, "") == []) == stands


@pytest.mark.parametrize(("side", "level"), list(product(Side, LEVELS)))
def test_a_respected_refusal_and_a_withdrawal_stop_it_for_everybody(side, level):
    """R56"""
    for state in PROFILE.codes["consent"]:
        rule = GATE.consent_rule(side, level)
        assert rule
        allowed = rule.allows | rule.with_reason | rule.with_coded_reason
        assert (state in allowed) == (state not in {"REFUSED_RESPECTED", "WITHDRAWN"})
        assert rule.allows >= GIVEN


def test_a_part_that_its_sender_chose_is_kept():
    """R54: the profile fills in only what was left to it"""
    basis = completed(GATE, Side.CHILD, "L3", {"request_reason": "GENERAL_SAFEGUARDING", "gateway": "CA1989_S27"})
    assert basis["gateway"] == "CA1989_S27"
    assert basis["article_6"] == "6_1_E"
