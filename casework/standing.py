"""Which open referrals wait for the hub itself, and for nobody else: seen from the record alone, all at once.

A run that is suspended, or stopped, while the move is the hub's would stay so for ever: no person and no deadline
will wake it (INV9).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models.check import AgencyCheck
from models.decision import HandBack
from models.referral import Referral
from models.wake import Wake, WakeKind
from rules.stages import OPEN_CHECKS, Stage


def is_hubs_move() -> sa.ColumnElement[bool]:
    """For a query on referrals: nothing is awaited, from anybody and from no time that a wake stands for.

    `mash_now()` is the moment that counts: an answer at the due time itself is still on time (F19).
    """
    stage = col(Referral.stage)
    return sa.or_(
        stage.in_((Stage.RECEIVED, Stage.HANDING_BACK)),
        (stage == Stage.QUEUED_OUT_OF_HOURS) & ~_opening_ahead(),
        (stage == Stage.CHECKING) & ~_answer_awaited(),
        (stage == Stage.AWAITING_ACK) & ~_acknowledgement_awaited(),
    )


def on_the_hub(session: Session, reference: str) -> bool:
    """Whether one referral waits for the hub alone."""
    found: bool | None = session.execute(
        sa.select(is_hubs_move()).select_from(Referral).where(col(Referral.reference) == reference)
    ).scalar()
    return bool(found)


def _opening_ahead() -> sa.Exists:
    return (
        sa.exists()
        .where(
            col(Wake.reference) == col(Referral.reference),
            col(Wake.kind) == WakeKind.RUN,
            col(Wake.due_at) > sa.func.mash_now(),
        )
        .correlate(Referral)
    )


def _answer_awaited() -> sa.Exists:
    return (
        sa.exists()
        .where(
            col(AgencyCheck.reference) == col(Referral.reference),
            col(AgencyCheck.status).in_(OPEN_CHECKS),
            col(AgencyCheck.blocking),
            (col(AgencyCheck.due_at) >= sa.func.mash_now()) | col(AgencyCheck.paused_at).is_not(None),
        )
        .correlate(Referral)
    )


def _acknowledgement_awaited() -> sa.Exists:
    newer = aliased(HandBack)
    replaced = sa.exists().where(
        col(newer.reference) == col(HandBack.reference),
        col(newer.duty_team) == col(HandBack.duty_team),
        col(newer.version) > col(HandBack.version),
    )
    return (
        sa.exists()
        .where(col(HandBack.reference) == col(Referral.reference), col(HandBack.acknowledged_at).is_(None), ~replaced)
        .correlate(Referral)
    )
