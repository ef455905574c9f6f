"""How urgent a referral is to the hub, beside the band that its clocks run on (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from rules.errors import WrongStage
from rules.stages import UNDECIDED, Stage

#: Where there is something to discuss.
_DISCUSSED_AT = frozenset({Stage.CHECKING, Stage.AWAITING_DECISION})
_BANDS_AT_MOST = 100


class UrgencyRating(StrEnum):
    """The ratings, the most urgent first: so every queue is ordered. Their labels are the code set urgency_rating."""

    RED = "RED"
    AMBER = "AMBER"
    GREEN = "GREEN"


def lane(rating: UrgencyRating, band: str, bands: Sequence[str]) -> UrgencyRating:
    """How urgent a referral is among all whose run is due: as the MASH team rates it, or as its band says, if that is
    more. `bands` are the area's, the most urgent first: the first of several is red, the last green. A lone one says
    nothing.
    """
    ranks = list(UrgencyRating)
    by_band = UrgencyRating.GREEN
    if band in bands[:-1]:
        by_band = UrgencyRating.AMBER if bands.index(band) else UrgencyRating.RED
    return min(rating, by_band, key=ranks.index)


def place(rating: UrgencyRating, band: str, bands: Sequence[str]) -> int:
    """Where a check stands in its agency's queue, the lowest first: by the MASH team's rating, then by its band's place
    among `bands`, the area's (R10). A band that is not among them comes after all that are.
    """
    after = bands.index(band) if band in bands else len(bands)
    return list(UrgencyRating).index(rating) * _BANDS_AT_MOST + after


def board_place(rating: UrgencyRating, stage: Stage) -> int:
    """Where a referral stands on the board, the lowest first: by its rating, in tens; of one rating what waits for a
    decision comes first (R10).
    """
    return list(UrgencyRating).index(rating) * 10 + (1 if stage is Stage.AWAITING_DECISION else 2)


def check_can_be_rated(stage: Stage, what: str) -> None:
    """Urgency is changed before the decision. Raises WrongStage, naming `what` this is about."""
    if stage not in UNDECIDED:
        raise WrongStage(f"{what} is {stage}: its urgency changes nothing any more")


def check_can_be_discussed(stage: Stage, what: str) -> None:
    """A discussion is called for while agencies are asked, or a decision is waited for. Raises WrongStage."""
    if stage not in _DISCUSSED_AT:
        raise WrongStage(f"{what} is {stage}: there is nothing to discuss now")
