"""What is held about one person, for that person: all of it, but what is others' or withheld, which is listed (S-28).

It is read from the tables themselves, whichever there are, so that a column added later is not forgotten.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

import jinja2
import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import ledger, past_details, referrals
from casework.collation import TEMPLATES
from casework.documents import AccessDocument, AccessHoldDocument
from casework.ledger import Act
from casework.register import current_profile
from models.decision import ThresholdDecision
from models.referral import Subject
from models.subject_access import SubjectAccess
from models.tables import METADATA
from rules.errors import Conflict, FieldError, NotAcceptable, NotFound, WrongStage
from rules.permissions import Actor
from rules.subject_access import IN_WORDS, LeftOut, answer_due, check_may_answer_access, item_left_out, names_any

FORMAT = "mash-subject-access-1"
#: Copies of what other tables hold, and what the radar makes of it; unsent drafts, the hub's own housekeeping, and the
#: request itself.
COPIES = frozenset({
    "collated_template", "ledger", "ledger_content", "draft", "notice", "wake", "repair", "erasure", "opening",
    "subject_access", "radar_key", "earlier_contact",
})  # fmt: skip
#: Columns that are the hub's own: how rows hang together, and what the engine is told.
_OWN = frozenset({"id", "reference", "number", "version", "sender_id", "body_digest", "run_id", "runs", "digest"})


@dataclass(frozen=True)
class Asked:
    """A request as its page shows it: never what it is about, but by reference and number."""

    request: SubjectAccess
    subject: str
    due_on: date
    overdue: bool


@dataclass
class _Export:
    """What is gathered for one subject; `marks` is what other people in the referral could be recognised by."""

    subject: Subject
    decisions: frozenset[UUID]
    marks: frozenset[str]
    given: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, place: str, why: LeftOut, code: str = "") -> None:
        """Note in the redaction log that something is not given: where it stands, and a code."""
        said = {"place": place, "reason": why, "in_words": IN_WORDS[why]}
        self.left_out.append(said | ({"withheld_because": code} if code else {}))


def ask(session: Session, document: AccessDocument, *, by: Actor, at: datetime) -> UUID:
    """Enter a request; its id. The month goes from the day on which it was received.

    Raises NotPermitted, NotFound, NotAcceptable.
    """
    check_may_answer_access(by)
    zone = current_profile().zone_info
    if document.received_on > at.astimezone(zone).date():
        raise NotAcceptable(FieldError("/received_on", "is in the future"))
    referrals.lock(session, document.reference)
    subject = _subject(session, document.reference, int(document.subject[1:]))
    request = SubjectAccess(
        reference=document.reference, number=subject.number, entered_at=at, entered_by=by.id,
        received_at=datetime.combine(document.received_on, time(12), zone),
    )  # fmt: skip
    session.add(request)
    ledger.write(
        session, document.reference, Act.ACCESS_ASKED, by=by, at=at, subject=subject.code,
        received_on=document.received_on.isoformat(),
    )  # fmt: skip
    return request.id


def hold(session: Session, request_id: UUID, document: AccessHoldDocument, *, by: Actor, at: datetime) -> None:
    """Nothing is given while somebody fears serious harm of it. Raises NotPermitted, NotFound, Conflict."""
    request = _request(session, request_id, by)
    if request.held_at is not None:
        raise Conflict("this request is held already")
    request.held_because, request.held_at, request.held_by = document.reason, at, by.id
    session.add(request)
    said = {"because": document.reason}
    ledger.write(session, request.reference, Act.ACCESS_HELD, by=by, at=at, content=said, subject=f"S{request.number}")


def lift(session: Session, request_id: UUID, *, by: Actor, at: datetime) -> None:
    """It may be given again. Not held: nothing. Raises NotPermitted, NotFound."""
    request = _request(session, request_id, by)
    if request.held_at is None:
        return
    request.held_because = request.held_at = request.held_by = None
    session.add(request)
    ledger.write(session, request.reference, Act.ACCESS_HOLD_LIFTED, by=by, at=at, subject=f"S{request.number}")


def requests(session: Session, *, by: Actor, at: datetime) -> list[Asked]:
    """Every request, the soonest due first; those answered last. Raises NotPermitted."""
    check_may_answer_access(by)
    rows = session.exec(select(SubjectAccess).order_by(col(SubjectAccess.received_at)))
    return sorted((_asked(row, at) for row in rows), key=lambda each: each.request.exported_at is not None)


def one(session: Session, request_id: UUID, *, by: Actor, at: datetime) -> Asked:
    """One request. Raises NotPermitted, NotFound."""
    check_may_answer_access(by)
    found = session.get(SubjectAccess, request_id)
    if found is None:
        raise NotFound("there is no such request")
    return _asked(found, at)


def export(session: Session, request_id: UUID, *, by: Actor, at: datetime) -> dict[str, Any]:
    """All that is held about the subject, and the log of what is left out; that it was made is in the ledger.

    Raises NotPermitted, NotFound, and WrongStage while this or another request of the same person is held.
    """
    request = _request(session, request_id, by)
    same = (SubjectAccess.reference == request.reference, SubjectAccess.number == request.number)
    if session.exec(select(SubjectAccess.id).where(*same, col(SubjectAccess.held_at).is_not(None))).first():
        raise WrongStage("a request of this person is held for fear of serious harm: lift the hold first")
    gathered = _gather(session, request.reference, _subject(session, request.reference, request.number))
    request.exported_at = at
    session.add(request)
    ledger.write(
        session, request.reference, Act.ACCESS_EXPORTED, by=by, at=at, subject=f"S{request.number}",
        given=len(gathered.given), left_out=len(gathered.left_out),
    )  # fmt: skip
    asked = _asked(request, at)
    return {
        "format": FORMAT, "reference": request.reference, "subject": asked.subject,
        "made": at.astimezone(UTC).isoformat(timespec="seconds"), "answer_due_on": asked.due_on.isoformat(),
        "given": gathered.given, "left_out": gathered.left_out,
    }  # fmt: skip


def as_json(told: Mapping[str, Any]) -> bytes:
    """The export for machines."""
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def as_html(told: Mapping[str, Any]) -> bytes:
    """The export for people: one page, without a script, that needs nothing else."""
    return _environment().get_template("subject_access.html").render(told).encode()


def files(told: Mapping[str, Any]) -> dict[str, bytes]:
    """Both, by the names under which they are kept."""
    name = f"subject-access-{told['reference']}-{told['subject']}"
    return {f"{name}.html": as_html(told), f"{name}.json": as_json(told)}


def packed(told: Mapping[str, Any]) -> bytes:
    """Both in one ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(told).items():
            archive.writestr(name, content)
    return out.getvalue()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True
    )


