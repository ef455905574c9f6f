"""Writing the formal record: every act leaves an entry in the transaction of its change (INV12)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from models.ledger import GENESIS, LedgerContent, LedgerEntry
from rules import chain
from rules.chain import Fault
from rules.permissions import Actor


class Act(StrEnum):
    """What can happen to a referral."""

    RECEIVED = "RECEIVED"
    QUEUED = "QUEUED"
    BASIS_AWAITED = "BASIS_AWAITED"
    BASIS_CHASED = "BASIS_CHASED"
    BASIS_RECORDED = "BASIS_RECORDED"
    BASIS_READ = "BASIS_READ"
    ACCEPTED = "ACCEPTED"
    ASKING_PLANNED = "ASKING_PLANNED"
    AGREEMENT_OVERRIDDEN = "AGREEMENT_OVERRIDDEN"
    SUBJECT_EXITED = "SUBJECT_EXITED"
    DETAILS_CORRECTED = "DETAILS_CORRECTED"
    DETAILS_READ = "DETAILS_READ"
    ENDED_EARLY = "ENDED_EARLY"
    CHECK_REQUESTED = "CHECK_REQUESTED"
    CHECK_ACKNOWLEDGED = "CHECK_ACKNOWLEDGED"
    CLARIFICATION_ASKED = "CLARIFICATION_ASKED"
    CLARIFICATION_ANSWERED = "CLARIFICATION_ANSWERED"
    FOLLOW_UP_ASKED = "FOLLOW_UP_ASKED"
    FOLLOW_UP_PAUSED = "FOLLOW_UP_PAUSED"
    FOLLOW_UP_RESUMED = "FOLLOW_UP_RESUMED"
    FOLLOW_UP_ANSWERED = "FOLLOW_UP_ANSWERED"
    CHECK_RETURNED = "CHECK_RETURNED"
    CHECK_DECLINED = "CHECK_DECLINED"
    CHECK_CANCELLED = "CHECK_CANCELLED"
    CHECK_NOT_AWAITED = "CHECK_NOT_AWAITED"
    CHECK_WARNED = "CHECK_WARNED"
    CLOCK_EXTENDED = "CLOCK_EXTENDED"
    CLOCK_PAUSED = "CLOCK_PAUSED"
    CLOCK_RESUMED = "CLOCK_RESUMED"
    CHECK_BREACHED = "CHECK_BREACHED"
    CAUSE_RECORDED = "CAUSE_RECORDED"
    RETURN_MARKED = "RETURN_MARKED"
    CHECK_CHASED = "CHECK_CHASED"
    DISCUSSED_NOW = "DISCUSSED_NOW"
    URGENCY_RATED = "URGENCY_RATED"
    URGENT_CALLED = "URGENT_CALLED"
    URGENT_ACKNOWLEDGED = "URGENT_ACKNOWLEDGED"
    COLLATED = "COLLATED"
    DECISION_REQUESTED = "DECISION_REQUESTED"
    DISCUSSED = "DISCUSSED"
    VIEW_RECORDED = "VIEW_RECORDED"
    DISSENT_RECORDED = "DISSENT_RECORDED"
    DISSENT_ESCALATED = "DISSENT_ESCALATED"
    DISSENT_RESOLVED = "DISSENT_RESOLVED"
    SENT_TO_MANAGER = "SENT_TO_MANAGER"
    SENT_BACK_BY_MANAGER = "SENT_BACK_BY_MANAGER"
    DECIDED = "DECIDED"
    ITEM_RELEASED = "ITEM_RELEASED"
    ITEM_WITHHELD = "ITEM_WITHHELD"
    ALARM_OVERRIDDEN = "ALARM_OVERRIDDEN"
    RECONSIDER_OPENED = "RECONSIDER_OPENED"
    RECONSIDER_SETTLED = "RECONSIDER_SETTLED"
    HAND_BACK_STOPPED = "HAND_BACK_STOPPED"
    HANDED_BACK = "HANDED_BACK"
    ACK_CHASED = "ACK_CHASED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLOSED = "CLOSED"
    ASSESSMENT_READ = "ASSESSMENT_READ"
    OUTCOME_READ = "OUTCOME_READ"
    CHECK_READ = "CHECK_READ"
    NOTICE_UNDELIVERED = "NOTICE_UNDELIVERED"
    NOTICE_PERHAPS_TWICE = "NOTICE_PERHAPS_TWICE"
    ENGINE_CANCELLED = "ENGINE_CANCELLED"
    ENGINE_RESUMED = "ENGINE_RESUMED"
    POST_RELEASED = "POST_RELEASED"
    EVIDENCE_PACKED = "EVIDENCE_PACKED"
    HOLD_SET = "HOLD_SET"
    HOLD_LIFTED = "HOLD_LIFTED"
    CONTENT_ERASED = "CONTENT_ERASED"
    ACCESS_ASKED = "ACCESS_ASKED"
    ACCESS_HELD = "ACCESS_HELD"
    ACCESS_HOLD_LIFTED = "ACCESS_HOLD_LIFTED"
    ACCESS_EXPORTED = "ACCESS_EXPORTED"
    RESTRICTED = "RESTRICTED"
    PERSON_NAMED = "PERSON_NAMED"
    PERSON_REMOVED = "PERSON_REMOVED"
    RESTRICTION_REVIEWED = "RESTRICTION_REVIEWED"
    RESTRICTION_LIFTED = "RESTRICTION_LIFTED"
    INTEREST_DECLARED = "INTEREST_DECLARED"
    GLASS_BROKEN = "GLASS_BROKEN"
    SECOND_LOOK_RECORDED = "SECOND_LOOK_RECORDED"
    CONTACT_CONFIRMED = "CONTACT_CONFIRMED"
    CONTACT_DISMISSED = "CONTACT_DISMISSED"


#: What changes nothing: somebody looked.
READS = frozenset({Act.ASSESSMENT_READ, Act.BASIS_READ, Act.DETAILS_READ, Act.OUTCOME_READ, Act.CHECK_READ})


def write(
    session: Session, reference: str, act: Act, *, by: Actor, at: datetime, content: Any = None, **detail: Any
) -> LedgerEntry:
    """Append one entry to a referral's chain and return it.

    `detail` holds codes, numbers and times, never content. `content` is what was said in this act, as JSON holds it: it
    is kept sealed beside the chain, and the entry is bound to it by a salted commitment, so that it can be erased and
    the chain stays whole (R28, R51). The caller holds the referral's row lock, which keeps the chain free of forks; the
    unique constraint on (reference, number) would refuse one.
    """
    session.flush()
    salt, said = _said(content)
    last = session.exec(
        select(LedgerEntry).where(LedgerEntry.reference == reference).order_by(col(LedgerEntry.number).desc()).limit(1)
    ).first()
    entry = LedgerEntry(
        reference=reference,
        number=last.number + 1 if last else 1,
        at=at,
        actor=by.id,
        act=act,
        detail=detail,
        commitment=chain.commitment_of(salt, said.encode()) if said else "",
        previous=last.digest if last else GENESIS,
        digest="",
    )
    entry.digest = entry.compute_digest()
    session.add(entry)
    session.flush()
    if said:
        session.add(LedgerContent(reference=reference, number=entry.number, salt=salt.hex(), content=said))
        session.flush()
    return entry


def _said(content: Any) -> tuple[bytes, str]:
    if content is None:
        return b"", ""
    return secrets.token_bytes(chain.SALT), json.dumps(content, ensure_ascii=False)


def write_all(
    session: Session, wanted: Sequence[tuple[str, dict[str, Any]]], act: Act, *, by: Actor, at: datetime
) -> None:
    """Append one act to many chains, in the order given: `wanted` holds each entry's reference and detail.

    As `write`, but in two statements. The caller holds the row lock of every referral named.
    """
    session.flush()
    heads = {
        reference: (number, digest)
        for reference, number, digest in session.execute(
            sa.select(col(LedgerEntry.reference), col(LedgerEntry.number), col(LedgerEntry.digest))
            .where(col(LedgerEntry.reference).in_({reference for reference, _ in wanted}))
            .ext(distinct_on(col(LedgerEntry.reference)))
            .order_by(col(LedgerEntry.reference), col(LedgerEntry.number).desc())
        )
    }
    rows = []
    for reference, detail in wanted:
        number, previous = heads.get(reference, (0, GENESIS))
        entry = LedgerEntry(
            reference=reference, number=number + 1, at=at, actor=by.id, act=act, detail=detail,
            previous=previous, digest="",
        )  # fmt: skip
        entry.digest = entry.compute_digest()
        heads[reference] = (entry.number, entry.digest)
        rows.append(entry.model_dump(exclude={"id"}))
    if rows:
        session.execute(sa.insert(LedgerEntry), rows)


def entries(session: Session, reference: str) -> list[LedgerEntry]:
    """A referral's chain, oldest first."""
    query = select(LedgerEntry).where(LedgerEntry.reference == reference).order_by(col(LedgerEntry.number))
    return list(session.exec(query))


