"""Where a referral stands, for those who may follow it: stages, times and codes, never a name (R13, R48, R49)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from casework import asking, facts, reconsider, referrals
from casework.checks import counts_of_each
from casework.collation import kept
from casework.ledger import READS
from casework.once import reading
from casework.register import label_of, profile_of
from models.check import AgencyCheck
from models.decision import Dissent, HandBack
from models.ledger import LedgerEntry
from models.profile import Profile
from models.referral import Referral
from rules.errors import FieldError, NotAcceptable, NotFound
from rules.permissions import Actor, Role, check_may_follow, check_may_run_process, is_reader_of_assessment
from rules.stages import WHOSE_MOVE, CheckStatus, Stage

#: How much of a duty team's list is shown.
_OPEN_SHOWN, _CLOSED_SHOWN = 200, 50
#: What a referral may wait for, in the order of its life.
_WAITS = (facts.hub_open, facts.gate_passed, facts.checks_settled, facts.threshold_decided, facts.outcome_acknowledged)


class Seen(BaseModel):
    """What a reader is shown."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, row: BaseModel, **more: Any) -> Self:
        """The fields that a row of the record has by the same names, and `more`, which goes before them."""
        return cls(**row.model_dump(include=set(cls.model_fields) - more.keys()), **more)


class CheckSeen(Seen):
    """One agency's check, as the MASH team follows it."""

    agency: str
    name: str
    status: CheckStatus
    requested_at: datetime
    due_at: datetime
    due_in_words: str = Field(description="Why it is due then")
    acknowledged_at: datetime | None
    known: str | None = Field(description="The first, quick answer: a code of the set return_result")
    breached_at: datetime | None = Field(description="The due time, when it passed without an answer")
    paused_at: datetime | None = Field(description="Since when its clock stands still; null while it goes")
    blocking: bool = Field(description="Whether the returns are joined only with its answer, or after its time")
    asked_because: str = Field(description="Code set asked_because")
    basis: dict[str, dict[str, str | None]] = Field(description="On what it was asked, by subject, in codes")
    settled_at: datetime | None
    late_by_seconds: float | None = Field(description="How late the return came; null when it was not late")
    decline_reason: str | None
    returns: int = Field(description="How many versions of its return there are")
    open_questions: int = Field(description="Questions of the agency that nobody has answered")


class NotAskedSeen(Seen):
    """An agency that was not asked when the others were, and why."""

    agency: str
    name: str
    reason: str = Field(description="Code set not_asked_because")
    why: str
    overridden_at: datetime | None = Field(description="When somebody had it asked without an agreement")
    overridden_by: str | None


class ReconsiderationSeen(Seen):
    """A return that came after the decision, and that nobody has looked at yet."""

    agency: str
    opened_at: datetime


class DissentSeen(Seen):
    """A disagreement about the threshold, and how far it has gone."""

    stage: str
    since: datetime
    next_at: datetime | None
    resolved_at: datetime | None


class KeptTemplate(Seen):
    """A kept version of the collated template."""

    version: int
    taken_for: str = Field(description="JOIN, or DECISION: as the decision maker saw it")
    taken_at: datetime
    digest: str = Field(description="SHA-256 of the version's bytes as the hub serves them")


class ReferralSeen(Seen):
    """Where a referral stands. What a reader may not see is left out."""

    reference: str
    stage: Stage
    version: int = Field(description="Counts the changes; a decision names the one that was seen")
    whose_move: str
    waiting: str | None = Field(description="Why the referral does not move just now")
    duty_team: str = Field(description="The originator")
    urgency: str = Field(description="The urgency band, on whose clock its checks run")
    urgency_rating: str = Field(description="Code set urgency_rating: how the MASH team rates it")
    received_at: datetime
    accepted_at: datetime | None
    discuss_now_at: datetime | None
    joined_at: datetime | None
    decided_at: datetime | None
    handed_back_at: datetime | None
    closed_at: datetime | None
    checks: list[CheckSeen] | None = None
    not_asked: list[NotAskedSeen] | None = None
    reconsiderations: list[ReconsiderationSeen] | None = None
    dissent: DissentSeen | None = None
    templates: list[KeptTemplate] | None = None


class OwnReferral(Seen):
    """One line of a duty team's list."""

    reference: str
    stage: Stage
    received_at: datetime


class OwnReferrals(Seen):
    """A duty team's list: what is open, the oldest first, and what was closed lately, the newest first."""

    still: list[OwnReferral]
    over: list[OwnReferral]


class ReferralsSeen(Seen):
    """One page of referrals, oldest first."""

    referrals: list[ReferralSeen]
    next: str | None = Field(description="Ask for the next page with ?after= this; null on the last page")


def see(session: Session, reference: str, *, by: Actor, at: datetime) -> ReferralSeen:
    """Where one referral stands, as far as this actor may know. Raises NotFound."""
    referral = referrals.find(session, reference)
    check_may_follow(by, {referral.duty_team, *referrals.hand_backs(session, reference)})
    seen = _seen(session, referral, by, at)
    return seen.model_copy(update=_team_only(session, referral)) if is_reader_of_assessment(by) else seen


