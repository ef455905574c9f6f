"""The evidence pack: one referral's formal record for somebody outside, who needs no access to the hub (R28).

All that it says is read from the ledger and from the contents that its entries are committed to; the letters alone come
from the outbox. docs/evidence.md says how a stranger checks one.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from casework import ledger, outgoing, referrals
from casework.checkpoints import public_hex
from casework.ledger import Act
from models.ledger import LedgerContent, LedgerEntry
from models.outbox import Notice
from models.referral import Referral
from models.settings import HOUSE
from rules.chain import framed
from rules.errors import FieldError, NotAcceptable
from rules.permissions import Actor, check_may_decide

FORMAT = "mash-pack-1"
#: What stands in the pack's files for machines alone: paper is left lying, and copied on.
UNPRINTED = frozenset({"address", "sending_officer"})
_NOT_HERE = "not printed; it is in record.json"
PACK = Path(__file__).resolve().parent / "pack"

#: What each chapter of the record is told by.
CHAPTERS: dict[str, tuple[Act, ...]] = {
    "referred": (
        Act.RECEIVED, Act.QUEUED, Act.ACCEPTED, Act.SUBJECT_EXITED, Act.DETAILS_CORRECTED, Act.ENDED_EARLY,
        Act.CONTACT_CONFIRMED, Act.CONTACT_DISMISSED,
    ),
    "basis": (
        Act.BASIS_AWAITED, Act.BASIS_CHASED, Act.BASIS_RECORDED, Act.ASKING_PLANNED, Act.AGREEMENT_OVERRIDDEN,
    ),
    "asked": (Act.CHECK_REQUESTED, Act.CHECK_CHASED, Act.CLOCK_EXTENDED, Act.CLOCK_PAUSED, Act.CLOCK_RESUMED),
    "came_back": (
        Act.CHECK_ACKNOWLEDGED, Act.CHECK_RETURNED, Act.CHECK_DECLINED, Act.CHECK_BREACHED, Act.CHECK_CANCELLED,
        Act.CHECK_NOT_AWAITED, Act.CAUSE_RECORDED, Act.RETURN_MARKED,
    ),
    "said": (
        Act.CLARIFICATION_ASKED, Act.CLARIFICATION_ANSWERED, Act.FOLLOW_UP_ASKED, Act.FOLLOW_UP_PAUSED,
        Act.FOLLOW_UP_RESUMED, Act.FOLLOW_UP_ANSWERED, Act.URGENCY_RATED, Act.URGENT_CALLED,
        Act.URGENT_ACKNOWLEDGED, Act.DISCUSSED_NOW, Act.DISCUSSED, Act.VIEW_RECORDED,
        Act.DISSENT_RECORDED, Act.DISSENT_ESCALATED, Act.DISSENT_RESOLVED,
    ),
    "decided": (
        Act.SENT_TO_MANAGER, Act.SENT_BACK_BY_MANAGER, Act.DECIDED, Act.RECONSIDER_OPENED, Act.RECONSIDER_SETTLED,
        Act.SECOND_LOOK_RECORDED,
    ),
    "released": (Act.ITEM_RELEASED, Act.ITEM_WITHHELD, Act.ALARM_OVERRIDDEN),
    "told": (Act.HAND_BACK_STOPPED, Act.HANDED_BACK, Act.ACK_CHASED, Act.ACKNOWLEDGED, Act.CLOSED),
    "hidden": (
        Act.RESTRICTED, Act.PERSON_NAMED, Act.PERSON_REMOVED, Act.RESTRICTION_REVIEWED, Act.RESTRICTION_LIFTED,
        Act.INTEREST_DECLARED, Act.GLASS_BROKEN,
    ),
    "read": (
        Act.BASIS_READ, Act.DETAILS_READ, Act.CHECK_READ, Act.ASSESSMENT_READ, Act.OUTCOME_READ, Act.EVIDENCE_PACKED,
    ),
    "kept": (
        Act.HOLD_SET, Act.HOLD_LIFTED, Act.CONTENT_ERASED, Act.ACCESS_ASKED, Act.ACCESS_HELD, Act.ACCESS_HOLD_LIFTED,
        Act.ACCESS_EXPORTED,
    ),
}  # fmt: skip


def make(
    session: Session, reference: str, key: Ed25519PrivateKey, because: str | None = None, *,
    partner: str | None = None, by: Actor, at: datetime,
) -> bytes:  # fmt: skip
    """A referral's pack as a ZIP file, signed; that it was made, and for whom, is its ledger's last entry.

    For a decision maker with the MASH profile, since all of the assessment is in it. What a `partner`, an agency or a
    duty team, must not learn is searched for in all of it (R29); without one, whether there is a protected address.
    What is found leaves only with a reason why whoever gets it may have that. Raises NotPermitted, NotFound, or
    NotAcceptable without one.
    """
    check_may_decide(by)
    referral = referrals.lock(session, reference)
    found = _guarded(session, referral, partner)
    if found and not because:
        detail = f"the pack would hold {found}: say why {partner or 'its reader'} may have that"
        raise NotAcceptable(FieldError("/because", detail))
    said = {"because": because} if because else None
    to = {"partner": partner} if partner else {}
    ledger.write(session, reference, Act.EVIDENCE_PACKED, by=by, at=at, content=said, **to)
    chain = ledger.entries(session, reference)
    contents = ledger.contents(session, reference)
    told = record(reference, chain, contents, letters(session, reference))
    files = {
        "ledger.jsonl": "".join(f"{entry.as_entry().line()}\n" for entry in chain).encode(),
        "contents.jsonl": "".join(f"{_content(row)}\n" for _, row in sorted(contents.items())).encode(),
        "record.json": json.dumps(told, ensure_ascii=False, indent=1).encode(),
        "record.pdf": as_pdf(told, at=at),
        "verify.py": (PACK / "verify.py").read_bytes(),
        "evidence.md": (HOUSE / "docs" / "evidence.md").read_bytes(),
        "ledger-format.md": (HOUSE / "docs" / "ledger-format.md").read_bytes(),
    }
    return _zipped(files | _manifest(reference, files, key, at), at)


def _guarded(session: Session, referral: Referral, partner: str | None) -> str:
    """What a pack holds that its reader must not have, in words that hold nothing of it; the empty text for nothing."""
    if partner is None:
        protected = outgoing.protected(session, referral.reference)
        return f"a protected address ({', '.join(protected)})" if protected else ""
    held = {number: row.content for number, row in ledger.contents(session, referral.reference).items()}
    found = outgoing.in_a_record(held, outgoing.for_partner(session, referral, partner))
    return "; ".join(
        f"{each.said()} in {'entry' if len(numbers) == 1 else 'entries'} {', '.join(map(str, numbers))}"
        for each, numbers in sorted(found.items())
    )


def record(
    reference: str, chain: Iterable[LedgerEntry], contents: dict[int, LedgerContent], letters: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a referral's ledger tells, chapter by chapter, each entry with what was said in it, if it is held."""
    told = [_told(entry, contents.get(entry.number)) for entry in chain]
    chapters = {name: [entry for entry in told if entry["act"] in acts] for name, acts in CHAPTERS.items()}
    return {"reference": reference, **chapters, "known_at_decisions": _known(told), "letters": letters, "ledger": told}


