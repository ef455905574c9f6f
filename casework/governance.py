"""What information governance looks at: refusals to share, and samples of the formal record without content."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlmodel import Session, col, select

from casework import ledger
from casework.follow import Seen
from models.check import AgencyCheck
from models.referral import Referral, Subject
from rules.administration import check_may_govern
from rules.legal_gate import PARTS
from rules.permissions import Actor
from rules.stages import CheckStatus, Stage

#: How far back refusals are counted and samples drawn, and how many of each are shown.
LOOKS_BACK = timedelta(days=365)
_SHOWN, _DRAWN = 200, 5
#: What is on record of a person's basis: codes alone, neither who confirmed it nor the reasons in words.
_BASIS = ("request_reason", *PARTS, "consent", "consent_reason_code", "informed")


class DeclineSeen(Seen):
    """An agency would not share, and its coded reason; what it wrote besides is for the MASH team."""

    reference: str
    agency: str
    settled_at: datetime
    decline_reason: str


class DeclineRate(Seen):
    """How often an agency would not share."""

    agency: str
    asked: int
    declined: int


class Declines(Seen):
    """The refusals of a year, the newest first, and how often each agency refused."""

    newest: list[DeclineSeen]
    rates: list[DeclineRate]


class EntrySeen(Seen):
    """An entry of the ledger: codes, numbers and times."""

    number: int
    at: datetime
    act: str
    actor: str
    detail: dict[str, str]


class Sampled(Seen):
    """A referral of a sample: on what basis agencies were asked, and all that happened, without a word of content."""

    reference: str
    stage: Stage
    received_at: datetime
    basis: dict[str, dict[str, str | None]] = Field(description="By subject, in codes")
    entries: list[EntrySeen]
    broken_at: int | None = Field(description="The first entry that does not fit its chain; null when all do")


def declines(session: Session, *, by: Actor, at: datetime) -> Declines:
    """The refusals of the last year: no breach, but a figure of their own (R57). Raises NotPermitted."""
    check_may_govern(by)
    lately = col(AgencyCheck.requested_at).between(at - LOOKS_BACK, at)
    is_declined = col(AgencyCheck.status) == CheckStatus.DECLINED
    newest = select(AgencyCheck).where(lately, is_declined).order_by(col(AgencyCheck.settled_at).desc()).limit(_SHOWN)
    counted = (
        sa.select(
            col(AgencyCheck.agency), sa.func.count().label("asked"),
            sa.func.count().filter(is_declined).label("declined"),
        )
        .where(lately)
        .group_by(col(AgencyCheck.agency))
        .order_by(col(AgencyCheck.agency))
    )  # fmt: skip
    return Declines(
        newest=[DeclineSeen.of(check) for check in session.exec(newest)],
        rates=[DeclineRate(**row._mapping) for row in session.execute(counted)],
    )


def sample(session: Session, draw: int, *, by: Actor, at: datetime) -> list[Sampled]:
    """A few referrals of the last year by lot; the same draw finds the same ones (R58). Raises NotPermitted."""
    check_may_govern(by)
    lot = sa.func.md5(sa.func.concat(str(draw), "/", col(Referral.reference)))
    drawn = (
        sa.select(col(Referral.reference), col(Referral.stage), col(Referral.received_at))
        .where(col(Referral.received_at).between(at - LOOKS_BACK, at))
        .order_by(lot)
        .limit(_DRAWN)
    )
    return [_sampled(session, row) for row in session.execute(drawn).all()]


def _sampled(session: Session, row: Any) -> Sampled:
    # Columns by name: the words about a person are not even read.
    codes = [getattr(Subject, name) for name in _BASIS]
    query = sa.select(col(Subject.number), *codes).where(col(Subject.reference) == row.reference)
    people = session.execute(query.order_by(col(Subject.number))).all()
    entries = ledger.entries(session, row.reference)
    return Sampled(
        **row._mapping,
        basis={f"S{each.number}": {name: getattr(each, name) for name in _BASIS} for each in people},
        entries=[EntrySeen.of(entry, detail=_in_words(entry.detail)) for entry in entries],
        broken_at=ledger.first_broken(entries),
    )


def _in_words(detail: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in detail.items()}
