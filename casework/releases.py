"""What a decision lets go to the duty team, item by item, among what its agency allowed (R29)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from casework import items, ledger
from casework.documents import ItemChoice, SubjectDecision
from casework.items import Standing
from casework.ledger import Act
from casework.register import profile_of
from models.check import Return
from models.decision import ItemRelease, ThresholdDecision
from models.profile import Profile
from models.referral import Referral, Subject
from rules import release
from rules.errors import FieldError
from rules.permissions import Actor
from rules.release import Reader


def on_offer(session: Session, reference: str, subject: str) -> list[Standing]:
    """The items about a subject that may go to the duty team, if the decision maker says so."""
    return [
        item
        for item in items.standing(session, reference)
        if release.may_reach(item.content, Reader.DUTY_TEAM) and _is_about(item, subject)
    ]


def problems(session: Session, referral: Referral, decision: SubjectDecision, pointer: str) -> Iterator[FieldError]:
    """What is wrong with a decision's choices; an item that is not chosen does not go, and needs no reason."""
    offered = {_key(item) for item in on_offer(session, referral.reference, decision.subject)}
    reasons = profile_of(session, referral).codes["decline_reason"]
    chosen: set[tuple[str, int, int]] = set()
    for number, choice in enumerate(decision.items):
        place, key = f"{pointer}/items/{number}", (choice.agency, choice.version, choice.number)
        if key not in offered:
            yield FieldError(place, "is no item about this person that its agency lets the duty team have")
        if key in chosen:
            yield FieldError(place, "is chosen twice")
        chosen.add(key)
        if choice.release is (choice.withheld_because is not None):
            yield FieldError(f"{place}/withheld_because", "a reason goes with what is withheld, and with nothing else")
        elif choice.withheld_because is not None and choice.withheld_because not in reasons:
            yield FieldError(f"{place}/withheld_because", f"use one of {', '.join(sorted(reasons))}")


def record(
    session: Session, referral: Referral, signed: ThresholdDecision, choices: Sequence[ItemChoice],
    *, subject: Subject, by: Actor, at: datetime,
) -> None:  # fmt: skip
    """Write down each choice of a signed decision. The caller holds the referral's row and has checked them."""
    standing = {_key(item): item for item in items.standing(session, referral.reference)}
    for choice in choices:
        item = standing[choice.agency, choice.version, choice.number]
        session.add(
            ItemRelease(
                decision_id=signed.id, return_id=item.return_id, number=item.number, agency=item.agency,
                released=choice.release, withheld_because=choice.withheld_because,
            )
        )  # fmt: skip
        act = Act.ITEM_RELEASED if choice.release else Act.ITEM_WITHHELD
        ledger.write(
            session, referral.reference, act, by=by, at=at, subject=subject.code, agency=item.agency,
            version=item.version, number=item.number, reason=choice.withheld_because,
        )  # fmt: skip


def released(session: Session, decision: ThresholdDecision, profile: Profile, on: datetime) -> list[dict[str, Any]]:
    """The items that a decision released, as the duty team reads them, by the date of the event."""
    found = [_told(content, row.agency, profile, on) for row, content in _chosen(session, decision) if row.released]
    return sorted(found, key=lambda item: str(item["event_date"]))


def withheld(session: Session, decision: ThresholdDecision, profile: Profile) -> list[dict[str, str]]:
    """Of each item that a decision withheld its agency and the reason in words, for those who may read it anyway."""
    return [
        {"agency": row.agency, "reason": profile.label("decline_reason", row.withheld_because)}
        for row, _ in _chosen(session, decision)
        if row.withheld_because
    ]


def _chosen(session: Session, decision: ThresholdDecision) -> list[tuple[ItemRelease, dict[str, Any]]]:
    query = (
        select(ItemRelease, Return)
        .where(ItemRelease.decision_id == decision.id, col(Return.id) == col(ItemRelease.return_id))
        .order_by(col(ItemRelease.agency), col(ItemRelease.number))
    )
    return [(row, given.items[row.number - 1]) for row, given in session.exec(query)]


def _told(content: dict[str, Any], agency: str, profile: Profile, on: datetime) -> dict[str, Any]:
    kept = {name: content[name] for name in ("event_date", "kind", "text", "source", "recipients")}
    return kept | {"agency": profile.agency(agency).name_on(on.astimezone(profile.zone_info).date())}


def _is_about(item: Standing, subject: str) -> bool:
    about = item.content.get("about")
    return not about or subject in about


def _key(item: Standing) -> tuple[str, int, int]:
    return item.agency, item.version, item.number
