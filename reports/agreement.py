"""How far agencies agree on the threshold: before the discussion, with the decision, and where not (R37, R63)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from rules.concordance import Concordance, concordance

_VIEWS = sa.table(
    "agency_views",
    *(sa.column(name) for name in ("reference", "side", "decided_on", "agency", "own_met", "last_view", "decided_met")),
    schema="reports",
)
_DISSENTS = sa.table(
    "dissents", *(sa.column(name) for name in ("side", "stage", "since_on", "resolved")), schema="reports"
)


@dataclass(frozen=True)
class Agreement:
    """What the views of a period come to. Counts are as they are: a page for boards protects them first."""

    before: Concordance
    #: By agency: how often its own view, before the discussion, was the decision's; and how often it was not.
    with_decision: dict[str, tuple[int, int]]
    #: By agency: how often it agreed, disagreed, abstained at last.
    last_views: dict[str, Counter[str]]
    #: By stage: disagreements that rest now, and that still stand.
    dissents: dict[str, tuple[int, int]]


def agreement(session: Session, first: date, last: date, side: str | None = None) -> Agreement:
    """Of the referrals decided on these local days, and the disagreements that began on them; of one side, or of all.

    A referral about both sides is each side's. One that is restricted is not among them: its views cannot be told
    apart from another's without its reference.
    """
    of_side = [] if side is None else [_VIEWS.c.side.in_((side, "both"))]
    query = sa.select(_VIEWS).where(_VIEWS.c.decided_on.between(first, last), _VIEWS.c.reference.is_not(None), *of_side)
    rows = session.execute(query).all()
    judged: dict[str, list[Any]] = defaultdict(list)
    told: dict[str, list[bool]] = defaultdict(list)
    last_views: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        judged[row.reference].append(row.own_met)
        last_views[row.agency][row.last_view] += 1
        if row.own_met is not None:
            told[row.agency].append(row.own_met == row.decided_met)
    return Agreement(
        concordance(judged.values()),
        {agency: (sum(same), len(same) - sum(same)) for agency, same in sorted(told.items())},
        dict(sorted(last_views.items())),
        _dissents(session, first, last, side),
    )


def _dissents(session: Session, first: date, last: date, side: str | None) -> dict[str, tuple[int, int]]:
    of_side = [] if side is None else [_DISSENTS.c.side.in_((side, "both"))]
    resolved = sa.func.count().filter(_DISSENTS.c.resolved)
    query = (
        sa.select(_DISSENTS.c.stage, resolved, sa.func.count() - resolved)
        .where(_DISSENTS.c.since_on.between(first, last), *of_side)
        .group_by(_DISSENTS.c.stage)
    )
    return {stage: (rests, stands) for stage, rests, stands in session.execute(query)}
