"""Restricted referrals: hidden from everybody but named people, reviewed after 90 days, lifted with a reason (S-5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework import hidden, ledger, referrals, signin
from casework.follow import Seen
from casework.ledger import Act
from casework.notices import say, to_account
from casework.register import check_code
from casework.restriction_documents import NamedDocument, RemovedDocument, RestrictionDocument, WhyDocument
from models.account import Account
from models.keyed import keyed_digest
from models.referral import Referral
from models.restriction import NamedPerson, Restriction
from notifications.messages import MessageName
from rules.errors import FieldError, NotAcceptable, NotFound, WrongStage
from rules.permissions import Actor, Role, check_may_decide
from rules.restriction import check_can_be_named, check_is_looked_after, check_may_look_after, review_due
from rules.stages import Stage


class RestrictedReferral(Seen):
    """A restricted referral in the list of somebody who is named in it."""

    reference: str
    stage: Stage
    received_at: datetime
    ground: str
    review_due_at: datetime
    overdue: bool = Field(description="Nobody has looked in time whether the restriction is still needed")


class PersonNamed(Seen):
    """Somebody who may know of a restricted referral."""

    account: str
    name: str
    role: Role
    agency: str | None
    duty_team: str | None
    until: datetime | None = Field(description="Until when, for whoever broke the glass; null for who is named")


class RestrictionSeen(RestrictedReferral):
    """A restriction, for those who are named in it."""

    reason: str
    restricted_at: datetime
    people: list[PersonNamed]
    unheard: list[str] = Field(description="Agencies that were asked, and of which nobody is named")
    may_look_after: bool


class Named(NamedTuple):
    """A person and how they came to be named."""

    row: NamedPerson
    account: Account


def restrict(session: Session, reference: str, document: RestrictionDocument, *, by: Actor, at: datetime) -> None:
    """A decision maker hides a referral from everybody but themselves and those named.

    Raises NotFound, NotPermitted, WrongStage when it is restricted already, NotAcceptable for an unknown ground, and
    for people who are not enough to end it: somebody must decide, and somebody of the duty team take the outcome.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    begin(session, referral, document, "", by=by, at=at)