def as_pdf(told: dict[str, Any], *, at: datetime) -> bytes:
    """The same for people: tagged, and with everything in it that is printed. `at` is the date it bears."""
    stamp = int(at.timestamp())
    data = {"data": json.dumps({**printed(told), "made": _moment(at)}, ensure_ascii=False)}
    pdf = typst.compile(
        (PACK / "record.typ").read_bytes(), format="pdf", sys_inputs=data, ignore_system_fonts=True, timestamp=stamp,
        pdf_standards="ua-1",
    )  # fmt: skip
    return bytes(pdf)


def printed(told: Any) -> Any:
    """What a record tells, with words for a person's address and the sending officer where they stand in it (S-26)."""
    if isinstance(told, dict):
        return {name: _NOT_HERE if name in UNPRINTED and of else printed(of) for name, of in told.items()}
    return [printed(each) for each in told] if isinstance(told, list) else told


def _told(entry: LedgerEntry, held: LedgerContent | None) -> dict[str, Any]:
    said = json.loads(held.content) if held else None
    return {
        "number": entry.number, "at": _moment(entry.at), "by": entry.actor, "act": str(entry.act),
        "detail": entry.detail, "content": said, "erased": bool(entry.commitment) and held is None,
    }  # fmt: skip


def _known(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each decision the collated template that its maker had seen."""
    kept = {e["detail"]["version"]: e["number"] for e in told if e["act"] == Act.COLLATED}
    return [
        {"decision": e["number"], "subject": e["detail"]["subject"], "seen_in_entry": kept.get(e["detail"]["seen"])}
        for e in told
        if e["act"] == Act.DECIDED
    ]


def letters(session: Session, reference: str) -> list[dict[str, Any]]:
    """Every letter about a referral as the outbox keeps it: which message, to whom, when it was written and sent."""
    query = select(Notice).where(Notice.reference == reference).order_by(col(Notice.written_at), col(Notice.key))
    return [
        {
            "message": letter.message, "to": letter.recipient, "written": _moment(letter.written_at),
            "status": str(letter.status), "sent": _moment(letter.sent_at) if letter.sent_at else None,
        }
        for letter in session.exec(query)
    ]  # fmt: skip


def _content(row: LedgerContent) -> str:
    return json.dumps({"number": row.number, "salt": row.salt, "content": row.content})


def _manifest(reference: str, files: dict[str, bytes], key: Ed25519PrivateKey, at: datetime) -> dict[str, bytes]:
    manifest = {
        "format": FORMAT,
        "reference": reference,
        "made": _moment(at),
        "public_key": public_hex(key),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    raw = json.dumps(manifest, indent=1).encode()
    return {"manifest.json": raw, "manifest.sig": key.sign(framed(FORMAT.encode(), raw)).hex().encode() + b"\n"}


def _zipped(files: dict[str, bytes], at: datetime) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name, at.astimezone(UTC).timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
