"""A person's details are corrected as a new version; the one before stays in the formal record (R24, R41; Article 16).

What was known at a decision was kept then (R41): a correction changes no kept template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field
from sqlmodel import Session

from casework import ledger, past_details, referrals
from casework.correction_documents import CorrectionDocument
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import MASH_TEAM, say, to_agency, to_duty_team
from casework.past_details import Correction
from casework.register import profile_of
from models.profile_parts import SearchKey
from models.referral import Referral, Subject
from notifications.messages import MessageName
from rules.errors import Conflict, FieldError, NotAcceptable
from rules.people import Side
from rules.permissions import Actor, Role, check_may_correct

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
        people=[_person(each, each.household in protected, corrected[each.code]) for each in people],
    )


def correct(session: Session, reference: str, document: CorrectionDocument, *, by: Actor, at: datetime) -> None:
    """Put right what is wrong about a person, at any stage, for as long as it is held.

    Every agency that was asked about them is told that there is a correction (Article 19), and so is the other of duty
    team and MASH team. Raises NotFound, NotPermitted, Conflict when the referral changed meanwhile, and NotAcceptable
    with every bad field at once.
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
    if found := _wrong(document, changed, at):
        raise NotAcceptable(*found)
    for name in changed:
        setattr(subject, _COLUMNS[name], now[name])
    subject.details_version += 1
    subject.corrected_at = at
    session.add(subject)
    referral.version += 1
    ledger.write(
        session, reference, Act.DETAILS_CORRECTED, by=by, at=at,
        content={"was": was, "now": now, "reason": document.reason},
        subject=subject.code, version=subject.details_version, changed=changed,
    )  # fmt: skip
    for recipient in _to_tell(session, referral, subject.side, changed, by):
        say(
            session, MessageName.DETAILS_CORRECTED, recipient,
            at=at, reference=reference, occasion=f"{subject.code}/{subject.details_version}",
        )  # fmt: skip


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


def _concerns(session: Session, referral: Referral, agency: str, changed: list[str]) -> bool:
    hidden = set(SearchKey) - set(profile_of(session, referral).agency(agency).searches_with)
    return bool(set(changed) - hidden)


def _person(subject: Subject, protected: bool, corrected: Sequence[Correction]) -> PersonDetails:
    return PersonDetails(
        subject=subject.code, side=subject.side, household=subject.household, address_is_protected=protected,
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
