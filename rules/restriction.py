"""Restricted referrals: who looks after them, whom they may name, and when somebody looks again (S-5)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from rules.errors import FieldError, NotAcceptable, NotPermitted
from rules.permissions import Actor, Role, check_may_decide, is_reader_of_assessment

#: As councils review their locked records (reliability §1: Nottingham).
REVIEW_AFTER = timedelta(days=90)


def check_may_look_after(actor: Actor) -> None:
    """Duty teams and decision makers name people, review and lift. Raises NotPermitted."""
    if actor.role is not Role.DUTY_TEAM:
        check_may_decide(actor)


def check_can_be_named(actor: Actor, said: str, pointer: str) -> None:
    """A person who would see referrals if none were restricted; never a system. Raises NotAcceptable."""
    works = actor.role in {Role.AGENCY, Role.DUTY_TEAM} or is_reader_of_assessment(actor)
    if not (actor.is_person and works):
        raise NotAcceptable(FieldError(pointer, f"{said} is nobody who works on referrals"))


def check_is_looked_after(named: Collection[Actor], originator: str, pointer: str) -> None:
    """Somebody named can decide, and somebody of the originator take the outcome. Raises NotAcceptable."""
    if not any(_decides(actor) for actor in named):
        raise NotAcceptable(FieldError(pointer, "name at least one decision maker: nobody else could decide"))
    if not any(actor.is_person and actor.duty_team == originator for actor in named):
        raise NotAcceptable(FieldError(pointer, "name somebody of the duty team: nobody else could take the outcome"))


def review_due(at: datetime) -> datetime:
    """When somebody must look whether a restriction is still needed. `at` is aware UTC."""
    return at + REVIEW_AFTER


def _decides(actor: Actor) -> bool:
    try:
        check_may_decide(actor)
    except NotPermitted:
        return False
    return True
