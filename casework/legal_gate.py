"""No agency is asked before the law's questions are answered for every person: the gate of a referral (R54, R56)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from casework import asking, ledger, referrals
from casework.ledger import Act
from casework.legal_documents import LEGAL_CODES, CompletionDocument, LegalDocument
from casework.notices import MASH_TEAM, say, to_duty_team
from casework.register import current_profile, profile_of
from casework.wakes import wake
from models.profile import Profile
from models.referral import Referral, Subject
from notifications.messages import MessageName
from rules import eligibility, legal_gate
from rules.errors import Conflict, FieldError, Misconfigured, NotAcceptable, WrongStage
from rules.legal_gate import PARTS, Gate
from rules.people import Side
from rules.permissions import Actor, check_may_complete_basis
from rules.stages import UNDECIDED, Stage

#: What is recorded of a basis beside its parts.
_BASIS = ("request_reason", *PARTS)
#: What is missing when everything is on record, and yet no agency that fits has a sharing agreement (R55).
NO_AGREEMENT = {"agencies": ["agreement"]}
#: As for a referral: how far another system's clock may run ahead of the hub's.
_CLOCK_SKEW = timedelta(minutes=5)


def gate_of(profile: Profile) -> Gate:
    """The table of a profile; of one from before there was a gate, the table in force. Raises Misconfigured."""
    found = profile.legal_gate or current_profile().legal_gate
    if found is None:
        raise Misconfigured(f"{profile.file}: legal_gate is missing")
    return found.rule()


def missing(session: Session, reference: str) -> dict[str, list[FieldError]]:
    """What keeps agencies from being asked, by subject: those for whom nothing is missing are left out."""
    referral = referrals.find(session, reference)
    gate = gate_of(profile_of(session, referral))
    found = {
        subject.code: legal_gate.missing(gate, referral.level_of_need, subject, "")
        for subject in referrals.remaining(session, reference)
    }
    return {subject: lacking for subject, lacking in found.items() if lacking}


def missing_fields(session: Session, reference: str) -> dict[str, list[str]]:
    """The same as names of fields alone, which may be shown and logged anywhere."""
    return {
        subject: [field.pointer.strip("/").replace("/", "_") for field in lacking]
        for subject, lacking in missing(session, reference).items()
    }


def let_through(session: Session, referral: Referral, *, by: Actor, at: datetime) -> None:
    """Accept a referral for the agencies to be asked, or hold it and say what is missing. The caller holds its row."""
    session.flush()
    lacking = missing_fields(session, referral.reference)
    if not lacking:
        planned = asking.plan(session, referral, at)
        asking.settle(session, referral, planned, by=by, at=at)
        if planned.asked:
            referral.accepted_at = at
            referral.move_to(Stage.CHECKING, at)
            ledger.write(session, referral.reference, Act.ACCEPTED, by=by, at=at)
            return
        lacking = NO_AGREEMENT
    if referral.stage is Stage.AWAITING_BASIS:
        return
    referral.move_to(Stage.AWAITING_BASIS, at)
    ledger.write(session, referral.reference, Act.BASIS_AWAITED, by=by, at=at, missing=lacking)
    for recipient in (to_duty_team(referral.duty_team), MASH_TEAM):
        say(session, MessageName.BASIS_WANTED, recipient, at=at, reference=referral.reference)


def go_on_if_complete(session: Session, referral: Referral, *, by: Actor, at: datetime) -> None:
    """A referral that was held goes on once nothing is missing; its run is woken. The caller holds its row."""
    session.flush()
    if referral.stage is Stage.AWAITING_BASIS and not missing(session, referral.reference):
        let_through(session, referral, by=by, at=at)
        wake(session, referral.reference, at)


def let_all_through(session: Session, *, by: Actor, at: datetime) -> None:
    """An agreement has come: referrals that were held because no agency at all has one go on."""
    held = select(Referral.reference).where(Referral.stage == Stage.AWAITING_BASIS).order_by(Referral.reference)
    for reference in session.exec(held):
        go_on_if_complete(session, referrals.lock(session, reference), by=by, at=at)


def complete(session: Session, reference: str, document: CompletionDocument, *, by: Actor, at: datetime) -> None:
    """Put on record what was missing, or has changed; with that, a referral that was held goes on by itself.

    Consent that is refused or withdrawn after the agencies were asked keeps any more from being asked. Raises
    NotPermitted, NotFound, WrongStage once it is decided, Conflict when the referral changed meanwhile, and
    NotAcceptable with every bad field at once.
    """
    referral = referrals.lock(session, reference)
    check_may_complete_basis(by, referral.duty_team)
    if referral.stage not in UNDECIDED:
        raise WrongStage(f"referral {reference} is {referral.stage}: nobody is asked about it any more")
    if document.version_seen != referral.version:
        raise Conflict(f"referral {reference} has changed since version {document.version_seen}")
    profile = profile_of(session, referral)
    remaining = {subject.code: subject for subject in referrals.remaining(session, reference)}
    _check(document, remaining, referral, profile, at)
    for said in document.subjects:
        subject = remaining[said.subject]
        recorded = columns(said, subject.side, referral.level_of_need, profile)
        for name, value in recorded.items():
            setattr(subject, name, value)
        ledger.write(
            session, reference, Act.BASIS_RECORDED, by=by, at=at, content=said.model_dump(mode="json"),
            subject=subject.code, **on_record(subject),
        )  # fmt: skip
    referral.version += 1
    go_on_if_complete(session, referral, by=by, at=at)


def columns(said: LegalDocument, side: Side, level: str, profile: Profile) -> dict[str, Any]:
    """A person's legal state as the record holds it; what the sender left to the profile is filled in."""
    recorded = said.model_dump(exclude={"basis", "subject"}, include=set(LegalDocument.model_fields))
    if said.basis is None:
        return recorded | dict.fromkeys((*_BASIS, "basis_confirmed_by"))
    basis = said.basis.model_dump(include=set(_BASIS))
    completed = legal_gate.completed(gate_of(profile), side, level, basis)
    return recorded | completed | {"basis_confirmed_by": said.basis.confirmed_by}


