"""What a decision lets go to the duty team, item by item, among what its agency allowed (R29)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from casework import items, ledger, outgoing, referrals
from casework.documents import ItemChoice, SubjectDecision
from casework.items import Standing
from casework.ledger import Act
from casework.outgoing import Alarm
from casework.register import profile_of
from models.check import Return
from models.decision import ItemRelease, ThresholdDecision
from models.profile import Profile
from models.referral import Referral, Subject
from rules import release
from rules.errors import FieldError
from rules.outgoing import SAID, find
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
    offered = {item.key for item in on_offer(session, referral.reference, decision.subject)}
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


def stopped(
    session: Session, referral: Referral, decision: SubjectDecision, subject: Subject, pointer: str
) -> Iterator[FieldError]:
    """What must not leave with this decision, wherever it stands in what the duty team would be told."""
    found = outgoing.alarms(session, referral, decision, subject, pointer)
    yield from outgoing.problems(found, decision.false_alarm_because, pointer)


def record_override(
    session: Session, referral: Referral, decision: SubjectDecision, *, subject: Subject, by: Actor, at: datetime
) -> None:
    """Write down who let something leave as a false alarm, and why. Nobody said why, or nothing was found: nothing."""
    if decision.false_alarm_because is None:
        # Whatever had been found would have stopped the decision.
        return
    if found := outgoing.alarms(session, referral, decision, subject, ""):
        ledger.write(
            session, referral.reference, Act.ALARM_OVERRIDDEN, by=by, at=at,
            content={"because": decision.false_alarm_because}, subject=subject.code,
            found=[in_codes(alarm) for alarm in found],
        )  # fmt: skip


def in_codes(alarm: Alarm) -> dict[str, Any]:
    """Where something was found, of which kinds, and whose it is, as the ledger keeps it."""
    return {
        "place": alarm.pointer,
        "kinds": [each.kind for each in alarm.finds],
        "of": sorted({each.of for each in alarm.finds}),
    }


def stopped_since(session: Session, referral: Referral) -> dict[str, list[Alarm]]:
    """What was signed and must not leave as the record stands now, by subject; what somebody let go may still go."""
    decisions = referrals.decisions(session, referral.reference)
    found = {
        subject.code: _stopped_since(session, referral, subject, decisions[subject.id])
        for subject in referrals.remaining(session, referral.reference)
        if subject.id in decisions
    }
    return {subject: alarms for subject, alarms in found.items() if alarms}


def _stopped_since(session: Session, referral: Referral, subject: Subject, signed: ThresholdDecision) -> list[Alarm]:
    entry = ledger.last_about(session, referral.reference, Act.DECIDED, subject.code)
    if entry is None:
        return []
    said = {"subject": subject.code} | ledger.content_of(session, entry)
    fields = {name: said[name] for name in SubjectDecision.model_fields if name in said}
    decision = SubjectDecision.model_validate_json(json.dumps(fields))
    chosen = {item.key: item for item in _as_signed(session, signed)}
    found = outgoing.alarms(session, referral, decision, subject, "", chosen=chosen)
    let_go = ledger.last_about(session, referral.reference, Act.ALARM_OVERRIDDEN, subject.code) if found else None
    known = let_go.detail["found"] if let_go and let_go.number > entry.number else []
    return [alarm for alarm in found if alarm.is_final or not any(_covers(each, alarm) for each in known)]


def _covers(let_go: Mapping[str, Any], alarm: Alarm) -> bool:
    """Whether it is what somebody let go: at that place, and no more than was found there then."""
    now = in_codes(alarm)
    return let_go["place"] == now["place"] and all(
        set(now[part]) <= set(let_go.get(part, now[part])) for part in ("kinds", "of")
    )


def _as_signed(session: Session, signed: ThresholdDecision) -> list[Standing]:
    """The items that a decision chose among, in the version of its return that was chosen from."""
    return [
        Standing(row.agency, given.id, given.version, row.number, given.items[row.number - 1])
        for row, given in _choices(session, signed)
    ]


def record(
    session: Session, referral: Referral, signed: ThresholdDecision, choices: Sequence[ItemChoice],
    *, subject: Subject, by: Actor, at: datetime,
) -> None:  # fmt: skip
    """Write down each choice of a signed decision. The caller holds the referral's row and has checked them."""
    standing = {item.key: item for item in items.standing(session, referral.reference)}
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


def passed_on(
    session: Session, referral: Referral, released: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Of the items that their agency lets go on to whoever told the team: those that do, and why others do not (R45).

    The text for them names nobody, so an item that does is left out. The team learns what kind of thing is in it, and
    not whose, nor who keeps it.
    """
    guard = outgoing.for_referrer(session, referral)
    meant = [item for item in released if release.may_reach(item, Reader.REFERRER)]
    found = [(item, find(item["text"], guard)) for item in meant]
    left_out = [
        {
            "agency": item["agency"],
            "event_date": item["event_date"],
            "holds": sorted({SAID[each.kind] for each in finds}),
        }
        for item, finds in found
        if finds
    ]
    return [item for item, finds in found if not finds], left_out


def withheld(session: Session, decision: ThresholdDecision, profile: Profile) -> list[dict[str, str]]:
    """Of each item that a decision withheld its agency and the reason in words, for those who may read it anyway."""
    return [
        {"agency": row.agency, "reason": profile.label("decline_reason", row.withheld_because)}
        for row, _ in _chosen(session, decision)
        if row.withheld_because
    ]


def _chosen(session: Session, decision: ThresholdDecision) -> list[tuple[ItemRelease, dict[str, Any]]]:
    return [(row, given.items[row.number - 1]) for row, given in _choices(session, decision)]


def _choices(session: Session, decision: ThresholdDecision) -> list[tuple[ItemRelease, Return]]:
    query = (
        select(ItemRelease, Return)
        .where(ItemRelease.decision_id == decision.id, col(Return.id) == col(ItemRelease.return_id))
        .order_by(col(ItemRelease.agency), col(ItemRelease.number))
    )
    return list(session.exec(query))


def _told(content: dict[str, Any], agency: str, profile: Profile, on: datetime) -> dict[str, Any]:
    kept = {name: content[name] for name in ("event_date", "kind", "text", "source", "recipients")}
    return kept | {"agency": profile.agency(agency).name_on(on.astimezone(profile.zone_info).date())}


def _is_about(item: Standing, subject: str) -> bool:
    about = item.content.get("about")
    return not about or subject in about
