"""How long a referral is kept, and who lets it go (R51).

The periods are the area's own, in its profile; a legal hold wins over all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from rules.errors import Conflict, NotPermitted
from rules.people import Side
from rules.permissions import Actor, Role


class Kind(StrEnum):
    """The kinds of referral, each with a period of its own."""

    CHILD_REFERRAL = "child_referral"
    ADULT_REFERRAL = "adult_referral"
    RETURNED_AT_ONCE = "returned_at_once"


def kind_of(sides: Collection[Side], was_asked: bool, days: Mapping[Kind, int]) -> Kind:
    """Of which kind a referral about these sides is; of the one that is kept longer when it is about both.

    `was_asked`: whether any agency was. `days` are the periods of the schedule.
    """
    if not was_asked:
        return Kind.RETURNED_AT_ONCE
    kinds = [Kind.CHILD_REFERRAL if side is Side.CHILD else Kind.ADULT_REFERRAL for side in Side if side in sides]
    return max(kinds or [Kind.CHILD_REFERRAL, Kind.ADULT_REFERRAL], key=lambda kind: days[kind])


def kept_until(closed_at: datetime, days: int) -> datetime:
    """From when on a referral that was closed at that moment is not to be kept any more."""
    return closed_at + timedelta(days=days)


def check_may_see_schedule(actor: Actor) -> None:
    """The information-governance lead and administrators, by reference and code alone. Raises NotPermitted."""
    if actor.role not in {Role.IG_LEAD, Role.ACCOUNT_ADMIN} or not actor.is_person:
        raise NotPermitted("only the information-governance lead or an administrator does this")


def check_may_hold(actor: Actor) -> None:
    """Only the information-governance lead, signed in as a person, sets and lifts a legal hold. Raises NotPermitted."""
    if actor.role is not Role.IG_LEAD or not actor.is_person:
        raise NotPermitted("only the information-governance lead sets and lifts a legal hold")


def check_second(first: str, actor: Actor) -> None:
    """Two people agree to an erasure, and nobody is both of them (S-27). Raises Conflict."""
    if first == actor.id:
        raise Conflict("you agreed to this list already: a second person has to")
