"""What stands in a path: a referral's reference, an agency's code, a version."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from rules.errors import NotFound
from rules.reference import normalise


async def _reference(
    reference: Annotated[str, Path(description="The referral's reference", examples=["7KQ2-XW9S"])],
) -> str:
    try:
        return normalise(reference)
    except ValueError:
        raise NotFound("there is no such referral") from None


#: As the hub writes it, however it was typed. What cannot be one is not found, like one that does not exist.
Reference = Annotated[str, Depends(_reference)]

AgencyCode = Annotated[str, Path(pattern="^[A-Z0-9_]{1,40}$", description="The agency's code in the area profile")]
Version = Annotated[int, Path(ge=1, le=100_000, description="A kept version of the template")]
