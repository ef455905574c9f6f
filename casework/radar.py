"""Repeat contact: earlier referrals of the same people are found, and a person confirms or dismisses them (R14).

Nothing is merged and nothing is copied. What a reader may not know of is neither shown nor counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from casework import hidden, ledger, referrals
from casework.db import keep_plans
from casework.follow import Seen
from casework.ledger import Act
from casework.radar_documents import ContactDocument
from models.base import unseal
from models.keyed import keyed_digest
from models.keyring import Keyring, keyring
from models.radar import ContactAnswer, EarlierContact, RadarKey
from models.referral import Referral, Subject
from rules import radar
from rules.errors import FieldError, NotAcceptable
from rules.permissions import Actor, check_may_run_process
from rules.radar import Level, Match, Person, Sign

#: How many records that share a key are compared at most: those that share the most come first.
_MOST_COMPARED = 1_000
#: How many that nobody has answered are shown at most, since a hostel's door is behind hundreds. More are kept: what is
#: hidden from a reader takes nobody's place.
_MOST_SHOWN, _MOST_KEPT = 20, 200
#: As long as is needed to tell ten million people apart; whoever shares one by chance is compared, and that is all.
_KEY_BYTES = 8
_YEAR = timedelta(days=365)
#: What of somebody is sealed, and opened to be compared.
_COMPARED = {
    "given_name": col(Subject.given_name), "family_name": col(Subject.family_name),
    "born_on": col(Subject.born_on_sealed), "nhs_number": col(Subject.nhs_number), "address": col(Subject.address),
}  # fmt: skip


class ContactSeen(Seen):
    """An earlier referral that may be about the same people, and why; never what it says."""

    id: UUID
    subject: str = Field(description="Who of this referral: S1, S2 …")
    earlier_reference: str
    earlier_subject: str
    received_at: datetime = Field(description="When the earlier referral came")
    level: Level = Field(description="PROBABLE or POSSIBLE: the same person. HOUSEHOLD: another of one household")
    score: int = Field(description="The weights of all signs together")
    reasons: str = Field(description="What speaks for it, and what against, in words")
    answer: ContactAnswer | None
    answered_at: datetime | None
    answered_by: str | None


class EarlierSeen(Seen):
    """What was found of one referral's people: what nobody has answered first, then the nearest, then the newest."""

    reference: str
    contacts: list[ContactSeen]
    in_a_year: int = Field(
        description="Referrals of the same person in the 12 months before this one, the most that any of its people "
        "has: those confirmed, and the probable ones that nobody has dismissed"
    )


class _Found(NamedTuple):
    """Two subjects beside each other."""

    subject: Subject
    earlier_id: UUID
    earlier_reference: str
    match: Match


def note(session: Session, reference: str) -> None:
    """Keep by what everybody in a referral is looked for, in place of what was kept of them before."""
    session.flush()
    people = referrals.subjects(session, reference)
    session.execute(sa.delete(RadarKey).where(col(RadarKey.subject_id).in_([each.id for each in people])))
    session.add_all(
        RadarKey(subject_id=subject.id, kind=kind, key=key)
        for subject, person in _described(people)
        for kind, key in keys_of(person).items()
    )


def keys_of(person: Person) -> dict[str, bytes]:
    """By what a person is looked for, by kind: digests under the hub's key, which hold no name."""
    return {kind: bytes.fromhex(keyed_digest("radar", text))[:_KEY_BYTES] for kind, text in radar.keys(person).items()}


