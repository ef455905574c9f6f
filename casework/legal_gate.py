"""No agency is asked before the law's questions are answered for every person: the gate of a referral (R54, R56)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, select

from casework import asking, hidden, ledger, referrals
from casework.ledger import Act
from casework.legal_documents import LEGAL_CODES, CompletionDocument, LegalDocument
from casework.notices import MASH_TEAM, say, to_duty_team
from casework.register import current_profile, profile_of
from casework.wakes import forget, wake
from models.profile import Profile
from models.referral import Referral, Subject
from models.wake import WakeKind
from notifications.messages import MessageName
from rules import eligibility, legal_gate
from rules.errors import Conflict, FieldError, Misconfigured, NotAcceptable, WrongStage
from rules.legal_gate import PARTS, Gate
from rules.people import Side
from rules.permissions import HUB, Actor, check_may_complete_basis
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
    if lacking or not _accept(session, referral, by=by, at=at):
        _hold(session, referral, lacking or NO_AGREEMENT, by=by, at=at)


def go_on_if_complete(session: Session, referral: Referral, *, by: Actor, at: datetime) -> None:
    """A referral that was held goes on once nothing is missing, and its run is woken. The caller holds its row."""
    session.flush()
    held = referral.stage is Stage.AWAITING_BASIS and not missing(session, referral.reference)
    if held and _accept(session, referral, by=by, at=at):
        for kind in (WakeKind.CHASE_BASIS, WakeKind.TRY_GATE):
            forget(session, referral.reference, kind)
        wake(session, referral.reference, at)


def agreement_from(session: Session, day: date, *, at: datetime) -> None:
    """An agreement is in the register that begins on a local date: what is held is tried again then, or at once."""
    # Restricted ones too, of which whoever keeps the register may not know.
    with hidden.unhidden(session):
        held = session.exec(select(Referral).where(Referral.stage == Stage.AWAITING_BASIS)).all()
        for referral in held:
            _try_on(session, referral, day, at)


def try_again(session: Session, reference: str, *, at: datetime) -> None:
    """An agreement has come into force: a referral that was held because no agency at all had one goes on (R55)."""
    go_on_if_complete(session, referrals.lock(session, reference), by=HUB, at=at)


def chase(session: Session, reference: str, *, at: datetime) -> None:
    """Whoever can let a held referral go on is told that it still waits, again and again (R54, R55)."""
    referral = referrals.lock(session, reference)
    go_on_if_complete(session, referral, by=HUB, at=at)
    if referral.stage is not Stage.AWAITING_BASIS:
        return
    lacking = missing_fields(session, reference)
    ledger.write(session, reference, Act.BASIS_CHASED, by=HUB, at=at, missing=lacking or NO_AGREEMENT)
    # A duty team can complete a basis, and do nothing about an agreement.
    for recipient in (to_duty_team(referral.duty_team), MASH_TEAM) if lacking else (MASH_TEAM,):
        say(session, MessageName.BASIS_CHASED, recipient, at=at, reference=reference, occasion=at.isoformat())
    _chase_later(session, referral, at)


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


def _accept(session: Session, referral: Referral, *, by: Actor, at: datetime) -> bool:
    """Let the agencies be asked, if any has an agreement; if not, it is tried again when the next one begins."""
    planned = asking.plan(session, referral, at)
    asking.settle(session, referral, planned, by=by, at=at)
    if planned.asked:
        referral.accepted_at = at
        referral.move_to(Stage.CHECKING, at)
        ledger.write(session, referral.reference, Act.ACCEPTED, by=by, at=at)
    elif begins := asking.next_agreement(session, profile_of(session, referral), at):
        _try_on(session, referral, begins, at)
    return bool(planned.asked)


def _hold(session: Session, referral: Referral, lacking: dict[str, list[str]], *, by: Actor, at: datetime) -> None:
    referral.move_to(Stage.AWAITING_BASIS, at)
    ledger.write(session, referral.reference, Act.BASIS_AWAITED, by=by, at=at, missing=lacking)
    for recipient in (to_duty_team(referral.duty_team), MASH_TEAM):
        say(session, MessageName.BASIS_WANTED, recipient, at=at, reference=referral.reference)
    _chase_later(session, referral, at)


def _chase_later(session: Session, referral: Referral, at: datetime) -> None:
    profile = profile_of(session, referral)
    later = at + timedelta(hours=profile.clocks.chase_basis_after_hours)
    # In office hours, when somebody may read it.
    wake(session, referral.reference, profile.calendar().opens_after(later), WakeKind.CHASE_BASIS)


def _try_on(session: Session, referral: Referral, day: date, at: datetime) -> None:
    """On a local date, when the office opens for the agencies to be asked; at once if that day has come (R26)."""
    calendar = profile_of(session, referral).calendar()
    begins = calendar.at_local(day, time())
    wake(session, referral.reference, calendar.opens_after(begins) if begins > at else at, WakeKind.TRY_GATE)


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
