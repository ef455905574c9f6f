"""The two kinds of failure, and the refusals a person can meet.

A message names references and codes only, never a person: it reaches logs and the engine's screens (R51).
"""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """The rules say no: trying again will not help, a person must act. Never retried."""


class WrongStage(Refused):
    """The referral, check or notice is not at a stage that allows this."""


class NotPermitted(Refused):
    """This actor may not do this."""


class NeedsManager(NotPermitted):
    """These outcomes need a manager's authority, which this actor does not have (R39). Carries their codes."""

    def __init__(self, *outcomes: str) -> None:
        super().__init__(f"a manager decides on {', '.join(outcomes)}: send the referral to a manager")
        self.outcomes = outcomes


class NotFound(Refused):
    """There is no such thing, or this actor may not know that there is."""


class Conflict(Refused):
    """Somebody else changed it first, or the same id was used for something else."""


@dataclass(frozen=True)
class FieldError:
    """One field that was not acceptable: a JSON pointer such as `/subjects/0/nhs_number`, and a plain sentence."""

    pointer: str
    detail: str


class NotAcceptable(Refused):
    """What was sent breaks rules that its form alone does not show. Carries every bad field at once."""

    def __init__(self, *fields: FieldError) -> None:
        super().__init__("; ".join(field.pointer for field in fields))
        self.fields = fields


class Misconfigured(Refused):
    """A setting or profile is wrong. The message says which file or key, and what to do."""


class Unavailable(Exception):
    """Something outside did not answer. Trying again may help."""


class OutcomeUnknown(Unavailable):
    """The record fell silent while it was saving: it may have saved, or not. Look before trying again (F9)."""
