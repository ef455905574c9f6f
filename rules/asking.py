"""Which agencies are asked about a referral, and why each is or is not (R15, R55): the least that answers it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.people import Side

#: So much, at least, says whoever has an agency asked without an agreement.
LEAST_REASON = 20


class WhyAsked(StrEnum):
    """Why an agency is asked; the code set asked_because."""

    IN_SCOPE = "IN_SCOPE"
    QUESTION = "QUESTION"
    WHATEVER_THE_QUESTION = "WHATEVER_THE_QUESTION"
    ONE_OFF = "ONE_OFF"
    OVERRIDE = "OVERRIDE"


class WhyNotAsked(StrEnum):
    """Why an agency is not asked; the code set not_asked_because."""

    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    ONE_AT_A_TIME = "ONE_AT_A_TIME"
    NOT_NEEDED = "NOT_NEEDED"
    NO_AGREEMENT = "NO_AGREEMENT"


@dataclass(frozen=True)
class Candidate:
    """An agency of the profile: which sides it holds records of, and whether it is asked as a rule."""

    code: str
    scope: frozenset[Side]
    as_a_rule: bool


@dataclass(frozen=True)
class Narrowing:
    """For whom the duty team's question is: who holds what it is about, and who is asked whatever it is about."""

    holds_it: frozenset[str]
    always: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """Each agency of the profile, asked or not, with the reason; in the profile's order."""

    asked: Mapping[str, WhyAsked]
    not_asked: Mapping[str, WhyNotAsked]


def need_of(agency: str, narrowed: Narrowing | None) -> WhyAsked | None:
    """Why a question needs an agency that is asked as a rule; None when it does not. Not narrowed, it needs each."""
    if narrowed is None:
        return WhyAsked.IN_SCOPE
    if agency in narrowed.holds_it:
        return WhyAsked.QUESTION
    return WhyAsked.WHATEVER_THE_QUESTION if agency in narrowed.always else None


def plan(
    agencies: Sequence[Candidate],
    sides: Collection[Side],
    agreed: Collection[str],
    overridden: Collection[str],
    narrowed: Narrowing | None = None,
) -> Plan:
    """Whom to ask about people of these sides.

    `agreed` are the parties to an agreement in force on the day; `overridden` those whom a named person has asked
    without one. A question narrows whom is asked, and never widens it.
    """
    asked: dict[str, WhyAsked] = {}
    not_asked: dict[str, WhyNotAsked] = {}
    for agency in agencies:
        need = need_of(agency.code, narrowed)
        if agency.scope.isdisjoint(sides):
            not_asked[agency.code] = WhyNotAsked.OUT_OF_SCOPE
        elif agency.code in overridden:
            asked[agency.code] = WhyAsked.OVERRIDE
        elif not agency.as_a_rule:
            not_asked[agency.code] = WhyNotAsked.ONE_AT_A_TIME
        elif need is None:
            not_asked[agency.code] = WhyNotAsked.NOT_NEEDED
        elif agency.code not in agreed:
            not_asked[agency.code] = WhyNotAsked.NO_AGREEMENT
        else:
            asked[agency.code] = need
    return Plan(asked, not_asked)
