"""Judges a trial by what it left behind: the record, the letters, the engine's runs, and what the driver was told.

    python -m tests.crash.checker --record URL --mail FOLDER --journal FILE --recipients FILE --engine URL

It shares no code with the application. One line of figures, then each violation by the id of its invariant; exit code
1 when there is any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.chain import broken_chains
from tests.crash.evidence import Evidence, Row, Told, Violation, collect
from tests.crash.letters import ambiguous, faults_of_the_post
from tests.crash.pairs import unpaired

#: The entry that each act leaves, by the end of its path.
ENTRY_OF = {
    "referrals": "RECEIVED",
    "acknowledge": "CHECK_ACKNOWLEDGED",
    "clarify": "CLARIFICATION_ASKED",
    "answer": "CLARIFICATION_ANSWERED",
    "return": "CHECK_RETURNED",
    "decline": "CHECK_DECLINED",
    "discuss-now": "DISCUSSED_NOW",
    "discussions": "DISCUSSED",
    "decisions": "DECIDED",
    "reconsideration": "RECONSIDER_SETTLED",
    "acknowledgement": "ACKNOWLEDGED",
    "withdraw": "ENDED_EARLY",
    "clear-concern": "ENDED_EARLY",
    "basis": "BASIS_RECORDED",
}
ALIVE = {"SCHEDULED", "PENDING", "RUNNING", "PAUSED"}
OPEN = {"REQUESTED", "ACKNOWLEDGED", "CLARIFY"}
ANSWERS = ("CHECK_RETURNED", "CHECK_DECLINED", "CHECK_CANCELLED", "CHECK_NOT_AWAITED")
#: A clock's own act may wait this long for the timekeeper before it counts as missed.
PROMPT = timedelta(seconds=60)


def judge(evidence: Evidence) -> list[Violation]:
    """Every violation of INV1-INV9, INV11-INV13 and INV15."""
    rules = (
        acknowledged, referred_once, decided_once, due_times, breaches, late_returns, faults_of_the_post, stranded,
        broken_chains, unpaired, nothing_by_default, hanging,
    )  # fmt: skip
    return [violation for rule in rules for violation in rule(evidence)]


def acknowledged(evidence: Evidence) -> Iterator[Violation]:
    """INV1: what the hub acknowledged is there; and no act left more behind than its sender did."""
    entries = Counter((row["reference"], row["actor"], row["act"]) for row in evidence.rows["ledger"])
    certain: Counter[tuple[str, str, str]] = Counter()
    possible: Counter[tuple[str, str, str]] = Counter()
    for act in evidence.told:
        if "nothing was saved" in act.how:
            yield Violation("INV1", "other", act.reference, f"{act.path}: told that nothing was saved, and it was")
        key = (act.reference, act.account, ENTRY_OF[act.path.rpartition("/")[2]])
        certain[key] += act.entries if act.end == "acknowledged" else 0
        possible[key] += act.entries if act.end != "refused" else 0
    for key, times in (certain - entries).items():
        yield Violation(
            "INV1", "lost", key[0], f"{key[2]} by {key[1]} was acknowledged and is not there, {times} times"
        )
    for key, wanted in possible.items():
        if key[0] and entries[key] > wanted:
            kind = "dup_decisions" if key[2] == "DECIDED" else "other"
            yield Violation("INV2", kind, key[0], f"{key[2]} by {key[1]}: {entries[key]} times instead of {wanted}")


def referred_once(evidence: Evidence) -> Iterator[Violation]:
    """INV2: one sender's id is one referral, the one that the sender was told of."""
    held: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in evidence.rows["referral"]:
        held[f"system-{row['duty_team']}", row["sender_id"]].append(row["reference"])
    for (account, key), references in held.items():
        if len(references) > 1:
            yield Violation("INV2", "dup_referrals", key, f"{account} sent it once, and it is there as {references}")
    for act in evidence.told:
        if act.path == "/referrals" and act.end == "acknowledged":
            yield from _is_the_one(act, held[act.account, act.key])


def _is_the_one(act: Told, references: list[str]) -> Iterator[Violation]:
    if act.reference not in references:
        yield Violation("INV1", "lost", act.key, f"acknowledged as {act.reference}, and there is {references}")


def decided_once(evidence: Evidence) -> Iterator[Violation]:
    """INV3: one decision for each subject; another one only after a reconsideration; signed on what was seen."""
    versions: dict[Any, list[int]] = defaultdict(list)
    for row in evidence.rows["threshold_decision"]:
        versions[row["reference"], row["subject_id"]].append(row["version"])
        if not row["threshold_document"] or not row["decided_by"]:
            yield Violation("INV3", "other", row["reference"], "a decision without its decider or threshold document")
    changes = Counter(
        (entry["reference"], entry["at"])
        for entry in evidence.entries("RECONSIDER_SETTLED")
        if entry["detail"]["conclusion"] == "CHANGED"
    )
    rounds = Counter(reference for reference, _ in changes)
    for (reference, _), found in versions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield Violation("INV3", "dup_decisions", reference, f"versions of a decision: {sorted(found)}")
        if len(found) > 1 + rounds[reference]:
            yield Violation("INV3", "dup_decisions", reference, f"{len(found)} decisions, {rounds[reference]} changes")


