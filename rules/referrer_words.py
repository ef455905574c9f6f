"""A ready text for the duty team's feedback to whoever told it, in which nothing stands that must not go on (R45)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.release import Reader, may_reach

#: Sources who are no professionals (set referral_source): they learn that it was dealt with, not how.
PRIVATE_SOURCES = frozenset({"1A", "1B", "1C", "1D", "9", "10"})
_THANKS = "Thank you for telling us about your worry."
_LOOKED_AT = "We have looked at it, and follow it up as our procedures say."
_DECIDED = "We asked our partner agencies, looked at it together, and decided what should happen next."
_AGAIN = "If anything changes, or you are still worried, please tell us again."


def words_for_referrer(
    outcomes: Sequence[Mapping[str, Any]], released: Sequence[Mapping[str, Any]], *, source: str
) -> str:
    """The text, for the duty team to make its own.

    `outcomes` are those that the team was told, `released` the items of returns that it may read. Of these, only what
    its agency let go as far as the referrer is in the text, and nothing that a third party told. Names nobody.
    """
    if not any(outcome["decided"] for outcome in outcomes):
        return f"{_THANKS} {_LOOKED_AT} We cannot tell you more. {_AGAIN}"
    if source in PRIVATE_SOURCES:
        return f"{_THANKS} {_DECIDED} We cannot share what they told us. {_AGAIN}"
    labels = sorted({outcome["label"] for outcome in outcomes if outcome["decided"]})
    told = [item["text"] for item in released if may_reach(item, Reader.REFERRER)]
    may_say = "".join(f"\n\nWe may tell you: {text}" for text in told)
    more = "any more of what they told us" if told else "what they told us"
    return f"{_THANKS} {_DECIDED} This follows: {'; '.join(labels)}.{may_say}\n\nWe cannot share {more}. {_AGAIN}"
