"""Timeliness and agreement as figures, for analysts' programs: counts, codes, and no way to a case (R25, R60, R63)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from casework.register import current_profile
from portal.credentials import AtDesk
from portal.schema import refuses
from reports import agreement, figures
from reports.definitions import definitions
from reports.figures import Asked, By, usual_first
from reports.packs import until_now
from rules.errors import FieldError, NotAcceptable
from rules.people import Side

router = APIRouter(prefix="/api/v1/figures", tags=["Figures"])
OnlyCode = Annotated[
    str | None, Query(max_length=40, pattern="^[A-Za-z0-9_]+$", description="Only the checks of this code")
]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class FiguresRow(_Answer):
    """The figures of some checks; `definitions` says what each means."""

    of: str | None = Field(description="Which they are: a code, or the first day of a month; null for a cause not said")
    asked: int
    on_time: int
    late: int
    silent: int
    declined: int
    cancelled: int
    open: int
    counted: int
    breached: int
    breach_rate: float | None
    median_minutes: int | None
    p90_minutes: int | None
    median_open_minutes: int | None
    p90_open_minutes: int | None


class FiguresRead(_Answer):
    """Timeliness of the checks asked on some days."""

    worked_out_at: datetime | None = Field(description="By the hub's time; null before the figures ever were")
    first: date
    last: date
    by: By
    rows: list[FiguresRow]
    all: FiguresRow
    definitions: dict[str, str] = Field(description="What each figure means")


class QuarterAgreed(_Answer):
    """How far agencies agreed on the threshold before the discussion, in one quarter."""

    first: date
    last: date
    alpha: float | None = Field(description="Krippendorff's alpha; null where there is no chance to beat")
    low: float | None = Field(description="Where its 95 % interval begins")
    high: float | None = Field(description="Where its 95 % interval ends")
    referrals: int = Field(description="Decided in it, with two agencies' own views and more")
    views: int
    disagreements: int = Field(description="Referrals whose newest disagreement was recorded in it")
    resolved: int = Field(description="Of these: resolved by now")


class AgreementRead(_Answer):
    """Agreement over time, the newest quarter last; that one goes on."""

    quarters: list[QuarterAgreed]


@router.get("", responses=refuses(422), summary="Timeliness of agency checks")
def timeliness(
    desk: AtDesk,
    *,
    first: Annotated[date | None, Query(description="First day on which they were asked; three months ago")] = None,
    last: Annotated[date | None, Query(description="Last day; today unless said otherwise")] = None,
    by: Annotated[By, Query(description="What the rows are told apart by")] = By.AGENCY,
    side: OnlyCode = None,
    agency: OnlyCode = None,
    band: OnlyCode = None,
    cause: OnlyCode = None,
) -> FiguresRead:
    """The figures of the analyst's board, worked out from the record within a minute of each change."""
    with desk.at_work() as (session, _, at):
        today = at.astimezone(current_profile().zone_info).date()
        last = last or today
        first = first or min(usual_first(today), last)
        if first > last:
            raise NotAcceptable(FieldError("/last", "is before the first day"))
        asked = Asked(first, last, agency=agency, side=side, band=band, cause=cause)
        found = figures.table(session, asked, by)
        meanings = definitions(session, "by_all")["by_all"]
        return FiguresRead(
            worked_out_at=figures.as_of(session), first=first, last=last, by=by,
            rows=[_row(row) for row in found.rows], all=_row(found.total),
            definitions={name: meanings[name] for name in FiguresRow.model_fields if name in meanings},
        )  # fmt: skip


@router.get("/agreement", responses=refuses(422), summary="Agreement on the threshold, by quarter")
def agreed(
    desk: AtDesk, side: Annotated[Side | None, Query(description="Only this side; without it, both")] = None
) -> AgreementRead:
    """This quarter, which goes on, and the eight before. A restricted referral is not among them."""
    with desk.at_work() as (session, _, at):
        quarters = until_now(at.astimezone(current_profile().zone_info).date())
        found = agreement.over_time(session, [(quarter.first, quarter.last) for quarter in quarters], side)
    return AgreementRead(
        quarters=[
            QuarterAgreed(
                first=quarter.first, last=quarter.last, alpha=each.before.alpha, low=each.before.low,
                high=each.before.high, referrals=each.before.units, views=each.before.judgements,
                disagreements=each.began, resolved=each.rest,
            )
            for quarter, each in zip(quarters, found, strict=True)
        ]
    )  # fmt: skip


def _row(row: figures.Figures) -> FiguresRow:
    told: dict[str, Any] = row._asdict()
    return FiguresRow(**{**told, "of": None if row.of is None else str(row.of)})