def begin(
    session: Session, referral: Referral, document: RestrictionDocument, within: str, *, by: Actor, at: datetime
) -> None:
    """Restrict a referral that is locked, or new; `within` is where the document stands in a larger one.

    The sender's id of a hidden referral is nobody else's to run into: it is kept as a digest that only the same sender
    finds again, whoever restricts it.
    """
    if in_force(session, referral.reference):
        raise WrongStage(f"referral {referral.reference} is restricted already")
    check_code(document.ground, "restriction_ground", f"{within}/ground")
    place = f"{within}/named"
    others = [_to_name(session, who, f"line {line}", place) for line, who in enumerate(document.named, start=1)]
    ids = list(dict.fromkeys([by.id, *(account.id for account in others)]))
    check_is_looked_after([by, *(account.as_actor() for account in others)], referral.duty_team, place)
    ledger.write(
        session, referral.reference, Act.RESTRICTED, by=by, at=at, content={"reason": document.reason},
        ground=document.ground, named=ids,
    )  # fmt: skip
    if not _was_restricted(session, referral.reference):
        sender = ledger.entries(session, referral.reference)[0].actor
        referral.sender_id = own_id(referral.sender_id, sender)
        session.add(referral)
    made = Restriction(
        reference=referral.reference, ground=document.ground, reason=document.reason, restricted_by=by.id,
        restricted_at=at, review_due_at=review_due(at),
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(NamedPerson(restriction_id=made.id, account_id=each, named_by=by.id, named_at=at) for each in ids)
    session.flush()
    for each in ids[1:]:
        _tell(session, referral.reference, each, at)


def own_id(sender_id: str, account_id: str) -> str:
    """How the sender's id of a restricted referral is kept."""
    return keyed_digest("sender", f"{account_id}/{sender_id}")


def name(session: Session, reference: str, document: NamedDocument, *, by: Actor, at: datetime) -> None:
    """One more person may know of it, and is told so. Raises NotFound, NotPermitted, NotAcceptable."""
    found = _to_look_after(session, reference, by)
    account = _to_name(session, document.who, "this", "/who")
    if account.id in {each.account.id for each in people(session, found) if each.row.until is None}:
        raise NotAcceptable(FieldError("/who", "is named already"))
    ledger.write(session, reference, Act.PERSON_NAMED, by=by, at=at, account=account.id)
    session.add(NamedPerson(restriction_id=found.id, account_id=account.id, named_by=by.id, named_at=at))
    _tell(session, reference, account.id, at)


def remove(session: Session, reference: str, document: RemovedDocument, *, by: Actor, at: datetime) -> None:
    """A person may know of it no longer, from their next request on. Raises NotFound, NotPermitted, NotAcceptable."""
    found = _to_look_after(session, reference, by)
    named = people(session, found)
    gone = [each for each in named if each.account.id == document.person]
    if not gone:
        raise NotAcceptable(FieldError("/person", "is not named"))
    left = [each.account.as_actor() for each in named if each not in gone and each.row.until is None]
    check_is_looked_after(left, referrals.find(session, reference).duty_team, "/person")
    ledger.write(session, reference, Act.PERSON_REMOVED, by=by, at=at, account=document.person)
    for each in gone:
        each.row.removed_at = at
        session.add(each.row)


def review(session: Session, reference: str, document: WhyDocument, *, by: Actor, at: datetime) -> None:
    """Somebody named has looked, and it is still needed: the next look is due in 90 days. Raises as `name`."""
    found = _to_look_after(session, reference, by)
    found.review_due_at = review_due(at)
    session.add(found)
    ledger.write(session, reference, Act.RESTRICTION_REVIEWED, by=by, at=at, content={"reason": document.reason})


def lift(session: Session, reference: str, document: WhyDocument, *, by: Actor, at: datetime) -> None:
    """From now on the referral is seen as any other. Raises as `name`."""
    found = _to_look_after(session, reference, by)
    found.lifted_at, found.lifted_by, found.lifted_because = at, by.id, document.reason
    session.add(found)
    ledger.write(session, reference, Act.RESTRICTION_LIFTED, by=by, at=at, content={"reason": document.reason})


def mine(session: Session, *, by: Actor, at: datetime) -> list[RestrictedReferral]:
    """The restricted referrals in which this actor is named, those first whose review is due the soonest (S-5)."""
    query = (
        select(Restriction, Referral)
        .join(Referral, col(Referral.reference) == col(Restriction.reference))
        .where(col(Restriction.lifted_at).is_(None), hidden.is_named(by.id))
        .order_by(col(Restriction.review_due_at), col(Restriction.reference))
    )
    return [_row(restriction, referral, at) for restriction, referral in session.exec(query)]


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> RestrictionSeen:
    """A restriction and the people named in it. Raises NotFound for everybody else."""
    restriction, referral = _own(session, reference, by), referrals.find(session, reference)
    named = people(session, restriction)
    told = {each.account.agency for each in named}
    asked = [check.agency for check in referrals.checks(session, reference)]
    return RestrictionSeen(
        **_row(restriction, referral, at).model_dump(), reason=restriction.reason,
        restricted_at=restriction.restricted_at,
        people=[_person(each) for each in named],
        unheard=[agency for agency in asked if agency not in told] if by.role is not Role.AGENCY else [],
        may_look_after=_looks_after(by, named),
    )  # fmt: skip


def in_force(session: Session, reference: str) -> Restriction | None:
    """The restriction that hides a referral now, if one does."""
    query = select(Restriction).where(Restriction.reference == reference, col(Restriction.lifted_at).is_(None))
    return session.exec(query).first()


def _was_restricted(session: Session, reference: str) -> bool:
    return session.exec(select(Restriction.id).where(Restriction.reference == reference)).first() is not None


def people(session: Session, restriction: Restriction) -> list[Named]:
    """Who may know of a restricted referral at this moment, in the order in which they were named."""
    query = (
        select(NamedPerson, Account)
        .join(Account, col(Account.id) == col(NamedPerson.account_id))
        .where(
            NamedPerson.restriction_id == restriction.id,
            col(NamedPerson.removed_at).is_(None),
            col(NamedPerson.until).is_(None) | (col(NamedPerson.until) > sa.func.mash_now()),
        )
        .order_by(col(NamedPerson.named_at), col(NamedPerson.account_id))
    )
    return [Named(row, account) for row, account in session.exec(query)]


def _to_look_after(session: Session, reference: str, by: Actor) -> Restriction:
    """The restriction, its referral locked, for somebody who was named for good and may change it."""
    referrals.lock(session, reference)
    found = _own(session, reference, by)
    if not _looks_after(by, people(session, found)):
        check_may_look_after(by)
        raise NotFound("there is no such restriction")
    return found


def _looks_after(by: Actor, named: Sequence[Named]) -> bool:
    return by.role in {Role.DUTY_TEAM, Role.DECISION_MAKER} and any(
        each.account.id == by.id and each.row.until is None for each in named
    )


def _own(session: Session, reference: str, by: Actor) -> Restriction:
    found = in_force(session, reference)
    if found is None or by.id not in {each.account.id for each in people(session, found)}:
        raise NotFound("there is no such restriction")
    return found


def _to_name(session: Session, who: str, said: str, place: str) -> Account:
    query = select(Account).where(
        (col(Account.email_digest) == signin.email_digest(who)) | (col(Account.id) == who),
        col(Account.disabled_at).is_(None),
    )
    account = session.exec(query).first()
    if account is None:
        raise NotAcceptable(FieldError(place, f"{said} is nobody's: give the address or the code of an account in use"))
    check_can_be_named(account.as_actor(), said, place)
    return account


def _tell(session: Session, reference: str, account_id: str, at: datetime) -> None:
    say(
        session, MessageName.RESTRICTED_NAMED, to_account(account_id),
        at=at, reference=reference, occasion=at.isoformat(),
    )  # fmt: skip


def _row(restriction: Restriction, referral: Referral, at: datetime) -> RestrictedReferral:
    return RestrictedReferral.of(
        restriction, stage=referral.stage, received_at=referral.received_at, overdue=restriction.review_due_at < at
    )


def _person(named: Named) -> PersonNamed:
    account = named.account
    return PersonNamed.of(account, account=account.id, name=account.display_name or account.id, until=named.row.until)
