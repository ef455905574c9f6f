"""What a threshold decision must hold (R35, R40). Pure: takes plain values, gives what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.errors import FieldError
from rules.people import Side

#: Consent states under which early help may be shared onward (seed L215, R40).
CONSENT_GIVEN = frozenset({"GIVEN_WRITTEN", "GIVEN_VERBAL", "NOT_REQUIRED_STATUTORY"})


@dataclass(frozen=True)
class OutcomeRule:
    """What an outcome code stands for: its sides, whether the threshold must be met for it, and consent."""

    code: str
    sides: frozenset[Side]
    threshold_met: bool | None
    needs_consent: bool


@dataclass(frozen=True)
class Proposed:
    """A decision as proposed for one subject of one side."""

    side: Side
    threshold_met: bool
    outcome: str
    level_of_need: str
    consent: str | None


def problems(
    proposed: Proposed, outcomes: Mapping[str, OutcomeRule], levels: Iterable[str], consents: Iterable[str], at: str
) -> list[FieldError]:
    """What is wrong with a proposed decision; `at` is the pointer of the decision in its document."""
    found = []
    rule = outcomes.get(proposed.outcome)
    if rule is None or proposed.side not in rule.sides:
        allowed = ", ".join(sorted(code for code, other in outcomes.items() if proposed.side in other.sides))
        found.append(FieldError(f"{at}/outcome", f"not an outcome for this side: use one of {allowed}"))
    elif rule.threshold_met is not None and rule.threshold_met != proposed.threshold_met:
        met = "needs the threshold to be met" if rule.threshold_met else "is for a threshold that is not met"
        found.append(FieldError(f"{at}/outcome", f"{rule.code} {met}"))
    if proposed.level_of_need not in set(levels):
        found.append(FieldError(f"{at}/level_of_need", f"use one of {', '.join(levels)}"))
    if rule and rule.needs_consent and proposed.consent is None:
        found.append(FieldError(f"{at}/consent", f"{rule.code} is shared onward only with consent: say how it stands"))
    if proposed.consent is not None and proposed.consent not in set(consents):
        found.append(FieldError(f"{at}/consent", f"use one of {', '.join(consents)}"))
    return found


def may_be_shared_onward(rule: OutcomeRule, consent: str | None) -> bool:
    """Whether the duty team may pass this outcome on now, or must have consent first."""
    return not rule.needs_consent or consent in CONSENT_GIVEN
