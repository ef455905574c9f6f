"""Who must have been part of it for a decision to be everybody's (R38). Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class QuorumRule:
    """For one side: the agencies that must take part, in the profile's order, and how many at least."""

    agencies: tuple[str, ...]
    least: int


def missing(rule: QuorumRule | None, took_part: Collection[str]) -> list[str]:
    """The agencies for want of which a decision is below quorum, in the rule's order; empty when it is not.

    Without a rule there is no quorum. Any `least` of the rule's agencies are enough.
    """
    if rule is None:
        return []
    absent = [agency for agency in rule.agencies if agency not in took_part]
    return absent if len(rule.agencies) - len(absent) < rule.least else []
