"""The authority matrix: who may make which outcome (R39). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from rules.errors import NeedsManager, NotPermitted
from rules.permissions import Actor, check_may_decide


class Grade(StrEnum):
    """With whose authority somebody decides, the least first."""

    DECISION_MAKER = "DECISION_MAKER"
    MANAGER = "MANAGER"


def grade_of(actor: Actor) -> Grade:
    """With whose authority a decision maker signs."""
    return Grade.MANAGER if actor.manager_authority else Grade.DECISION_MAKER


def beyond(outcomes: Iterable[str], matrix: Mapping[str, Grade], actor: Actor) -> list[str]:
    """Those of the outcomes that need more authority than this actor has, each once and in their order.

    An outcome that the matrix does not name is every decision maker's to make.
    """
    if grade_of(actor) is Grade.MANAGER:
        return []
    return [code for code in dict.fromkeys(outcomes) if matrix.get(code) is Grade.MANAGER]


def check_may_make(outcomes: Iterable[str], matrix: Mapping[str, Grade], actor: Actor) -> None:
    """Raises NeedsManager with the outcomes that are not this actor's to make (R39)."""
    if found := beyond(outcomes, matrix, actor):
        raise NeedsManager(*found)


def check_is_manager(actor: Actor) -> None:
    """Only a decision maker whom an administrator gave a manager's authority answers for one. Raises NotPermitted."""
    check_may_decide(actor)
    if grade_of(actor) is not Grade.MANAGER:
        raise NotPermitted("only a manager does this: somebody with a manager's authority")
