"""A person's details are corrected as a new version; the one before stays in the formal record (R24, R41; Article 16).

What was known at a decision was kept then (R41): a correction changes no kept template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field
from sqlmodel import Session

from casework import ledger, outgoing, past_details, radar, referrals
from casework.checks import told
from casework.correction_documents import CorrectionDocument
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_agency, to_duty_team
from casework.past_details import Correction
from casework.register import profile_of
from models.check import AgencyCheck
from models.profile_parts import SearchKey
from models.referral import Referral, Subject
from notifications.messages import MessageName
from rules.errors import Conflict, FieldError, NotAcceptable
from rules.outgoing import Guard, find
from rules.people import Side
from rules.permissions import Actor, Role, check_may_correct, is_reader_of_assessment

#: What can be corrected, by its name in a document and in the record.
_COLUMNS: Mapping[str, str] = {
    "given_name": "given_name", "family_name": "family_name", "date_of_birth": "born_on_sealed",
    "nhs_number": "nhs_number", "address": "address", "protected_address": "protected_address",
    "household_role": "household_role",
}  # fmt: skip
#: As for a referral: how far another system's clock may run ahead of the hub's.
_CLOCK_SKEW = timedelta(minutes=5)


class Details(Seen):
    """Who somebody is, at one version. A protected address is left out of every one."""

    given_name: str
    family_name: str
    date_of_birth: date | None
    nhs_number: str | None
    address: str | None
    protected_address: bool
    household_role: str


class EarlierVersion(Seen):
    """What stood there before a correction, and the correction that ended it."""

    version: int
    details: Details
    until: datetime
    corrected_by: str
    reason: str
    changed: list[str] = Field(description="Which details the correction changed")


class PersonDetails(Seen):
    """One person's details as they stand, and every version before."""

    subject: str
    side: Side
    household: int
    address_is_protected: bool
    address_held_by: list[str] = Field(
        description="Agencies that were told the address before it was protected; shown to the MASH team alone"
    )
    version: int
    details: Details
    earlier: list[EarlierVersion] = Field(description="The newest first; empty when nothing was corrected")


class DetailsSeen(Seen):
    """The details of everybody in a referral, for those who may correct them."""

    reference: str
    version: int = Field(description="To be named by whoever corrects something")
    people: list[PersonDetails]


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> DetailsSeen:
    """Everybody's details with the versions before; the reading is in the ledger. Raises NotFound, NotPermitted."""
    referral = referrals.lock(session, reference)
    check_may_correct(by, referral.duty_team)
    people = referrals.subjects(session, reference)
    protected, corrected = referrals.protected_households(people), past_details.corrections(session, reference)
    ledger.write(session, reference, Act.DETAILS_READ, by=by, at=at)
    return DetailsSeen(
        reference=reference,
        version=referral.version,
        people=[
            _person(each, each.household in protected, corrected[each.code], for_team=is_reader_of_assessment(by))
            for each in people
        ],
    )


def correct(session: Session, reference: str, document: CorrectionDocument, *, by: Actor, at: datetime) -> None:
    """Put right what is wrong about a person, at any stage, for as long as it is held.

    Every agency that was asked about them is told that there is a correction (Article 19), and so is the other of duty
    team and MASH team. Where an address is protected from now on that agencies hold already, the MASH team is told, and
    the ledger keeps which (R29). Raises NotFound, NotPermitted, Conflict when the referral changed meanwhile, and
    NotAcceptable with every bad field at once.
    """
    referral = referrals.lock(session, reference)
    check_may_correct(by, referral.duty_team)
    if document.version_seen != referral.version:
        raise Conflict(f"referral {reference} has changed since version {document.version_seen}")
    people = {each.code: each for each in referrals.subjects(session, reference)}
    subject = people.get(document.subject)
    if subject is None:
        raise NotAcceptable(FieldError("/subject", f"use one of {', '.join(people)}"))
    was = _as_json(subject)
    now = was | _meant(document)
    changed = sorted(name for name in _COLUMNS if now[name] != was[name])
    was_protected = referrals.protected_households(people.values())
    if found := _wrong(document, changed, at):
        raise NotAcceptable(*found)
    for name in changed:
        setattr(subject, _COLUMNS[name], now[name])
    subject.details_version += 1
    subject.corrected_at = at
    session.add(subject)
    referral.version += 1
    session.flush()
    radar.note(session, reference)
    radar.look(session, reference, at=at)
    held_by = []
    if {"address", "protected_address"} & set(changed):
        held_by = _address_held_by(session, referral, subject, was, was_protected)
    ledger.write(
        session, reference, Act.DETAILS_CORRECTED, by=by, at=at,
        content={"was": was, "now": now, "reason": document.reason},
        subject=subject.code, version=subject.details_version, changed=changed,
        **({"address_held_by": held_by} if held_by else {}),
    )  # fmt: skip
    occasion = f"{subject.code}/{subject.details_version}"
    if held_by:
        say(session, MessageName.HELD_ALREADY, MASH_TEAM, at=at, reference=reference, occasion=occasion)
    for recipient in _to_tell(session, referral, subject.side, changed, by):
        say(session, MessageName.DETAILS_CORRECTED, recipient, at=at, reference=reference, occasion=occasion)