def on_record(subject: Subject) -> dict[str, str | None]:
    """A person's legal state in codes alone, as every request and return shows it (R54)."""
    return {name: getattr(subject, name) for name in (*_BASIS, "consent", "consent_reason_code", "informed")}


def wrong(
    said: LegalDocument, side: Side, level: str, profile: Profile, *, at: datetime, pointer: str
) -> list[FieldError]:
    """What does not go together, or lies in the future, in what somebody said of a person."""
    found = [
        FieldError(f"{pointer}/{name}", "is in the future")
        for name in ("informed_on", "consent_on")
        if _is_ahead(getattr(said, name), at)
    ]
    reasons = profile.codes[f"consent_not_sought_reason_{side}"]
    if said.consent_reason_code is not None and said.consent_reason_code not in reasons:
        found.append(FieldError(f"{pointer}/consent_reason_code", f"use one of {', '.join(sorted(reasons))}"))
    if said.basis is not None:
        basis = said.basis.model_dump(include=set(_BASIS))
        found += legal_gate.wrong_basis(gate_of(profile), side, level, basis, f"{pointer}/basis")
    return found


def _check(
    document: CompletionDocument, remaining: dict[str, Subject], referral: Referral, profile: Profile, at: datetime
) -> None:
    as_json = document.model_dump(mode="json")
    fields = {f"subjects/*/{field}": code_set for field, code_set in LEGAL_CODES.items()}
    found = eligibility.unknown_codes(as_json, fields, profile.codes)
    for number, said in enumerate(document.subjects):
        pointer = f"/subjects/{number}"
        if said.subject not in remaining:
            here = ", ".join(remaining)
            found.append(FieldError(f"{pointer}/subject", f"not a subject that is still here: use one of {here}"))
            continue
        found += wrong(said, remaining[said.subject].side, referral.level_of_need, profile, at=at, pointer=pointer)
        found += eligibility.consent_reason_missing(pointer, as_json["subjects"][number])
    if found:
        raise NotAcceptable(*{field.pointer: field for field in reversed(found)}.values())


def _is_ahead(day: date | None, at: datetime) -> bool:
    return day is not None and day > (at + _CLOCK_SKEW).date()
