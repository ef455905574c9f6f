"""INV12: no entry without its change, and no change without its entry. Both sides are told as lists and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from tests.crash.evidence import Evidence, Row, Violation

Side = Callable[[Evidence], Iterable[tuple[Any, ...]]]


def unpaired(evidence: Evidence) -> Iterator[Violation]:
    """Each change that the ledger does not tell of, and each entry whose change is not there."""
    for what, kind, of_rows, of_entries in PAIRS:
        rows, entries = Counter(of_rows(evidence)), Counter(of_entries(evidence))
        for change, times in (rows - entries).items():
            yield Violation("INV12", kind, change[0], f"{what} without its entry, {times} times: {change[1:]}")
        for entry, times in (entries - rows).items():
            yield Violation("INV12", kind, entry[0], f"an entry without its {what}, {times} times: {entry[1:]}")


def _of_check(evidence: Evidence, table: str) -> Iterator[tuple[Row, Row]]:
    checks = evidence.checks_by_id()
    return ((row, checks[row["check_id"]]) for row in evidence.rows[table])


def _told(act: str, *details: str, actor: bool = True) -> Side:
    """One side of a pair: entries of one act, with these details."""

    def entries(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
        for entry in evidence.entries(act):
            who = (entry["actor"],) if actor else ()
            yield (entry["reference"], entry["at"], *who, *(entry["detail"].get(name) for name in details))

    return entries


def _held(table: str, at: str, *columns: str, only: Callable[[Row], bool] = lambda _: True) -> Side:
    """The other side: rows of a table that has a reference."""

    def rows(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
        for row in evidence.rows[table]:
            if row[at] is not None and only(row):
                yield (row["reference"], row[at], *(row[column] for column in columns))

    return rows


def _returns(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for row, check in _of_check(evidence, "agency_return"):
        facts = (check["agency"], row["version"], row["result"], row["addendum"])
        yield (check["reference"], row["recorded_at"], row["recorded_by"], *facts)


def _questions(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for row, check in _of_check(evidence, "clarification"):
        yield (check["reference"], row["asked_at"], row["asked_by"], check["agency"])


def _answers(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    """Open questions of one agency are answered all at once, with one entry."""
    answered = {
        (check["reference"], row["answered_at"], row["answered_by"], check["agency"])
        for row, check in _of_check(evidence, "clarification")
        if row["answered_at"]
    }
    return iter(answered)


def _decisions(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    numbers = {row["id"]: row["number"] for row in evidence.rows["subject"]}
    seen = {row["id"]: row["version"] for row in evidence.rows["collated_template"]}
    for row in evidence.rows["threshold_decision"]:
        yield (
            row["reference"], row["decided_at"], row["decided_by"], f"S{numbers.get(row['subject_id'])}",
            row["version"], row["threshold_met"], row["outcome"], row["level_of_need"], row["threshold_document"],
            seen.get(row["collated_template_id"]),
        )  # fmt: skip


def _reconsidered(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for row, check in _of_check(evidence, "reconsideration"):
        yield (row["reference"], row["opened_at"], check["agency"])


def _exits(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    return (
        (row["reference"], f"S{row['number']}", row["exit_code"])
        for row in evidence.rows["subject"]
        if row["exit_code"]
    )


def _exits_told(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for entry in evidence.entries("SUBJECT_EXITED"):
        yield (entry["reference"], entry["detail"]["subject"], entry["detail"]["outcome"])


def _acknowledgements(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for row in evidence.rows["hand_back"]:
        if row["acknowledged_at"]:
            by = row["acknowledged_by"] or "hub"
            yield (row["reference"], row["acknowledged_at"], by, row["duty_team"], row["version"])


def _acknowledged(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    accounts = {row["id"] for row in evidence.rows["account"]}
    for entry in evidence.entries("ACKNOWLEDGED"):
        by = entry["actor"] if entry["actor"] in accounts else "hub"
        yield (entry["reference"], entry["at"], by, entry["detail"]["duty_team"], entry["detail"]["version"])


def _breaches(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for row in evidence.rows["agency_check"]:
        if row["breached_at"]:
            yield (row["reference"], row["breach_noticed_at"], row["agency"], row["breached_at"].timestamp())


def _breaches_told(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for entry in evidence.entries("CHECK_BREACHED"):
        at = datetime.fromisoformat(entry["detail"]["breached_at"]).timestamp()
        yield (entry["reference"], entry["at"], entry["detail"]["agency"], at)


def _closings(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    """The newest closing, unless the referral was opened again after it."""
    newest: dict[str, Row] = {}
    for entry in evidence.entries("CLOSED", "DECIDED", "HANDED_BACK"):
        newest[entry["reference"]] = entry
    return ((reference, entry["at"]) for reference, entry in newest.items() if entry["act"] == "CLOSED")


def _last_decisions(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    newest = {entry["reference"]: entry["at"] for entry in evidence.entries("DECIDED")}
    return iter(newest.items())


def _perhaps_twice(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    return (
        (row["reference"], row["message"], row["recipient"])
        for row in evidence.rows["notice"]
        if row["perhaps_twice"] and row["reference"]
    )


def _perhaps_twice_told(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    for entry in evidence.entries("NOTICE_PERHAPS_TWICE"):
        yield (entry["reference"], entry["detail"]["message"], entry["detail"]["recipient"])


def _ended_checks(act: str, status: str) -> tuple[Side, Side]:
    """A declined or no longer awaited check may still be answered, so its row is looked at only while it is so."""

    def rows(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
        checks = evidence.rows["agency_check"]
        return ((r["reference"], r["agency"], r["settled_at"]) for r in checks if r["status"] == status)

    def entries(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
        answered = {(e["reference"], e["detail"]["agency"]) for e in evidence.entries("CHECK_RETURNED")}
        for entry in evidence.entries(act):
            key = (entry["reference"], entry["detail"]["agency"])
            if key not in answered:
                yield (*key, entry["at"])

    return rows, entries


PAIRS: list[tuple[str, str, Side, Side]] = [
    ("referral", "lost", _held("referral", "received_at"), _told("RECEIVED", actor=False)),
    ("acceptance", "other", _held("referral", "accepted_at"), _told("ACCEPTED", actor=False)),
    ("request", "other", _held("agency_check", "requested_at", "agency"),
     _told("CHECK_REQUESTED", "agency", actor=False)),
    ("warning", "missed", _held("agency_check", "warned_at", "agency"), _told("CHECK_WARNED", "agency", actor=False)),
    ("return", "lost", _returns, _told("CHECK_RETURNED", "agency", "version", "result", "addendum")),
    ("decline", "lost", *_ended_checks("CHECK_DECLINED", "DECLINED")),
    ("cancellation", "lost", *_ended_checks("CHECK_CANCELLED", "CANCELLED")),
    ("end of waiting", "lost", *_ended_checks("CHECK_NOT_AWAITED", "NOT_AWAITED")),
    ("question", "lost", _questions, _told("CLARIFICATION_ASKED", "agency")),
    ("answer", "lost", _answers, _told("CLARIFICATION_ANSWERED", "agency")),
    ("breach", "missed", _breaches, _breaches_told),
    ("early discussion", "lost", _held("referral", "discuss_now_at"), _told("DISCUSSED_NOW", actor=False)),
    ("template", "other", _held("collated_template", "taken_at", "version", "taken_for"),
     _told("COLLATED", "version", "taken_for", actor=False)),
    ("discussion", "lost", _held("discussion", "recorded_at", "recorded_by", "mode"), _told("DISCUSSED", "mode")),
    ("view", "lost", _held("threshold_view", "recorded_at", "recorded_by", "agency", "view"),
     _told("VIEW_RECORDED", "agency", "view")),
    ("dissent", "lost", _held("dissent", "since"), _told("DISSENT_RECORDED", actor=False)),
    ("decision", "lost", _decisions,
     _told("DECIDED", "subject", "version", "threshold_met", "outcome", "level_of_need", "threshold_document", "seen")),
    ("last decision", "lost", _held("referral", "decided_at"), _last_decisions),
    ("closing", "other", _held("referral", "closed_at"), _closings),
    ("reconsideration", "lost", _reconsidered, _told("RECONSIDER_OPENED", "agency", actor=False)),
    ("settled reconsideration", "lost",
     _held("reconsideration", "settled_at", "settled_by", "conclusion"), _told("RECONSIDER_SETTLED", "conclusion")),
    ("exit", "lost", _exits, _exits_told),
    ("hand-back", "lost", _held("hand_back", "issued_at", "duty_team", "version"),
     _told("HANDED_BACK", "duty_team", "version", actor=False)),
    ("acknowledgement", "lost", _acknowledgements, _acknowledged),
    ("repeated letter", "other", _perhaps_twice, _perhaps_twice_told),
]  # fmt: skip