def look(session: Session, reference: str, *, at: datetime) -> None:
    """Find the earlier referrals of everybody in a referral, which is locked; what a person has answered stays.

    It looks among all there are, whoever may know of them: that is asked when somebody reads. Safe to repeat.
    """
    with hidden.unhidden(session):
        session.flush()
        referral = referrals.find(session, reference)
        own = select(EarlierContact).where(EarlierContact.reference == reference)
        answered = set()
        for row in session.exec(own):
            if row.answer is None:
                session.delete(row)
            else:
                answered.add((row.subject_id, row.earlier_subject_id))
        session.flush()
        found = _worth_showing(
            each
            for subject, person in _described(referrals.subjects(session, reference))
            for each in (_Found(subject, *near) for near in near_to(session, person, before=referral))
        )
        session.add_all(
            EarlierContact(
                reference=reference, subject_id=each.subject.id, earlier_subject_id=each.earlier_id, found_at=at,
                level=each.match.level, score=each.match.score, signs=list(each.match.signs),
            )
            for each in found
            if (each.subject.id, each.earlier_id) not in answered
        )  # fmt: skip


def near_to(session: Session, person: Person, *, before: Referral) -> Iterator[tuple[UUID, str, Match]]:
    """Who is near to a person in the referrals that came before one: the subject's id, the reference, and how near."""
    keep_plans(session)
    keys = keyring()
    for row in session.execute(_sharing_a_key(before, list(keys_of(person).values()))).mappings():
        if match := radar.compare(person, _person(row, keys)):
            yield row["id"], row["reference"], match


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> EarlierSeen:
    """What was found, for the MASH team: of the earlier referrals those that this reader may know of.

    References and codes; opening an earlier referral is a reading of its own. Raises NotFound, NotPermitted.
    """
    check_may_run_process(by)
    referral = referrals.find(session, reference)
    contacts = sorted((seen for _, seen in _shown(session, reference)), key=_place)
    unanswered = [each for each in contacts if each.answer is None]
    return EarlierSeen(
        reference=reference,
        # Whoever answers sees what they have answered.
        contacts=[*unanswered[:_MOST_SHOWN], *contacts[len(unanswered) :]],
        in_a_year=_in_a_year(contacts, referral.received_at),
    )


def answer(session: Session, reference: str, document: ContactDocument, *, by: Actor, at: datetime) -> None:
    """A person's word on one of those found; it may be changed, and each is in the ledger. The same again: nothing.

    The entry names what was found by its id alone, so that the ledger of one referral does not tell of another that its
    readers may not know of; where the earlier one is restricted, the entry stands in that one's ledger. Raises
    NotFound, NotPermitted, and NotAcceptable for one that is not there, or not for this reader.
    """
    check_may_run_process(by)
    referrals.lock(session, reference)
    found = next((pair for pair in _shown(session, reference) if pair[0].id == document.contact), None)
    if found is None:
        raise NotAcceptable(FieldError("/contact", "is none of those found for this referral"))
    contact, seen = found
    if contact.answer is document.answer:
        return
    contact.answer, contact.answered_at, contact.answered_by = document.answer, at, by.id
    session.add(contact)
    act = {ContactAnswer.CONFIRMED: Act.CONTACT_CONFIRMED, ContactAnswer.DISMISSED: Act.CONTACT_DISMISSED}
    ledger.write(
        session, _told_in(session, reference, seen.earlier_reference), act[document.answer], by=by, at=at,
        contact=str(contact.id), level=contact.level, score=contact.score, signs=contact.signs,
    )  # fmt: skip


def _told_in(session: Session, reference: str, earlier: str) -> str:
    """The chain that holds a person's word: the restricted one's, whose readers are fewer; locked."""
    restricted = session.exec(select(Referral.reference).where(Referral.reference == earlier, hidden.is_restricted()))
    return referrals.lock(session, earlier).reference if restricted.first() else reference


# --- looking ---


def _described(people: Collection[Subject]) -> Iterator[tuple[Subject, Person]]:
    """Everybody as the rules compare them. Where they live is left out where it is protected from anybody (R29)."""
    protected = referrals.protected_households(people)
    for each in people:
        address = None if each.household in protected else each.address
        yield each, Person(each.given_name, each.family_name, each.born_on, each.nhs_number, address)


