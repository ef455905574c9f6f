"""The register of information sharing agreements: added, renewed and ended by an administrator (R55)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col, select

from casework import legal_gate
from casework.documents import AgreementDocument
from casework.follow import Seen
from models.agreement import AgreementEvent, SharingAgreement
from models.profile import Profile
from rules.administration import check_may_administer, check_may_read_register
from rules.errors import Conflict, FieldError, NotAcceptable, NotFound
from rules.permissions import Actor
from rules.sharing import Force, Term


class AgreementSeen(Seen):
    """One version of an agreement."""

    id: UUID
    title: str
    version: str
    parties: list[str]
    scope: str
    signed_on: date
    in_force_from: date
    in_force_to: date | None
    review_on: date
    ended_on: date | None
    force: Force
    is_renewed: bool = Field(description="A newer version is in the register")


def register(session: Session, *, by: Actor, at: datetime, on: date) -> list[AgreementSeen]:
    """Every agreement, those in force on a local date first. Raises NotPermitted."""
    check_may_read_register(by)
    return sorted(as_they_stand(session, on), key=lambda each: (not each.force.holds, each.title, each.in_force_from))


def as_they_stand(session: Session, on: date) -> list[AgreementSeen]:
    """Every agreement on a local date, by title and version. The caller has checked who reads."""
    rows = list(session.exec(select(SharingAgreement).order_by(SharingAgreement.title, SharingAgreement.version)))
    renewed = {row.renews for row in rows}
    return [_seen(row, on, is_renewed=row.id in renewed) for row in rows]


def without_agreement(agreements: list[AgreementSeen], profile: Profile) -> list[str]:
    """The agencies of the profile that are party to no agreement in force."""
    parties = {party for agreement in agreements if agreement.force.holds for party in agreement.parties}
    return [agency.code for agency in profile.agencies if agency.code not in parties]


def one(session: Session, agreement_id: UUID, *, by: Actor, at: datetime, on: date) -> AgreementSeen:
    """One agreement. Raises NotPermitted, NotFound."""
    check_may_read_register(by)
    return _seen(_find(session, agreement_id), on, is_renewed=_renewal(session, agreement_id) is not None)


def events(session: Session, agreement_id: UUID) -> list[AgreementEvent]:
    """What was done to an agreement, newest first."""
    query = select(AgreementEvent).where(AgreementEvent.agreement_id == agreement_id)
    return list(session.exec(query.order_by(col(AgreementEvent.id).desc())))


def add(session: Session, document: AgreementDocument, profile: Profile, *, by: Actor, at: datetime) -> UUID:
    """Put a signed agreement into the register; its id. Raises NotPermitted, NotAcceptable."""
    check_may_administer(by)
    return _enter(session, document, profile, "ADDED", by=by, at=at)


def renew(
    session: Session, agreement_id: UUID, document: AgreementDocument, profile: Profile, *, by: Actor, at: datetime
) -> UUID:
    """Put the version that follows into the register; the old one stays as it was, until its own end.

    Raises NotPermitted, NotFound, NotAcceptable, and Conflict when it was renewed already.
    """
    check_may_administer(by)
    old = _find(session, agreement_id)
    if _renewal(session, agreement_id) is not None:
        raise Conflict("this agreement was renewed already: renew the newer version")
    if document.version == old.version:
        raise NotAcceptable(FieldError("/version", "is that of the old one: a renewal needs a version of its own"))
    _note(session, agreement_id, "RENEWED", by=by, at=at, version=document.version)
    return _enter(session, document, profile, "ADDED", by=by, at=at, renews=agreement_id)


def end(session: Session, agreement_id: UUID, *, by: Actor, at: datetime, on: date) -> None:
    """From this local date on nobody shares under it. Ended already: nothing. Raises NotPermitted, NotFound."""
    check_may_administer(by)
    found = _find(session, agreement_id)
    if found.ended_on is None:
        found.ended_on = max(on, found.in_force_from)
        session.add(found)
        _note(session, agreement_id, "ENDED", by=by, at=at, on=found.ended_on.isoformat())


def _enter(
    session: Session, document: AgreementDocument, profile: Profile, act: str, *,
    by: Actor, at: datetime, renews: UUID | None = None,
) -> UUID:  # fmt: skip
    _check(document, profile)
    row = SharingAgreement(**document.model_dump(), renews=renews, added_at=at, added_by=by.id)
    session.add(row)
    session.flush()
    _note(session, row.id, act, by=by, at=at, version=row.version, parties=row.parties)
    legal_gate.agreement_from(session, row.in_force_from, at=at)
    return row.id


def _check(document: AgreementDocument, profile: Profile) -> None:
    known = {agency.code for agency in profile.agencies} | {team.code for team in profile.duty_teams}
    wrong = []
    if set(document.parties) - known or len(set(document.parties)) < 2:
        wrong.append(FieldError("/parties", "choose at least two of the area's bodies"))
    if document.in_force_to is not None and document.in_force_to < document.in_force_from:
        wrong.append(FieldError("/in_force_to", "is before the first day"))
    if document.review_on < document.in_force_from:
        wrong.append(FieldError("/review_on", "is before the first day"))
    if wrong:
        raise NotAcceptable(*wrong)


def _find(session: Session, agreement_id: UUID) -> SharingAgreement:
    found = session.get(SharingAgreement, agreement_id, with_for_update=True)
    if found is None:
        raise NotFound("there is no such agreement")
    return found


def _renewal(session: Session, agreement_id: UUID) -> UUID | None:
    return session.exec(select(SharingAgreement.id).where(SharingAgreement.renews == agreement_id)).first()


def _seen(row: SharingAgreement, on: date, *, is_renewed: bool) -> AgreementSeen:
    term = Term(row.in_force_from, row.in_force_to, row.review_on, row.ended_on)
    return AgreementSeen.of(row, force=term.on(on), is_renewed=is_renewed)


def _note(session: Session, agreement_id: UUID, act: str, *, by: Actor, at: datetime, **detail: object) -> None:
    session.add(AgreementEvent(agreement_id=agreement_id, at=at, actor=by.id, act=act, detail=detail))
