"""Who opens accounts, and for which addresses (R47, R64)."""

from __future__ import annotations

from collections.abc import Collection

from rules.errors import FieldError, NotAcceptable, NotPermitted
from rules.permissions import Actor, Role

#: The roles that an administrator gives; what the hub does itself is nobody's role.
GIVEN = frozenset(Role) - {Role.HUB}
STAFF = frozenset({Role.MASH_SUPPORT, Role.DECISION_MAKER})


def check_may_administer(actor: Actor, account_id: str | None = None) -> None:
    """An account administrator, signed in as a person, on anybody's account but their own. Raises NotPermitted."""
    if actor.role is not Role.ACCOUNT_ADMIN or not actor.is_person:
        raise NotPermitted("only an account administrator may do this")
    if actor.id == account_id:
        raise NotPermitted("nobody changes their own account: ask another administrator")


def check_may_read_register(actor: Actor) -> None:
    """Administrators keep what the area has agreed, and information governance reads it. Raises NotPermitted."""
    if actor.role not in {Role.ACCOUNT_ADMIN, Role.IG_LEAD} or not actor.is_person:
        raise NotPermitted("only an administrator or the information-governance lead sees this")


def check_may_govern(actor: Actor) -> None:
    """The information-governance lead, signed in as a person (R58). Raises NotPermitted."""
    if actor.role is not Role.IG_LEAD or not actor.is_person:
        raise NotPermitted("only the information-governance lead sees this")


def check_domain(address: str, domains: Collection[str]) -> None:
    """An address must be of the body that the account is for, to the letter (S-9). Raises NotAcceptable."""
    _, _, domain = address.rpartition("@")
    if domain.lower() not in domains:
        allowed = " or ".join(sorted(domains)) or "none: the area profile names no address of this body"
        raise NotAcceptable(FieldError("/email", f"use an address of this body: at {allowed}"))
