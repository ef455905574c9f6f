"""A dip sample of decided cases is drawn, and shows how far a second look agrees with the first (R63)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import Field
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from casework.follow import Seen
from casework.register import current_profile
from casework.sample_documents import SampleDocument
from models.base import new_id
from models.decision import ThresholdDecision
from models.profile import Profile
from models.referral import Referral, Subject
from models.second_look import DipSample, SecondLook
from rules.concordance import Concordance, concordance
from rules.dip_sample import Case
from rules.dip_sample import draw as drawn_from
from rules.errors import FieldError, NotAcceptable, NotFound
from rules.people import Side
from rules.permissions import Actor, check_may_analyse

#: How many samples are listed: the newest.
_SHOWN = 100


class SampleSeen(Seen):
    """One sample, and how far it is looked at."""

    id: UUID
    seed: int
    first_on: date
    last_on: date
    size: int = Field(description="How many were wanted")
    decided: int = Field(description="Of how many decisions they were drawn")
    drawn_at: datetime
    drawn: int
    looked: int


class LookSeen(Seen):
    """One person's case in a sample, in codes."""

    reference: str
    subject: str
    side: Side
    first_met: bool
    first_level: str
    first_outcome: str
    threshold_met: bool | None
    level_of_need: str | None
    outcome: str | None
    looked_at: datetime | None


class Agreed(Seen):
    """How far the second looks at a sample agree with the first decisions, on one question."""

    looked: int
    same: int
    alpha: float | None = Field(description="Krippendorff's alpha; null where chance could do no worse")
    low: float | None = Field(description="Of its 95 % interval")
    high: float | None


class SampleRead(SampleSeen):
    """A sample with all its cases, by stratum and reference."""

    looks: list[LookSeen]
    on_outcome: Agreed
    on_threshold: Agreed


def draw(session: Session, document: SampleDocument, *, by: Actor, at: datetime) -> UUID:
    """Draw a sample of the decisions of a period, by side and outcome; its id.

    Of each subject it is the decision that stands. Raises NotPermitted, and NotAcceptable for a period that is none, or
    in which nothing was decided that the analyst may know of.
    """
    check_may_analyse(by)
    if document.first_on > document.last_on:
        raise NotAcceptable(FieldError("/last_on", "is before the first day"))
    cases = {
        Case(f"{subject.side}/{decision.outcome}", f"{decision.reference}/{subject.code}"): (subject, decision)
        for subject, decision in _decided(session, document, current_profile())
    }
    if not cases:
        raise NotAcceptable(FieldError("/first_on", "nothing was decided in this period"))
    sample = DipSample(
        id=new_id(), drawn_at=at, drawn_by=by.id, decided=len(cases), **document.model_dump(),
    )  # fmt: skip
    session.add(sample)
    session.flush()
    for case in drawn_from(cases, document.size, document.seed):
        session.add(_look(sample, *cases[case]))
    return sample.id


def listed(session: Session, *, by: Actor) -> list[SampleSeen]:
    """The samples, newest first. Raises NotPermitted."""
    check_may_analyse(by)
    samples = session.exec(select(DipSample).order_by(col(DipSample.drawn_at).desc()).limit(_SHOWN))
    return [_seen(sample, _looks(session, sample)) for sample in samples]


def one(session: Session, sample_id: UUID, *, by: Actor) -> SampleRead:
    """One sample and what came of it: references and codes. Raises NotPermitted, NotFound."""
    check_may_analyse(by)
    sample = session.get(DipSample, sample_id)
    if sample is None:
        raise NotFound("there is no such sample")
    looks = _looks(session, sample)
    done = [look for look in looks if look.looked_at]
    return SampleRead(
        **_seen(sample, looks).model_dump(),
        looks=[LookSeen.of(look, subject=look.subject) for look in looks],
        on_outcome=_agreed([(look.first_outcome, look.outcome) for look in done]),
        on_threshold=_agreed([(look.first_met, look.threshold_met) for look in done]),
    )


def _decided(session: Session, document: SampleDocument, profile: Profile) -> list[tuple[Subject, ThresholdDecision]]:
    begin, end = (
        datetime.combine(day, datetime.min.time(), profile.zone_info)
        for day in (document.first_on, document.last_on + timedelta(days=1))
    )
    standing = (
        select(ThresholdDecision.id)
        .ext(distinct_on(col(ThresholdDecision.subject_id)))
        .order_by(col(ThresholdDecision.subject_id), col(ThresholdDecision.version).desc())
    )
    query = (
        select(Subject, ThresholdDecision)
        .join(ThresholdDecision, col(ThresholdDecision.subject_id) == col(Subject.id))
        .join(Referral, col(Referral.reference) == col(Subject.reference))
        .where(
            col(ThresholdDecision.id).in_(standing), col(Referral.erased_at).is_(None),
            col(ThresholdDecision.decided_at) >= begin, col(ThresholdDecision.decided_at) < end,
        )
    )  # fmt: skip
    return list(session.exec(query))


def _look(sample: DipSample, subject: Subject, decision: ThresholdDecision) -> SecondLook:
    return SecondLook(
        id=new_id(), sample_id=sample.id, reference=decision.reference, subject_id=subject.id,
        subject_number=subject.number, decision_id=decision.id, side=subject.side, first_met=decision.threshold_met,
        first_level=decision.level_of_need, first_outcome=decision.outcome,
    )  # fmt: skip


def _looks(session: Session, sample: DipSample) -> list[SecondLook]:
    """Whoever may not know of a referral does not find its looks."""
    query = select(SecondLook).where(SecondLook.sample_id == sample.id)
    order = (col(SecondLook.side), col(SecondLook.first_outcome), col(SecondLook.reference))
    return list(session.exec(query.order_by(*order, col(SecondLook.subject_number))))


def _seen(sample: DipSample, looks: list[SecondLook]) -> SampleSeen:
    return SampleSeen.of(sample, drawn=len(looks), looked=sum(look.looked_at is not None for look in looks))


def _agreed(pairs: list[tuple[object, object]]) -> Agreed:
    found: Concordance = concordance(pairs)
    same = sum(first == second for first, second in pairs)
    return Agreed(looked=len(pairs), same=same, alpha=found.alpha, low=found.low, high=found.high)