def changes(session: Session, reference: str) -> list[LedgerEntry]:
    """What happened to a referral, oldest first, without those who only looked: they may be hundreds."""
    query = select(LedgerEntry).where(LedgerEntry.reference == reference, col(LedgerEntry.act).not_in(READS))
    return list(session.exec(query.order_by(col(LedgerEntry.number))))


def contents(session: Session, reference: str) -> dict[int, LedgerContent]:
    """What the entries of a referral are committed to, by their numbers; what was erased is not there."""
    query = select(LedgerContent).where(LedgerContent.reference == reference)
    return {row.number: row for row in session.exec(query)}


def last_about(session: Session, reference: str, act: Act, subject: str) -> LedgerEntry | None:
    """The newest entry of one act about one subject."""
    query = select(LedgerEntry).where(
        LedgerEntry.reference == reference, LedgerEntry.act == act,
        col(LedgerEntry.detail)["subject"].as_string() == subject,
    )  # fmt: skip
    return session.exec(query.order_by(col(LedgerEntry.number).desc())).first()


def content_of(session: Session, entry: LedgerEntry) -> Any:
    """What was said in an entry. Raises NoResultFound where nothing was, or it was erased."""
    query = select(LedgerContent).where(
        LedgerContent.reference == entry.reference, LedgerContent.number == entry.number
    )
    return json.loads(session.exec(query).one().content)


def first_broken(entries: Sequence[LedgerEntry]) -> int | None:
    """The number of the first entry that does not follow from the one before it; None for a whole chain (R28)."""
    fault: Fault | None = chain.first_fault(entry.as_entry() for entry in entries)
    return fault.number if fault else None
