"""Somebody looks at a decided case a second time, as it was known then and without what was decided (R63)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from casework import ledger, referrals
from casework.follow import Seen
from casework.ledger import Act
from casework.register import profile_of
from casework.sample_documents import LookDocument, SubjectLook
from models.decision import CollatedTemplate, ThresholdDecision
from models.ledger import LedgerEntry
from models.profile import Profile
from models.second_look import SecondLook
from rules import threshold
from rules.errors import FieldError, NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor, check_may_decide

#: What of the template says, or may say, what was thought or decided.
NOT_SHOWN = frozenset({"views", "discussions"})
#: How many that wait are listed: four whole samples, none of which is to be read in part.
_SHOWN = 2_000


class Waiting(Seen):
    """A referral that waits for a second look: nothing of what was decided."""

    reference: str
    subjects: list[str] = Field(description="S1, S2 …: whose cases were drawn")


class SecondLooks(Seen):
    """What one decision maker may look at a second time."""

    referrals: list[Waiting]


class ToLookAt(Waiting):
    """The returns as they were known at the decision, without views, discussions and the decision itself."""

    content: dict[str, Any]


def waiting(session: Session, *, by: Actor) -> SecondLooks:
    """What was drawn and nobody has looked at, without the referrals on which this person decided."""
    check_may_decide(by)
    own = aliased(ThresholdDecision)
    query = (
        select(SecondLook)
        .where(
            col(SecondLook.looked_at).is_(None),
            ~sa.exists().where(col(own.reference) == col(SecondLook.reference), col(own.decided_by) == by.id),
        )
        .order_by(col(SecondLook.reference), col(SecondLook.subject_number))
        .limit(_SHOWN)
    )
    found: dict[str, list[str]] = {}
    for look in session.exec(query):
        found.setdefault(look.reference, []).append(look.subject)
    return SecondLooks(
        referrals=[Waiting(reference=name, subjects=list(dict.fromkeys(them))) for name, them in found.items()]
    )


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> ToLookAt:
    """What was known at the decision; the reading is in the ledger.

    Raises NotFound when nothing of it waits, and NotPermitted for whoever knows what was decided: who decided it, or
    has read the assessment since.
    """
    check_may_decide(by)
    referrals.lock(session, reference)
    looks = _open(session, reference)
    _check_is_blind(session, looks, by)
    decision = session.get_one(ThresholdDecision, looks[0].decision_id)
    template = session.get_one(CollatedTemplate, decision.collated_template_id)
    ledger.write(session, reference, Act.ASSESSMENT_READ, by=by, at=at, version=template.version, second_look=True)
    content = {part: said for part, said in template.content.items() if part not in NOT_SHOWN}
    return ToLookAt(reference=reference, subjects=list({look.subject: None for look in looks}), content=content)


def record(session: Session, reference: str, document: LookDocument, *, by: Actor, at: datetime) -> None:
    """Write down what this person would have decided, for each subject drawn. The decision itself stands as it is.

    Raises as `read`, and NotAcceptable with every bad field.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    looks = _open(session, reference)
    _check_is_blind(session, looks, by)
    said = {look.subject: look for look in document.looks}
    _check(document, {look.subject: look for look in looks}, profile_of(session, referral))
    for look in looks:
        _record(session, look, said[look.subject], by=by, at=at)


def _open(session: Session, reference: str) -> list[SecondLook]:
    query = select(SecondLook).where(SecondLook.reference == reference, col(SecondLook.looked_at).is_(None))
    found = list(session.exec(query.order_by(col(SecondLook.subject_number))))
    if not found:
        raise NotFound("there is no such referral")
    return found


def _check_is_blind(session: Session, looks: list[SecondLook], by: Actor) -> None:
    """What somebody read before the first decision tells them nothing of it."""
    reference = looks[0].reference
    decided = list(session.exec(select(ThresholdDecision).where(ThresholdDecision.reference == reference)))
    if by.id in {decision.decided_by for decision in decided}:
        raise NotPermitted("you decided this yourself: a colleague takes the second look")
    since = min(decision.decided_at for decision in decided)
    read = select(LedgerEntry.id).where(
        LedgerEntry.reference == reference, LedgerEntry.actor == by.id, LedgerEntry.act == Act.ASSESSMENT_READ,
        col(LedgerEntry.at) >= since, ~col(LedgerEntry.detail).op("?", is_comparison=True)("second_look"),
    )  # fmt: skip
    if session.exec(read.limit(1)).first() is not None:
        raise NotPermitted("you have read this since it was decided: a colleague who has not takes the second look")


def _check(document: LookDocument, drawn: Mapping[str, SecondLook], profile: Profile) -> None:
    levels, consents = profile.codes["need_level"], profile.codes["consent"]
    found = [
        problem
        for number, look in enumerate(document.looks)
        if look.subject in drawn
        for problem in threshold.problems(
            _proposed(look, drawn[look.subject], profile), profile.outcome_rules(), levels, consents, f"/looks/{number}"
        )
    ]
    if sorted(look.subject for look in document.looks) != sorted(drawn):
        found.append(FieldError("/looks", f"answer once for each of {', '.join(sorted(drawn))}"))
    if found:
        raise NotAcceptable(*found)


def _proposed(look: SubjectLook, drawn: SecondLook, profile: Profile) -> threshold.Proposed:
    # Whether the family agrees was for the decision to ask: a second look asks nobody.
    return threshold.Proposed(
        drawn.side, look.threshold_met, look.outcome, look.level_of_need, consent=next(iter(profile.codes["consent"]))
    )


def _record(session: Session, drawn: SecondLook, look: SubjectLook, *, by: Actor, at: datetime) -> None:
    drawn.threshold_met, drawn.level_of_need, drawn.outcome = look.threshold_met, look.level_of_need, look.outcome
    drawn.reason, drawn.looked_at, drawn.looked_by = look.reason, at, by.id
    session.add(drawn)
    said = look.model_dump(mode="json", exclude={"subject"})
    ledger.write(
        session, drawn.reference, Act.SECOND_LOOK_RECORDED, by=by, at=at, content=said, subject=look.subject,
        outcome=look.outcome, threshold_met=look.threshold_met, level_of_need=look.level_of_need,
    )  # fmt: skip