def _meant(document: CorrectionDocument) -> dict[str, Any]:
    said = document.model_dump(mode="json", include=set(_COLUMNS), exclude_none=True)
    return dict.fromkeys(document.not_known) | said


def _wrong(document: CorrectionDocument, changed: list[str], at: datetime) -> list[FieldError]:
    found = [
        FieldError("/not_known", f"{name.replace('_', ' ')} is given as well: leave out one of the two")
        for name in document.not_known
        if getattr(document, name) is not None
    ]
    if document.date_of_birth and document.date_of_birth > (at + _CLOCK_SKEW).date():
        found.append(FieldError("/date_of_birth", "is in the future"))
    if not changed:
        found.append(FieldError("/subject", "nothing differs from what is on record: change what is wrong"))
    return found


def _to_tell(session: Session, referral: Referral, side: Side, changed: list[str], by: Actor) -> list[str]:
    """Those who hold what was wrong. An agency is told only when what it was told has changed."""
    agencies = [
        to_agency(check.agency)
        for check in referrals.checks(session, referral.reference)
        if side in check.sides.split(",") and _concerns(session, referral, check.agency, changed)
    ]
    return [*agencies, MASH_TEAM if by.role is Role.DUTY_TEAM else to_duty_team(referral.duty_team)]


def _address_held_by(
    session: Session, referral: Referral, subject: Subject, was: Mapping[str, Any], was_protected: set[int]
) -> list[str]:
    """The agencies that hold an address which is protected now: shown it to search with, or told it in words."""
    people = referrals.subjects(session, referral.reference)
    if subject.household not in referrals.protected_households(people):
        return []
    before = [(subject.code, was["address"])] if was["address"] else []
    guard = outgoing.for_addresses(session, referral.reference, before)
    shown = set()
    if subject.household not in was_protected:
        at_home = [each for each in people if each.household == subject.household and each is not subject]
        shown = {each.side for each in at_home if each.address} | ({subject.side} if was["address"] else set())
    return [
        check.agency
        for check in referrals.checks(session, referral.reference)
        if _was_shown(session, referral, check, shown) or _was_told(session, referral, check, guard)
    ]


def _was_shown(session: Session, referral: Referral, check: AgencyCheck, sides: set[Side]) -> bool:
    searches_with = profile_of(session, referral).agency(check.agency).searches_with
    return SearchKey.ADDRESS in searches_with and bool(sides & set(check.sides.split(",")))


def _was_told(session: Session, referral: Referral, check: AgencyCheck, guard: Guard) -> bool:
    return any(find(text, guard) for text in told(session, referral, check))


def _concerns(session: Session, referral: Referral, agency: str, changed: list[str]) -> bool:
    hidden = set(SearchKey) - set(profile_of(session, referral).agency(agency).searches_with)
    return bool(set(changed) - hidden)


def _person(subject: Subject, protected: bool, corrected: Sequence[Correction], *, for_team: bool) -> PersonDetails:
    held_by = {agency for entry, _ in corrected for agency in entry.detail.get("address_held_by", ())}
    return PersonDetails(
        subject=subject.code, side=subject.side, household=subject.household, address_is_protected=protected,
        address_held_by=sorted(held_by) if for_team else [],
        version=subject.details_version, details=_shown(_as_json(subject), protected),
        earlier=_earlier(corrected, protected),
    )  # fmt: skip


def _shown(details: Mapping[str, Any], protected: bool) -> Details:
    hides = protected or details["protected_address"]
    return Details.model_validate({**details, "address": None} if hides else details)


def _as_json(subject: Subject) -> dict[str, Any]:
    return {name: getattr(subject, column) for name, column in _COLUMNS.items()}


def _earlier(corrected: Sequence[Correction], protected: bool) -> list[EarlierVersion]:
    """The newest first."""
    return [
        EarlierVersion(
            version=entry.detail["version"] - 1, details=_shown(said["was"], protected), until=entry.at,
            corrected_by=entry.actor, reason=said["reason"], changed=entry.detail["changed"],
        )
        for entry, said in reversed(corrected)
    ]  # fmt: skip