def _asked(row: SubjectAccess, at: datetime) -> Asked:
    profile = current_profile()
    due = answer_due(row.received_at.astimezone(profile.zone_info).date(), profile.calendar())
    overdue = row.exported_at is None and at.astimezone(profile.zone_info).date() > due
    return Asked(row, f"S{row.number}", due, overdue)


def _request(session: Session, request_id: UUID, by: Actor) -> SubjectAccess:
    check_may_answer_access(by)
    found = session.get(SubjectAccess, request_id)
    if found is None:
        raise NotFound("there is no such request")
    referrals.lock(session, found.reference)
    session.refresh(found)
    return found


def _subject(session: Session, reference: str, number: int) -> Subject:
    for subject in referrals.subjects(session, reference):
        if subject.number == number:
            return subject
    raise NotFound("there is no such subject")


# --- gathering ---


def _gather(session: Session, reference: str, subject: Subject) -> _Export:
    others = [each for each in referrals.subjects(session, reference) if each.id != subject.id]
    decisions = session.exec(select(ThresholdDecision.id).where(ThresholdDecision.subject_id == subject.id))
    gathered = _Export(subject, frozenset(decisions), _marks(others, subject))
    for table in METADATA.sorted_tables:
        condition = _of_referral(table, reference)
        if condition is not None and table.name not in COPIES:
            for number, row in enumerate(session.execute(sa.select(table).where(condition)).mappings(), start=1):
                _take_row(gathered, table, number, dict(row))
    for number, corrected in enumerate(past_details.corrections(session, reference)[subject.code], start=1):
        before = {"until": corrected.entry.at, **corrected.said["was"], "corrected because": corrected.said["reason"]}
        _take(gathered, f"earlier details {number}", "earlier details", before)
    return gathered


