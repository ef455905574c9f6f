"""What the `mash` command says about referrals, in words for a terminal."""

from __future__ import annotations

from typing import Any


def in_words(found: Any) -> str:
    """One referral, or a list of them, as lines of text: references, stages and codes alone."""
    if "referrals" in found:
        lines = [_line(referral) for referral in found["referrals"]]
        return "\n".join(lines) or "No referral is open."
    return "\n".join([_line(found), *_times(found)])


def _line(referral: dict[str, Any]) -> str:
    waiting = referral.get("waiting")
    why = f"  ({waiting})" if waiting else ""
    return f"{referral['reference']}  {referral['stage']:<20} {referral['whose_move']}{why}"


def _times(referral: dict[str, Any]) -> list[str]:
    return [
        f"  {name.removesuffix('_at').replace('_', ' ')}: {at}" for name, at in referral.items() if _is_time(name, at)
    ]


def _is_time(name: str, at: Any) -> bool:
    return name.endswith("_at") and isinstance(at, str)
