"""Who says that somebody still works here, and what happens when nobody does (R47)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.errors import NotFound, NotPermitted
from rules.permissions import Actor, Role


class Standing(StrEnum):
    """How long ago somebody's account was confirmed."""

    CONFIRMED = "CONFIRMED"
    DUE_SOON = "DUE_SOON"
    STALE = "STALE"
    OVER = "OVER"


@dataclass(frozen=True)
class Care:
    """How often an account is to be confirmed; for how long it still opens when it was not; how early one is asked."""

    every: timedelta
    grace: timedelta
    early: timedelta = timedelta(days=14)

    def due_at(self, confirmed_at: datetime) -> datetime:
        """By when the account is to be confirmed again."""
        return confirmed_at + self.every

    def ends_at(self, confirmed_at: datetime) -> datetime:
        """When it is disabled, should nobody confirm it."""
        return self.due_at(confirmed_at) + self.grace

    def standing(self, confirmed_at: datetime, at: datetime) -> Standing:
        """Where an account stands at a moment."""
        if at >= self.ends_at(confirmed_at):
            return Standing.OVER
        if at >= self.due_at(confirmed_at):
            return Standing.STALE
        return Standing.DUE_SOON if at >= self.due_at(confirmed_at) - self.early else Standing.CONFIRMED


def answers_for(actor: Actor, account: Actor, managers: Mapping[str, Set[str]]) -> bool:
    """Whether this actor says that the person of an account still works there; nobody says it of themselves.

    An agency's named managers do; for whom no other manager is named, and for everybody else, an administrator does.
    `managers` holds the ids of each agency's managers in use.
    """
    if actor.id == account.id or not actor.is_person or not account.is_person:
        return False
    of_agency = managers.get(account.agency or "", frozenset()) - {account.id}
    if actor.role is Role.ACCOUNT_ADMIN:
        return not of_agency
    return actor.id in of_agency and actor.agency == account.agency


def check_answers_for(actor: Actor, account: Actor, managers: Mapping[str, Set[str]]) -> None:
    """Raises NotFound for an account that is not this actor's to confirm: they may not learn that it exists."""
    if not answers_for(actor, account, managers):
        raise NotFound("there is no such account")


def check_manages(actor: Actor) -> None:
    """Raises NotPermitted for whoever is not their agency's named manager."""
    if not (actor.manages_colleagues and actor.role is Role.AGENCY and actor.is_person):
        raise NotPermitted("only your agency's named manager sees this: your administrator can tell you who that is")