def due_times(evidence: Evidence) -> Iterator[Violation]:
    """INV4: the due time is that of the request, or of the last person who moved it."""
    asked: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for entry in evidence.entries("CHECK_REQUESTED"):
        asked[entry["reference"], entry["detail"]["agency"]].append(entry)
    moved = {
        (entry["reference"], entry["detail"]["agency"]): entry["detail"]["due_at"]
        for entry in evidence.entries("CLOCK_EXTENDED", "CLOCK_RESUMED")
    }
    for check in evidence.rows["agency_check"]:
        key = (check["reference"], check["agency"])
        where, requests = "/".join(key), asked[key]
        if len(requests) != 1:
            yield Violation("INV4", "other", where, f"was requested {len(requests)} times")
            continue
        wanted = moved.get(key, requests[0]["detail"]["due_at"])
        if datetime.fromisoformat(wanted) != check["due_at"]:
            yield Violation("INV4", "other", where, f"is due {check['due_at']}, asked for {wanted}")


def breaches(evidence: Evidence) -> Iterator[Violation]:
    """INV5: breached once, at the due time, exactly when there was no answer by then."""
    first: dict[tuple[str, str], datetime] = {}
    for entry in evidence.entries(*ANSWERS):
        first.setdefault((entry["reference"], entry["detail"]["agency"]), entry["at"])
    told = Counter((row["reference"], row["detail"]["agency"]) for row in evidence.entries("CHECK_BREACHED"))
    for check in evidence.rows["agency_check"]:
        key = (check["reference"], check["agency"])
        answered, due, breached = first.get(key), check["due_at"], check["breached_at"]
        if (answered or evidence.now) <= due and breached:
            yield Violation("INV5", "other", "/".join(key), "is breached, and its time had not passed")
        if not breached and not check["paused_at"] and (answered > due if answered else evidence.now > due + PROMPT):
            yield Violation("INV5", "missed", "/".join(key), "let its time pass, and no breach is written down")
        if breached and (breached != due or check["breach_noticed_at"] < due):
            yield Violation("INV5", "other", "/".join(key), f"is due {due}, breached {breached}")
        if told[key] > 1:
            yield Violation("INV5", "other", "/".join(key), f"{told[key]} breaches are in the ledger")


def late_returns(evidence: Evidence) -> Iterator[Violation]:
    """INV6: every return is kept in its versions, late ones with how late, those after the decision with a question."""
    versions: dict[Any, list[int]] = defaultdict(list)
    for row in evidence.rows["agency_return"]:
        versions[row["check_id"]].append(row["version"])
    late = {
        (e["reference"], e["detail"]["agency"]): e["detail"]["late_ms"]
        for e in evidence.entries("CHECK_RETURNED")
        if e["detail"]["version"] == 1
    }
    for check in evidence.rows["agency_check"]:
        where, found = f"{check['reference']}/{check['agency']}", sorted(versions[check["id"]])
        if found != list(range(1, len(found) + 1)) or bool(found) != (check["status"] in ("RETURNED", "RETURNED_LATE")):
            yield Violation("INV6", "lost", where, f"is {check['status']} and holds versions {found} of its return")
        elif check["status"] == "RETURNED_LATE":
            was = round((check["settled_at"] - check["due_at"]).total_seconds() * 1000)
            if late.get((check["reference"], check["agency"])) != was:
                yield Violation("INV6", "other", where, f"came {was} ms late, and the ledger says otherwise")
    yield from _unasked(evidence)


def _unasked(evidence: Evidence) -> Iterator[Violation]:
    """A return after a decision must ask whether that stands."""
    decided: dict[str, int] = {}
    for entry in evidence.entries("DECIDED"):
        decided.setdefault(entry["reference"], entry["number"])
    asked = Counter(entry["reference"] for entry in evidence.entries("RECONSIDER_OPENED"))
    after = Counter(
        entry["reference"]
        for entry in evidence.entries("CHECK_RETURNED")
        if entry["number"] > decided.get(entry["reference"], entry["number"])
    )
    for reference, times in (after - asked).items():
        yield Violation("INV6", "missed", reference, f"{times} returns after the decision asked nobody to look again")


