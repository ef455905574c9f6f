"""Whom a letter reaches in place of a shared mailbox, when not everybody who reads there may know of its referral.

People alone are told, at their own addresses: of a restricted referral those who are named in it, and where somebody
has declared a conflict of interest, their colleagues (S-5, S-6).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.account import Account
from models.restriction import InterestConflict, NamedPerson, Restriction
from notifications.messages import MessageName
from rules.permissions import Actor, is_reader_of_assessment


class Instead(NamedTuple):
    """What is said to whom, by account, in place of a letter."""

    message: MessageName
    accounts: list[str]


def not_for_everybody(session: Session, references: Collection[str]) -> set[str]:
    """Those of the referrals of which somebody who reads a shared mailbox might not know."""
    hidden = select(Restriction.reference).where(
        col(Restriction.lifted_at).is_(None), col(Restriction.reference).in_(references)
    )
    near = select(InterestConflict.reference).where(col(InterestConflict.reference).in_(references))
    return {*session.exec(hidden), *session.exec(near)} if references else set()


def instead_of(session: Session, reference: str, message: str, recipient: str) -> Instead | None:
    """Who is to be told in place of a recipient; None when the recipient may be. `accounts` may be empty."""
    near = set(session.exec(select(InterestConflict.account_id).where(InterestConflict.reference == reference)))
    named = _named(session, reference)
    kind, _, code = recipient.partition(":")
    if kind == "account":
        may = code not in near and (named is None or code in {person.id for person in named})
        return None if may else Instead(MessageName(message), [])
    if named is None:
        return _of_those_left(session, message, kind, code, near) if near else None
    told = _of(kind, code, [person for person in named if person.id not in near])
    if told:
        return Instead(MessageName(message), told)
    return Instead(MessageName.NOBODY_TO_TELL, _of("mash", "", [person for person in named if person.id not in near]))


def _of_those_left(session: Session, message: str, kind: str, code: str, near: Collection[str]) -> Instead | None:
    """Where somebody has stepped back, the mailbox that they read is passed by: managers, or else others, are told."""
    people = list(session.exec(_in_use()))
    left = [person for person in people if person.id not in near]
    if not _of(kind, code, [person for person in people if person.id in near]):
        return None
    told = _of(kind, code, [person for person in left if person.manages_colleagues]) or _of(kind, code, left)
    return Instead(MessageName(message), told) if told else Instead(MessageName.NOBODY_TO_TELL, _of("mash", "", left))


def _of(kind: str, code: str, people: Collection[Account]) -> list[str]:
    """Those who read the mailbox of an agency, of a duty team, or of the hub."""
    return [person.id for person in people if _reads(person.as_actor(), kind, code)]


def _reads(actor: Actor, kind: str, code: str) -> bool:
    if kind == "agency":
        return actor.agency == code
    if kind == "duty":
        return actor.duty_team == code
    return is_reader_of_assessment(actor)


def _named(session: Session, reference: str) -> list[Account] | None:
    """The people named in the restriction of a referral who have an account in use; None when it has no restriction.

    Whoever is let in for an hour is not written to.
    """
    query = select(Restriction.id).where(Restriction.reference == reference, col(Restriction.lifted_at).is_(None))
    restriction = session.exec(query).first()
    if restriction is None:
        return None
    named = select(NamedPerson.account_id).where(
        NamedPerson.restriction_id == restriction,
        col(NamedPerson.removed_at).is_(None),
        col(NamedPerson.until).is_(None),
    )
    return list(session.exec(_in_use().where(col(Account.id).in_(named))))


def _in_use() -> SelectOfScalar[Account]:
    return select(Account).where(col(Account.is_person), col(Account.disabled_at).is_(None)).order_by(Account.id)