def newest_change(session: Session, reference: str, *, by: Actor, at: datetime) -> int:
    """A number that grows with whatever happens to a referral up to `at`, and not when somebody reads it (R13)."""
    check_may_run_process(by)
    found: int | None = session.execute(
        sa.select(sa.func.max(col(LedgerEntry.number))).where(
            col(LedgerEntry.reference) == reference, col(LedgerEntry.act).not_in(READS), col(LedgerEntry.at) <= at
        )
    ).scalar()
    if found is None:
        raise NotFound("there is no such referral")
    return found


def see_all(
    session: Session, *, stages: Collection[Stage], after: str | None, limit: int, by: Actor, at: datetime
) -> ReferralsSeen:
    """A page of the referrals that this actor may follow, oldest first; with no stage named, those not closed.

    `after` is the last reference of the page before. Raises NotAcceptable when this actor's list does not hold it.
    """
    wanted = set(stages) or set(Stage) - {Stage.CLOSED}
    query = select(Referral).where(_may_follow(by), col(Referral.stage).in_(wanted))
    if after is not None:
        query = query.where(sa.tuple_(col(Referral.received_at), col(Referral.reference)) > _place(session, after, by))
    query = query.order_by(col(Referral.received_at), col(Referral.reference)).limit(limit + 1)
    found = list(session.exec(query))
    page = found[:limit]
    with reading(session):
        referrals.read_together(session, page)
        seen = [_seen(session, referral, by, at) for referral in page]
    return ReferralsSeen(referrals=seen, next=page[-1].reference if len(found) > limit else None)


def of_team(session: Session, *, by: Actor) -> OwnReferrals:
    """A duty team's list: codes and times alone, so that a list of hundreds asks the record twice. Raises NotFound."""
    check_may_follow(by, {by.duty_team} if by.duty_team else set())
    mine = sa.select(col(Referral.reference), col(Referral.stage), col(Referral.received_at)).where(_may_follow(by))
    by_age = (col(Referral.received_at), col(Referral.reference))
    still = mine.where(col(Referral.stage) != Stage.CLOSED).order_by(*by_age).limit(_OPEN_SHOWN)
    over = mine.where(col(Referral.stage) == Stage.CLOSED).order_by(col(Referral.closed_at).desc()).limit(_CLOSED_SHOWN)
    rows = ([OwnReferral(**row._mapping) for row in session.execute(query)] for query in (still, over))
    return OwnReferrals(still=next(rows), over=next(rows))


def see_checks(
    session: Session, checks: Collection[AgencyCheck], profile: Profile, received: datetime
) -> list[CheckSeen]:
    """Checks of one referral as the MASH team follows them. The caller has checked who reads."""
    counts, on = counts_of_each(session, checks), received.astimezone(profile.zone_info).date()
    return [
        CheckSeen.of(
            check,
            name=profile.agency(check.agency).name_on(on),
            late_by_seconds=check.late_by.total_seconds() if check.late_by else None,
            returns=counts[check.id][0],
            open_questions=counts[check.id][1],
        )
        for check in checks
    ]


def _seen(session: Session, referral: Referral, by: Actor, at: datetime) -> ReferralSeen:
    waiting = _waiting(session, referral.reference, by, at)
    return ReferralSeen.of(referral, whose_move=WHOSE_MOVE[referral.stage], waiting=waiting)


def _waiting(session: Session, reference: str, by: Actor, at: datetime) -> str | None:
    found = next((wait for fact in _WAITS if (wait := fact(session, reference, at))), None)
    if found is None:
        return None
    # Duty teams learn the stage, not which agencies or which other team it is about.
    return found.state if by.role is Role.DUTY_TEAM else f"{found.state}: {found.why}"


def _team_only(session: Session, referral: Referral) -> dict[str, object]:
    profile, checks = profile_of(session, referral), referrals.checks(session, referral.reference)
    agency_of = {check.id: check.agency for check in checks}
    dissent = session.get(Dissent, referral.reference)
    on = referral.received_at.astimezone(profile.zone_info).date()
    return {
        "checks": see_checks(session, checks, profile, referral.received_at),
        "not_asked": [
            NotAskedSeen.of(
                row,
                name=profile.agency(row.agency).name_on(on),
                why=label_of(session, referral, "not_asked_because", row.reason),
            )
            for row in asking.not_asked(session, referral.reference)
        ],
        "reconsiderations": [
            ReconsiderationSeen(agency=agency_of[row.check_id], opened_at=row.opened_at)
            for row in reconsider.open_ones(session, referral.reference)
        ],
        "dissent": DissentSeen.of(dissent) if dissent else None,
        "templates": [KeptTemplate.of(template) for template in kept(session, referral.reference)],
    }


def _may_follow(by: Actor) -> sa.ColumnElement[bool]:
    """The same rule as `check_may_follow`, for a list."""
    if by.role is not Role.DUTY_TEAM:
        check_may_follow(by, set())
        return sa.true()
    # For each referral shown, not as a list of all that were ever handed back to the team.
    handed_back = sa.exists().where(
        col(HandBack.reference) == col(Referral.reference), col(HandBack.duty_team) == by.duty_team
    )
    return (col(Referral.duty_team) == by.duty_team) | handed_back


def _place(session: Session, after: str, by: Actor) -> sa.Tuple:
    last = session.exec(select(Referral).where(Referral.reference == after, _may_follow(by))).first()
    if last is None:
        raise NotAcceptable(FieldError("?after", "not the last reference of a page of yours"))
    return sa.tuple_(sa.literal(last.received_at, sa.DateTime(timezone=True)), sa.literal(last.reference))