def stranded(evidence: Evidence) -> Iterator[Violation]:
    """INV9: every open referral has a live run, and none waits for the hub itself."""
    checks, told = evidence.of("agency_check"), evidence.of("hand_back")
    woken = {row["reference"] for row in evidence.rows["wake"] if row["kind"] == "RUN"}
    for row in evidence.rows["referral"]:
        reference, stage = row["reference"], row["stage"]
        if stage == "CLOSED":
            continue
        if evidence.runs is not None and evidence.runs.get(str(row["run_id"])) not in ALIVE and reference not in woken:
            yield Violation("INV9", "stranded", reference, f"is {stage}, and no run carries it")
        if stage in ("RECEIVED", "HANDING_BACK"):
            yield Violation("INV9", "stranded", reference, f"stays {stage}")
        if stage == "CHECKING" and all(check["status"] not in OPEN for check in checks[reference]):
            yield Violation("INV9", "stranded", reference, "stays CHECKING, and every check is settled")
        if stage == "AWAITING_ACK" and all(_latest(told[reference]).values()):
            yield Violation("INV9", "stranded", reference, "stays AWAITING_ACK, and everybody acknowledged")
    for wake in evidence.rows["wake"]:
        if wake["due_at"] < evidence.now - PROMPT:
            yield Violation(
                "INV9", "missed", wake["reference"], f"a wake ({wake['kind']}) is due since {wake['due_at']}"
            )


def _latest(told: list[Row]) -> Mapping[str, bool]:
    """Whether each duty team acknowledged the newest outcome."""
    newest = sorted(told, key=lambda row: row["version"])
    return {row["duty_team"]: row["acknowledged_at"] is not None for row in newest}


def nothing_by_default(evidence: Evidence) -> Iterator[Violation]:
    """INV13: people decide; nothing is handed back undecided; a check without a return is not an answer."""
    people = {row["id"] for row in evidence.rows["account"] if row["role"] == "DECISION_MAKER" and row["is_person"]}
    for row in evidence.rows["threshold_decision"]:
        if row["decided_by"] not in people:
            yield Violation("INV13", "other", row["reference"], f"{row['decided_by']} decided, who may not")
    decided = {row["subject_id"] for row in evidence.rows["threshold_decision"]}
    undecided = defaultdict(list)
    for subject in evidence.rows["subject"]:
        if subject["id"] not in decided and not subject["exit_code"]:
            undecided[subject["reference"]].append(f"S{subject['number']}")
    for row in evidence.rows["referral"]:
        if row["stage"] in ("HANDING_BACK", "AWAITING_ACK", "CLOSED") and undecided[row["reference"]]:
            yield Violation(
                "INV13", "other", row["reference"], f"is {row['stage']}, undecided: {undecided[row['reference']]}"
            )
    yield from _handed_back_as_decided(evidence)


def _handed_back_as_decided(evidence: Evidence) -> Iterator[Violation]:
    """What a duty team was told last is what was decided last, and a closed referral was acknowledged by all."""
    outcomes: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in evidence.rows["ledger"]:
        if entry["act"] in ("DECIDED", "SUBJECT_EXITED"):
            outcomes[entry["reference"]][entry["detail"]["subject"]] = entry["detail"]["outcome"]
        elif entry["act"] == "HANDED_BACK":
            known = outcomes[entry["reference"]]
            if any(known.get(subject) != outcome for subject, outcome in entry["detail"]["outcomes"].items()):
                yield Violation("INV13", "other", entry["reference"], "handed back something else than was decided")
    told = evidence.of("hand_back")
    for row in evidence.rows["referral"]:
        if row["stage"] == "CLOSED" and not (told[row["reference"]] and all(_latest(told[row["reference"]]).values())):
            yield Violation("INV13", "other", row["reference"], "is CLOSED, and not everybody acknowledged")


def hanging(evidence: Evidence) -> Iterator[Violation]:
    """INV15: no transaction stays open."""
    return (Violation("INV15", "other", who, "has left a transaction open") for who in evidence.idle)


def summary(evidence: Evidence, found: list[Violation], *, trials: int, kills: int, seed: str) -> str:
    """The one line of figures."""
    kinds = Counter(violation.kind for violation in found)
    acked = sum(act.end == "acknowledged" for act in evidence.told)
    return (
        f"trials={trials} kills={kills} acked={acked} lost={kinds['lost']} dup_referrals={kinds['dup_referrals']} "
        f"dup_decisions={kinds['dup_decisions']} wrong_recipients={kinds['wrong_recipient']} missed={kinds['missed']} "
        f"ambiguous_mail_dups={ambiguous(evidence)} stranded={kinds['stranded']} "
        f"chain={'broken' if kinds['chain'] else 'ok'} other={kinds['other']} seed={seed}"
    )


def main() -> int:
    """Read the command line, judge, print, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.checker", description="Judges what a trial left.")
    parser.add_argument("--record", required=True, help="postgresql:// of the record; a superuser's sees most")
    parser.add_argument("--mail", type=Path, required=True, help="the folder of the SMTP sink")
    parser.add_argument("--journal", type=Path, help="what the driver was told")
    parser.add_argument("--recipients", type=Path, help="JSON: recipient to its addresses")
    parser.add_argument("--engine", help="postgresql:// of the engine's database")
    parser.add_argument("--trials", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", default="-")
    asked = parser.parse_args()
    evidence = collect(
        asked.record, asked.mail, journal=asked.journal, recipients=asked.recipients, engine_url=asked.engine
    )
    found = judge(evidence)
    print(summary(evidence, found, trials=asked.trials, kills=asked.kills, seed=asked.seed))
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
