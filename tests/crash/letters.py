"""INV7, INV8 and INV15: what had to be said was said, to whom it had to be, once where that can be known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.crash.evidence import Evidence, Letter, Row, Violation

#: Which entry of the ledger is said to somebody, under which name of a message.
SAID = {
    "CHECK_REQUESTED": "check_requested",
    "CHECK_WARNED": "check_due_soon",
    "CHECK_BREACHED": "check_overdue",
    "CHECK_CANCELLED": "check_stopped",
    "CHECK_NOT_AWAITED": "check_stopped",
    "CLARIFICATION_ASKED": "clarification_asked",
    "DECISION_REQUESTED": "decision_wanted",
    "DISSENT_RECORDED": "dissent",
    "DISSENT_ESCALATED": "dissent",
    "RECONSIDER_OPENED": "reconsider_wanted",
    "HANDED_BACK": "outcome_ready",
    "ACK_CHASED": "outcome_not_acknowledged",
    "NOTICE_UNDELIVERED": "notice_undelivered",
}
_TO_TEAM = {"clarification_asked", "decision_wanted", "reconsider_wanted"}
_ENDS = {"SENT", "UNDELIVERED", "DROPPED"}


def faults_of_the_post(evidence: Evidence) -> Iterator[Violation]:
    """Everything that is wrong with notices and letters."""
    letters: dict[str, list[Letter]] = defaultdict(list)
    for letter in evidence.letters:
        letters[letter.message_id].append(letter)
    known = set()
    for notice in evidence.rows["notice"]:
        message_id = f"<{notice['id']}@mash.invalid>"
        known.add(message_id)
        yield from _delivery(evidence, notice, letters[message_id])
        if evidence.recipients and not notice["recipient"].startswith("account:"):
            yield from _recipients(evidence, notice, letters[message_id])
    for message_id in letters.keys() - known:
        if letters[message_id]:
            yield Violation("INV12", "other", message_id, "a letter that no notice tells of")
    yield from _unsaid(evidence)


def ambiguous(evidence: Evidence) -> int:
    """How many letters left more than once, each time where the record says that it may have been."""
    times = Counter(letter.message_id for letter in evidence.letters)
    return sum(
        times[f"<{notice['id']}@mash.invalid>"] > 1 for notice in evidence.rows["notice"] if notice["perhaps_twice"]
    )


def _delivery(evidence: Evidence, notice: Row, letters: list[Letter]) -> Iterator[Violation]:
    where = f"{notice['reference']}/{notice['message']}/{notice['recipient']}"
    if notice["status"] not in _ENDS:
        yield Violation("INV7", "missed", where, f"is still {notice['status']}")
    if notice["status"] == "SENDING" and (lease := notice["lease_until"]) and lease < evidence.real_now:
        yield Violation("INV15", "other", where, f"is held by a sender whose time was up at {lease}")
    if notice["status"] == "SENT" and not letters:
        yield Violation("INV7", "missed", where, "is said to be sent, and there is no letter")
    if len(letters) > 1 and not notice["perhaps_twice"]:
        yield Violation("INV7", "other", where, f"left {len(letters)} times, and the record does not know it")
    if notice["status"] == "WAITING" and notice["attempts"] == 0 and letters:
        yield Violation("INV7", "other", where, "has a letter, and was never tried")


def _recipients(evidence: Evidence, notice: Row, letters: list[Letter]) -> Iterator[Violation]:
    where = f"{notice['reference']}/{notice['message']}/{notice['recipient']}"
    channels = evidence.recipients.get(notice["recipient"], [])
    right = [address.lower() for address in (channels[:1] if notice["channel"] == "primary" else channels)]
    for letter in letters:
        if len(letter.recipients) != 1 or not letter.recipients <= set(right):
            yield Violation("INV8", "wrong_recipient", where, f"went to {sorted(letter.recipients)}")
        if notice["reference"] and notice["reference"] not in letter.subject:
            yield Violation("INV8", "wrong_recipient", where, "is a letter about something else")


def _unsaid(evidence: Evidence) -> Iterator[Violation]:
    """INV7, INV12: an act that is to be told has its notices, as many as it has entries, and no notice has no act."""
    told = Counter((row["reference"], row["message"], _who(row)) for row in evidence.rows["notice"] if _is_counted(row))
    to_tell = Counter(filter(None, (_to_tell(evidence, entry) for entry in evidence.rows["ledger"])))
    for what, times in (to_tell - told).items():
        yield Violation("INV7", "missed", str(what[0]), f"nobody put into the outbox, {times} times: {what[1:]}")
    for what, times in (told - to_tell).items():
        yield Violation("INV12", "other", str(what[0]), f"said without a cause, {times} times: {what[1:]}")
    yield from _unanswered(evidence)


def _is_counted(notice: Row) -> bool:
    return notice["reference"] is not None and notice["message"] in SAID.values()


def _who(notice: Row) -> str:
    """Disagreement and alarms go to whom the area's profile names, which is not the record's to know."""
    return notice["recipient"] if notice["message"] not in ("dissent", "notice_undelivered") else ""


def _to_tell(evidence: Evidence, entry: Row) -> tuple[str, str, str] | None:
    message = SAID.get(entry["act"])
    if message is None or (entry["act"] == "HANDED_BACK" and _is_own_withdrawal(evidence, entry)):
        return None
    if entry["act"] == "NOTICE_UNDELIVERED" and entry["detail"]["message"] == "notice_undelivered":
        return None
    return entry["reference"], message, _addressee(message, entry["detail"])


def _addressee(message: str, detail: Row) -> str:
    if message in _TO_TEAM:
        return "mash:team"
    if message in ("dissent", "notice_undelivered"):
        return ""
    return f"agency:{detail['agency']}" if "agency" in detail else f"duty:{detail['duty_team']}"


def _is_own_withdrawal(evidence: Evidence, entry: Row) -> bool:
    """Whoever withdrew a referral is not told so: the hub acknowledged in its stead."""
    return any(
        row["acknowledged_at"] and row["acknowledged_by"] is None
        for row in evidence.rows["hand_back"]
        if (row["reference"], row["duty_team"], row["version"])
        == (entry["reference"], entry["detail"]["duty_team"], entry["detail"]["version"])
    )


def _unanswered(evidence: Evidence) -> Iterator[Violation]:
    checks = evidence.checks_by_id()
    keys = {row["key"] for row in evidence.rows["notice"]}
    for row in evidence.rows["clarification"]:
        check = checks[row["check_id"]]
        key = f"{check['reference']}:clarification_answered:agency:{check['agency']}:{row['id']}"
        if row["answered_at"] and key not in keys:
            yield Violation("INV7", "missed", check["reference"], f"{check['agency']} was not told of its answer")