def _sharing_a_key(referral: Referral, keys: list[bytes]) -> sa.Select[*tuple[Any, ...]]:
    """Earlier subjects that share one of these keys, those that share the most first; with what is compared."""
    shared = (
        sa.select(col(RadarKey.subject_id).label("subject_id"), sa.func.count().label("keys"))
        .where(col(RadarKey.key).in_(keys))
        .group_by(col(RadarKey.subject_id))
        .order_by(sa.desc("keys"))
        .limit(_MOST_COMPARED)
        .subquery()
    )
    housed = aliased(Subject)
    protected = sa.exists().where(
        col(housed.reference) == col(Subject.reference),
        col(housed.household) == col(Subject.household),
        col(housed.protected_address),
    )
    before = sa.tuple_(col(Referral.received_at), col(Referral.reference)) < (referral.received_at, referral.reference)
    sealed = [sa.type_coerce(column, sa.LargeBinary).label(name) for name, column in _COMPARED.items()]
    return (
        sa.select(col(Subject.id), col(Subject.reference), *sealed, protected.label("protected"))
        .join(shared, shared.c.subject_id == col(Subject.id))
        .join(Referral, col(Referral.reference) == col(Subject.reference))
        .where(before, col(Referral.erased_at).is_(None))
    )


def _person(row: sa.RowMapping, keys: Keyring) -> Person:
    text = {name: unseal(row[name], keys) if row[name] else "" for name in _COMPARED}
    born = datetime.fromisoformat(text["born_on"]).date() if text["born_on"] else None
    address = None if row["protected"] else text["address"]
    return Person(text["given_name"], text["family_name"], born, text["nhs_number"], address)


def _worth_showing(found: Iterable[_Found]) -> list[_Found]:
    """The nearest: every person, and of a referral that has none of these people, but one of the household."""
    by_weight = sorted(found, key=lambda each: (each.match.level is Level.HOUSEHOLD, -each.match.score))
    kept: list[_Found] = []
    for each in by_weight:
        seen = {other.earlier_reference for other in kept}
        if each.match.level is not Level.HOUSEHOLD or each.earlier_reference not in seen:
            kept.append(each)
    return kept[:_MOST_KEPT]


# --- reading ---


def _shown(session: Session, reference: str) -> list[tuple[EarlierContact, ContactSeen]]:
    """What was found for a referral: where the earlier one is hidden from the reader, there is nothing."""
    rows = list(session.exec(select(EarlierContact).where(EarlierContact.reference == reference)))
    query = (
        select(col(Subject.id), col(Subject.number), col(Referral.reference), col(Referral.received_at))
        .join(Referral, col(Referral.reference) == col(Subject.reference))
        .where(col(Subject.id).in_([row.earlier_subject_id for row in rows]), col(Referral.erased_at).is_(None))
    )
    earlier = {found[0]: (found[1], found[2], found[3]) for found in session.exec(query)}
    own = {subject.id: subject.code for subject in referrals.subjects(session, reference)}
    return [
        (row, _seen(row, own[row.subject_id], *earlier[row.earlier_subject_id]))
        for row in rows
        if row.earlier_subject_id in earlier
    ]


def _seen(row: EarlierContact, subject: str, number: int, reference: str, received_at: datetime) -> ContactSeen:
    return ContactSeen.of(
        row, subject=subject, earlier_reference=reference, earlier_subject=f"S{number}", received_at=received_at,
        reasons=radar.in_words([Sign(sign) for sign in row.signs]),
    )  # fmt: skip


def _place(contact: ContactSeen) -> tuple[bool, int, float]:
    return contact.answer is not None, -contact.score, -contact.received_at.timestamp()


def _in_a_year(contacts: Iterable[ContactSeen], received_at: datetime) -> int:
    counted: dict[str, set[str]] = {}
    for each in contacts:
        likely = each.answer is ContactAnswer.CONFIRMED or (each.answer is None and each.level is Level.PROBABLE)
        if likely and each.level is not Level.HOUSEHOLD and each.received_at >= received_at - _YEAR:
            counted.setdefault(each.subject, set()).add(each.earlier_reference)
    return max(map(len, counted.values()), default=0)