def _marks(others: list[Subject], own: Subject) -> frozenset[str]:
    """What other subjects could be recognised by, apart from what this one shares with them."""
    theirs = {
        mark
        for each in others
        for mark in (each.given_name, each.family_name, each.nhs_number, each.born_on_sealed, each.address)
        if mark
    }
    return frozenset(theirs - {own.given_name, own.family_name, own.born_on_sealed, own.address})


def _of_referral(table: sa.Table, reference: str) -> sa.ColumnElement[bool] | None:
    """Which rows of a table belong to a referral: by its reference, or by one step to a row that has one."""
    if "reference" in table.c:
        return table.c.reference == reference
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name):
        to = key.column.table
        if "reference" in to.c:
            return key.parent.in_(sa.select(key.column).where(to.c.reference == reference))
    return None


def _take_row(gathered: _Export, table: sa.Table, number: int, row: Mapping[str, Any]) -> None:
    place = f"{table.name} {number}"
    if not _is_theirs(gathered, table, row):
        gathered.leave_out(place, LeftOut.ABOUT_OTHERS)
        return
    if table.name == "legal_hold":
        gathered.leave_out(place, LeftOut.LEGAL_CLAIM)
        return
    _take(gathered, place, table.name.replace("_", " "), dict(_columns(table, row)))


def _take(gathered: _Export, place: str, about: str, fields: Mapping[str, Any]) -> None:
    """Give the fields of one thing that is held, without what is not the subject's to have."""
    cleared = {name: _cleared(gathered, f"{place}, {name}", value) for name, value in fields.items()}
    shown = {name: value for name, value in cleared.items() if value not in (None, [], {}, "")}
    if shown:
        gathered.given.append({"place": place, "about": about, **shown})


def _is_theirs(gathered: _Export, table: sa.Table, row: Mapping[str, Any]) -> bool:
    if table.name == "subject":
        return bool(row["id"] == gathered.subject.id)
    if "subject_id" in row:
        return bool(row["subject_id"] in {None, gathered.subject.id})
    return "decision_id" not in row or row["decision_id"] in gathered.decisions


def _columns(table: sa.Table, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a row tells: neither how rows hang together, nor which account wrote it."""
    for column in table.columns:
        hangs = any(key.column.table.name != "agency" for key in column.foreign_keys)
        if column.name not in _OWN and not hangs and row[column.name] is not None:
            yield column.name, row[column.name]


def _cleared(gathered: _Export, place: str, value: Any) -> Any:
    """A value without what is not the subject's to have; None when nothing of it is."""
    match value:
        case list():
            numbered = [(f"{place} {number}", each) for number, each in enumerate(value, start=1)]
            kept = [_cleared(gathered, where, each) for where, each in numbered if _may_have(gathered, where, each)]
            return [each for each in kept if each is not None]
        case dict():
            # What an agency was asked on is kept by subject: S1, S2 …
            own = {
                key: each for key, each in value.items() if _may_have(gathered, f"{place}, {key}", _named(key, each))
            }
            fields = {key: _cleared(gathered, f"{place}, {key}", each) for key, each in own.items()}
            return {key: each for key, each in fields.items() if each is not None}
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case str() if names_any(value, gathered.marks):
            gathered.leave_out(place, LeftOut.NAMES_OTHERS)
            return None
    return value if isinstance(value, bool | int | None) else str(value)


def _named(key: str, each: Any) -> Any:
    """A value with the subject that it is kept under, if it is."""
    return {"subject": key} if re.fullmatch(r"S[1-9]\d?", key) else each


def _may_have(gathered: _Export, place: str, each: Any) -> bool:
    """Whether one of a list, an item of a return or what a duty team was told of one subject, is theirs to have."""
    if not isinstance(each, dict):
        return True
    why: LeftOut | None = None
    if "recipients" in each:
        why = item_left_out(each, gathered.subject.code)
        if why is None and names_any(json.dumps(each, ensure_ascii=False), gathered.marks):
            why = LeftOut.NAMES_OTHERS
    elif each.get("subject", gathered.subject.code) != gathered.subject.code:
        why = LeftOut.ABOUT_OTHERS
    if why is not None:
        gathered.leave_out(place, why, str(each.get("withheld_because") or ""))
    return why is None
