"""The legal gate: what must be on record for each person before any agency is asked about them (R54, R56). Pure.

Which grounds and which consent states stand for whom is the profile's table; here it is only read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rules.errors import FieldError
from rules.people import Side

#: What a basis consists of beside the reason for the request (requirements §4.8); the names of the code sets, too.
PARTS = ("article_6", "article_9", "dpa_condition", "gateway")
#: Consent that somebody gave, so that who did and when is on record (requirements §4.7).
GIVEN = frozenset({"GIVEN_WRITTEN", "GIVEN_VERBAL"})


@dataclass(frozen=True)
class Grounds:
    """The bases that stand for one side, some levels of need and one reason; of each part the first is proposed."""

    side: Side
    levels: frozenset[str]
    request_reason: str
    allowed: Mapping[str, tuple[str, ...]]
    needs_consent: bool = False


@dataclass(frozen=True)
class ConsentRule:
    """The consent states of one side at some levels of need: those that allow a request, some only with a reason.

    `with_coded_reason` need a code of the set consent_not_sought_reason_SIDE and words, `with_reason` words alone.
    """

    side: Side
    levels: frozenset[str]
    allows: frozenset[str]
    with_reason: frozenset[str]
    with_coded_reason: frozenset[str]


@dataclass(frozen=True)
class Gate:
    """An area's table of the combinations that are allowed."""

    grounds: tuple[Grounds, ...]
    consents: tuple[ConsentRule, ...]
    informing: frozenset[str]

    def grounds_of(self, side: Side, level: str) -> list[Grounds]:
        """The rows for a person, in the profile's order: one for each reason that there can be to ask."""
        return [row for row in self.grounds if row.side == side and level in row.levels]

    def consent_rule(self, side: Side, level: str) -> ConsentRule | None:
        """Which consent states allow a request about a person; None where the table says nothing."""
        return next((rule for rule in self.consents if rule.side == side and level in rule.levels), None)


class OnRecord(Protocol):
    """What is on record about one person: a subject has it by these names."""

    side: Side
    informed: str
    consent: str
    consent_given_by: str | None
    consent_on: date | None
    consent_reason: str | None
    consent_reason_code: str | None
    request_reason: str | None
    article_6: str | None
    article_9: str | None
    dpa_condition: str | None
    gateway: str | None
    basis_confirmed_by: str | None


def completed(gate: Gate, side: Side, level: str, basis: Mapping[str, str | None]) -> dict[str, str | None]:
    """A basis with what its sender left to the profile: the first code of its row, for the reason that they gave.

    Nothing is filled in where no row has that reason: then the basis is wrong, and `wrong_basis` says so.
    """
    row = _row(gate, side, level, basis.get("request_reason"))
    return {**basis, **{part: basis.get(part) or (row.allowed[part][0] if row else None) for part in PARTS}}


def wrong_basis(gate: Gate, side: Side, level: str, basis: Mapping[str, str | None], at: str) -> list[FieldError]:
    """The parts of a basis that the table does not allow together, at the JSON pointer `at` (R54)."""
    rows = gate.grounds_of(side, level)
    row = _row(gate, side, level, basis.get("request_reason"))
    if row is None:
        reasons = ", ".join(each.request_reason for each in rows) or "none"
        return [FieldError(f"{at}/request_reason", f"does not stand for {_whom(side, level)}: use one of {reasons}")]
    return [
        FieldError(f"{at}/{part}", f"does not go with {row.request_reason}: use one of {', '.join(row.allowed[part])}")
        for part in PARTS
        if basis.get(part) is not None and basis[part] not in row.allowed[part]
    ]


def missing(gate: Gate, level: str, person: OnRecord, at: str) -> list[FieldError]:
    """What keeps every agency from being asked about a person, each with the field to fill in; empty: nothing does."""
    return [
        *_missing_basis(gate, level, person, f"{at}/basis"),
        *_missing_informing(gate, person, at),
        *_missing_consent(gate, level, person, at),
    ]


def _missing_basis(gate: Gate, level: str, person: OnRecord, at: str) -> Iterator[FieldError]:
    if not person.request_reason or not person.basis_confirmed_by:
        yield FieldError(at, "no lawful basis is recorded: give the reason for the request, and who confirms the basis")
        return
    basis = {part: getattr(person, part) for part in ("request_reason", *PARTS)}
    yield from wrong_basis(gate, person.side, level, basis, at)
    row = _row(gate, person.side, level, person.request_reason)
    if row and row.needs_consent and person.consent not in GIVEN:
        yield FieldError(f"{at}/request_reason", "this reason stands only with consent that was given")


def _missing_informing(gate: Gate, person: OnRecord, at: str) -> Iterator[FieldError]:
    if person.informed not in gate.informing:
        yield FieldError(f"{at}/informed", "find out whether they were told of this referral, and if not, why not")


def _missing_consent(gate: Gate, level: str, person: OnRecord, at: str) -> Iterator[FieldError]:
    rule, state = gate.consent_rule(person.side, level), person.consent
    if rule is None or state not in rule.allows | rule.with_reason | rule.with_coded_reason:
        yield FieldError(
            f"{at}/consent", f"as it stands, nobody may be asked about {_whom(person.side, level)}: record what has "
            "changed, or withdraw them from the referral",
        )  # fmt: skip
        return
    if state in GIVEN:
        if not person.consent_given_by:
            yield FieldError(f"{at}/consent_given_by", "say who gave the consent")
        if person.consent_on is None:
            yield FieldError(f"{at}/consent_on", "say on which day it was given")
    if state in rule.with_coded_reason and not person.consent_reason_code:
        yield FieldError(f"{at}/consent_reason_code", "this consent needs one of the reasons of the list")
    if state in rule.with_coded_reason | rule.with_reason and not (person.consent_reason or "").strip():
        yield FieldError(f"{at}/consent_reason", "this consent needs a reason in words")


def _row(gate: Gate, side: Side, level: str, reason: str | None) -> Grounds | None:
    return next((row for row in gate.grounds_of(side, level) if row.request_reason == reason), None)


def _whom(side: Side, level: str) -> str:
    return f"{'a child' if side is Side.CHILD else 'an adult'} at level {level}"
