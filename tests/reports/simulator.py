"""Some months of a hub's record, row by row, drawn by a seed: with the shape of real ones, and nobody in them.

The verbs play no part, so that thousands take seconds. What is drawn, and from what:
- when a referral comes: a day (a closed one gets a tenth of an open one's share), and a triangular time of day that is
  most often 11:00, in whole seconds;
- whom it is about: 58 % children, 29 % adults, 13 % both; one person of each side, and each further one with 35 %;
- who has an NHS number: 85 %; and of the first persons with one, every fifth was drawn before;
- how long an agency takes: log-normal office time, of a median of its own (two to six hours) and sigma 0.9; 4 %
  decline after that time, 4 % never answer, and 2 % answer at the very second at which they are due;
- 5 % of clocks are paused once, for up to three days of office time; two referrals in ten run on four hours of it;
- 4 % of referrals are withdrawn, and 3 % discussed early, at any moment of their first two days;
- what an agency thinks, and what is decided: a level of doubt for each referral, and each says "met" with that chance.

Nothing is known after `until`: what would come later waits.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from models.base import seal
from models.profile import Profile
from rules.people import Side
from rules.reference import new_reference

Row = dict[str, Any]
Rows = dict[str, list[Row]]

STANDARD, URGENT = "STANDARD", "URGENT"
POLICY = {STANDARD: "NEXT_WORKING_DAY_SAME_TIME", URGENT: "OFFICE_HOURS"}
TEAM_OF = {Side.CHILD: "CHILDREN_DUTY", Side.ADULT: "ADULT_ASIST"}
CAUSES = ["AGENCY_LATE", "ASKED_LATE", "QUESTION_UNCLEAR", "REP_ABSENT", "SYSTEM_DOWN", "OTHER"]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFICE_DAY = 8.5 * 3600


class Office:
    """Opening time as one line of seconds, on which moments are found and put."""

    def __init__(self, profile: Profile, about: date) -> None:
        calendar = profile.calendar()
        days = (about + timedelta(days=number) for number in range(-3000, 500))
        spans = [span for day in days if (span := calendar.span_on(day))]
        self._zone = calendar.zone_info
        self._opens, self._closes = [opens for opens, _ in spans], [closes for _, closes in spans]
        self._before = [0]
        for opens, closes in spans:
            self._before.append(self._before[-1] + int((closes - opens).total_seconds()))

    def after(self, moment: datetime, seconds: float) -> datetime:
        """When so many whole seconds of opening time are over since a moment."""
        wanted = self._line(moment) + int(seconds)
        day = bisect_right(self._before, wanted) - 1
        return self._opens[day] + timedelta(seconds=wanted - self._before[day])

    def between(self, since: datetime, until: datetime) -> int:
        """The seconds of opening time between two moments."""
        return self._line(until) - self._line(since)

    def next_day(self, moment: datetime) -> datetime:
        """The same time of day on the next day that is open."""
        wall, day = moment.astimezone(self._zone), bisect_right(self._opens, moment)
        while self._opens[day].astimezone(self._zone).date() == wall.date():
            day += 1
        on = self._opens[day].astimezone(self._zone).date()
        return datetime.combine(on, wall.time(), self._zone).astimezone(UTC)

    def _line(self, moment: datetime) -> int:
        day = bisect_right(self._opens, moment) - 1
        return self._before[day] + int((min(moment, self._closes[day]) - self._opens[day]).total_seconds())


@dataclass
class Simulator:
    """Draws referrals as the record holds them at the moment `until`, and keeps their rows by table.

    `seed` makes everything: the same one draws the same rows.
    """

    profile: Profile
    until: datetime
    seed: int
    rows: Rows = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._luck = Random(self.seed)
        self._office = Office(self.profile, self.until.date())
        self._medians = {each.code: 7200 + 14400 * place / 10 for place, each in enumerate(self.profile.agencies)}
        self._known: list[bytes] = []
        self._references: set[str] = set()
        #: What stands where text about people would: sealed once, for all of it.
        self._text, self._list = seal("As is usual."), seal("[]")

    def draw(self, referrals: int, first: date, last: date) -> None:
        """So many referrals that come on these local days, both included; none that would come after `until`."""
        calendar = self.profile.calendar()
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        weights = [1.0 if calendar.is_working_day(day) else 0.1 for day in days]
        for day in sorted(self._luck.choices(days, weights, k=referrals)):
            seconds = int(self._luck.triangular(0, 24, 11) * 3600)
            wall = datetime.combine(day, datetime.min.time(), calendar.zone_info) + timedelta(seconds=seconds)
            if (received := wall.astimezone(UTC)) < self.until:
                self._referral(received)

    def only_received(self, at: datetime, digest: bytes) -> str:
        """A planted referral about one child, who is known by `digest`: its reference."""
        row = self._add("referral", **self._bare(at))
        self._person(row, 1, Side.CHILD, digest)
        return str(row["reference"])

    def _referral(self, received: datetime) -> None:
        luck, until = self._luck, self.until
        sides = luck.choices([[Side.CHILD], [Side.ADULT], [Side.CHILD, Side.ADULT]], [58, 29, 13])[0]
        band = URGENT if luck.random() < 0.2 else STANDARD
        row = self._add("referral", **{**self._bare(received), "urgency": band, "duty_team": TEAM_OF[sides[0]]})
        subjects = self._subjects(row, sides)
        accepted = self._office.after(received, luck.randrange(1, 3600))
        if accepted > until or luck.random() < 0.01:
            row["stage"] = "AWAITING_BASIS"
            return
        row.update(stage="CHECKING", accepted_at=accepted)
        stops = accepted + luck.randrange(60, 2 * 86400) * timedelta(seconds=1)
        fate = luck.choices(["usual", "withdrawn", "early"], [93, 4, 3])[0]
        checks = [self._check(row, each.code, accepted, sides) for each in self.profile.agencies_to_ask(set(sides))]
        ends = max(min(check["settled_at"] or check["due_at"], check["due_at"]) for check in checks)
        if fate == "withdrawn" and stops < until:
            row["joined_at"] = ends if ends < stops else None
            self._stop(checks, stops, "CANCELLED")
            self._add("ledger", **_entry(row["reference"], "ENDED_EARLY", stops))
            self._hand_back(row, sides, stops)
        else:
            if fate == "early" and stops < min(until, ends):
                self._stop(checks, stops, "NOT_AWAITED")
                ends = stops
            if ends < until and not any(check["paused_at"] for check in checks):
                row.update(stage="AWAITING_DECISION", joined_at=ends)
                self._decide(row, subjects, sides, checks)
        for check in checks:
            self._settle(check)

    def _subjects(self, referral: Row, sides: Iterable[Side]) -> list[Row]:
        found: list[Row] = []
        for side in sides:
            for _ in range(1 + (self._luck.random() < 0.35)):
                found.append(self._person(referral, len(found) + 1, side, self._digest(first=not found)))
        return found

    def _person(self, referral: Row, number: int, side: Side, digest: bytes | None) -> Row:
        """Somebody whom a referral is about, who is known again by `digest`."""
        return self._add(
            "subject", id=self._id(), reference=referral["reference"], number=number, side=str(side), household=1,
            household_role=self._text, given_name=self._text, family_name=self._text, person_digest=digest,
            protected_address=False, details_version=1, informed="INFORMED", consent="GIVEN_VERBAL",
        )  # fmt: skip

    def _digest(self, *, first: bool) -> bytes | None:
        luck = self._luck.random()
        if luck < 0.14:
            return None
        if luck < 0.15:
            # What erasure leaves.
            return b""
        if first and self._known and self._luck.random() < 0.2:
            return self._luck.choice(self._known)
        self._known.append(self._luck.randbytes(32))
        return self._known[-1]

    def _check(self, referral: Row, agency: str, asked: datetime, sides: list[Side]) -> Row:
        """A check with its due time, and in `settled_at` when it is answered, be that late or after `until`."""
        luck, office = self._luck, self._office
        scope = [side for side in sides if side in self.profile.agency(agency).scope]
        urgent = referral["urgency"] == URGENT
        due = office.after(asked, 4 * 3600) if urgent else office.next_day(asked)
        check = self._new_check(referral, agency, asked, due, ",".join(sorted(map(str, scope))))
        answer = office.after(asked, 60 + self._medians[agency] * math.exp(luck.gauss(0, 0.9)))
        if luck.random() < 0.05:
            paused = asked + (due - asked) * luck.random() * 0.9
            paused = office.after(paused.replace(microsecond=0), 0)
            resumed = office.after(paused, luck.randrange(600, int(3 * OFFICE_DAY)))
            if paused < min(due, answer, self.until) and resumed > self.until:
                check.update(paused_at=paused, pause_reason="QUESTION_OPEN")
                return check
            if paused < min(due, answer):
                due = check["due_at"] = office.after(due, office.between(paused, resumed))
                answer = max(answer, resumed)
        how = luck.choices(["RETURNED", "DECLINED", "never", "at once when due"], [90, 4, 4, 2])[0]
        if how == "at once when due":
            answer = due
        if how != "never":
            check.update(settled_at=answer, status="DECLINED" if how == "DECLINED" else "RETURNED")
        return check

    def _new_check(self, referral: Row, agency: str, asked: datetime, due: datetime, sides: str) -> Row:
        """A check that waits for its agency."""
        return self._add(
            "agency_check", id=self._id(), reference=referral["reference"], agency=agency, status="REQUESTED",
            sides=sides, place=200, requested_at=asked, due_at=due, clock_policy=POLICY[referral["urgency"]],
            calendar_version="drawn", due_in_words="As drawn.", blocking=True, noted_by_run=True,
            asked_because="IN_SCOPE", basis={}, paused_at=None, pause_reason=None, settled_at=None, breached_at=None,
            breach_cause=None, cause_given_at=None, cause_given_by=None, decline_reason=None, acknowledged_at=None,
        )  # fmt: skip

    def _stop(self, checks: list[Row], at: datetime, status: str) -> None:
        for check in checks:
            if check["settled_at"] is None or check["settled_at"] > at:
                late = check["settled_at"] if status == "NOT_AWAITED" and self._luck.random() < 0.3 else None
                check.update(settled_at=at, status=status, paused_at=None, pause_reason=None)
                if late is not None and late > check["due_at"]:
                    # It answers all the same, and was not waited for when it came due.
                    check.update(settled_at=late, status="RETURNED", not_awaited=at)

    def _settle(self, check: Row) -> None:
        """What the record says of a check by now."""
        waited_until = check.pop("not_awaited", None) or check["settled_at"] or self.until
        if check["settled_at"] is not None and check["settled_at"] > self.until:
            waiting = "NOT_AWAITED" if waited_until < check["settled_at"] else "REQUESTED"
            check.update(status=waiting, settled_at=waited_until if waiting == "NOT_AWAITED" else None)
        if check["due_at"] < min(waited_until, self.until) and check["paused_at"] is None:
            check["breached_at"] = check["due_at"]
            if self._luck.random() < 0.6:
                check.update(
                    breach_cause=self._luck.choice(CAUSES), cause_given_at=check["due_at"] + HOUR,
                    cause_given_by=self._luck.choice(["support", f"rep-{check['agency']}"]),
                )  # fmt: skip
        if check["status"] == "DECLINED":
            check["decline_reason"] = self._luck.choice(["LIVE_INVESTIGATION", "NO_AGREEMENT"])
        if check["status"] == "RETURNED":
            if check["settled_at"] > check["due_at"]:
                check["status"] = "RETURNED_LATE"
            self._returns(check)

    def _returns(self, check: Row) -> None:
        corrected = check["settled_at"] + HOUR
        for version, at in enumerate([check["settled_at"], *([corrected] if self._luck.random() < 0.03 else [])], 1):
            self._add(
                "agency_return", id=self._id(), check_id=check["id"], version=version, result="NOT_KNOWN",
                recorded_at=at, recorded_by=f"rep-{check['agency']}", addendum=version > 1, items=self._list,
                systems_searched=self._list, consultations=self._list,
            )  # fmt: skip

    def _decide(self, referral: Row, subjects: list[Row], sides: list[Side], checks: list[Row]) -> None:
        luck, reference, joined = self._luck, referral["reference"], referral["joined_at"]
        doubt, held = luck.choice([0.1, 0.25, 0.5, 0.75, 0.9]), self._office.after(joined, luck.randrange(600, 14400))
        views = self._views(referral, checks, held, doubt)
        if held > self.until:
            return
        self._add(
            "discussion", id=self._id(), reference=reference, held_at=held, mode="IN_PERSON", present=self._list,
            note=self._text, recorded_at=held, recorded_by="support",
        )  # fmt: skip
        decided = self._office.after(held, luck.randrange(60, 7200))
        if decided > self.until:
            return
        short = luck.random() < 0.05
        for subject in subjects:
            versions = [decided, *([decided + DAY] if luck.random() < 0.03 else [])]
            for version, at in enumerate(versions, 1):
                self._decision(subject, version, at, met=luck.random() < doubt, below_quorum=short)
        disagreed = [view["recorded_at"] for view in views if view["view"] == "DISAGREE"]
        if disagreed:
            resolved = max(disagreed) + DAY if luck.random() < 0.7 else None
            self._add(
                "dissent", reference=reference, stage=luck.choice(["RECORDED", "MASH_MANAGER"]), since=max(disagreed),
                resolved_at=resolved, resolution=self._text if resolved else None,
                resolved_by="decider" if resolved else None,
            )  # fmt: skip
        referral.update(stage="HANDING_BACK", decided_at=decided)
        if luck.random() < 0.02:
            asked = {check["agency"] for check in checks}
            other = next(each.code for each in self.profile.agencies if each.code not in asked)
            self._add(
                "agency_not_asked", reference=reference, agency=other, reason="NO_AGREEMENT", at=joined,
                overridden_at=joined, overridden_by="decider", override_reason=self._text,
            )  # fmt: skip
        self._hand_back(referral, sides, decided + MINUTE)

    def _decision(self, subject: Row, version: int, at: datetime, *, met: bool, below_quorum: bool = False) -> Row:
        """What was decided about a person."""
        outcome = {"child": "C_STRATEGY", "adult": "A_S42"}[subject["side"]] if met else "NFA"
        return self._add(
            "threshold_decision", id=self._id(), reference=subject["reference"], subject_id=subject["id"],
            version=version, threshold_met=met, level_of_need="L4" if met else "L2", outcome=outcome,
            rationale=self._text, words_for_duty_team=self._text, actions=self._list,
            quorum_missing="POLICE" if below_quorum else None,
            below_quorum_because=self._text if below_quorum else None, collated_template_id=self._id(),
            threshold_document="drawn", decided_at=at, decided_by="decider", grade="DECISION_MAKER",
        )  # fmt: skip

    def _views(self, referral: Row, checks: list[Row], held: datetime, doubt: float) -> list[Row]:
        luck, found = self._luck, []
        for check in checks:
            if luck.random() < 0.25:
                continue
            met = luck.choice([None, *[luck.random() < doubt] * 9])
            found.append(self._view(referral, check["agency"], held - luck.randrange(1, 3600) * MINUTE / 60, met))
            if luck.random() < 0.1:
                # After it was talked over.
                found.append(self._view(referral, check["agency"], held + MINUTE, luck.random() < doubt))
        found = [view for view in found if view["recorded_at"] < self.until]
        self.rows.setdefault("threshold_view", []).extend(found)
        return found

    def _view(self, referral: Row, agency: str, at: datetime, met: bool | None) -> Row:
        view = self._luck.choices(["AGREE", "DISAGREE", "ABSTAIN"], [88, 5, 7])[0]
        return {
            "id": self._id(), "reference": referral["reference"], "agency": agency, "view": view, "threshold_met": met,
            "level_of_need": None, "reason": self._text, "recorded_at": at, "recorded_by": f"rep-{agency}",
        }  # fmt: skip

    def _hand_back(self, referral: Row, sides: list[Side], issued: datetime) -> None:
        referral.update(stage="HANDING_BACK")
        if issued > self.until:
            return
        referral.update(stage="AWAITING_ACK", handed_back_at=issued)
        told = [(TEAM_OF[side], self._office.after(issued, self._luck.randrange(60, 40000))) for side in sides]
        for team, acknowledged in told:
            self._add(
                "hand_back", id=self._id(), reference=referral["reference"], duty_team=team, version=1,
                issued_at=issued, outcomes=self._list,
                acknowledged_at=acknowledged if acknowledged < self.until else None,
                acknowledged_by=f"system-{team}" if acknowledged < self.until else None,
            )  # fmt: skip
        last = max(acknowledged for _, acknowledged in told)
        if last < self.until:
            referral.update(stage="CLOSED", closed_at=last)

    def _bare(self, received: datetime) -> Row:
        while (reference := new_reference(self._luck.choice)) in self._references:
            continue
        self._references.add(reference)
        text = self._text
        return {
            "reference": reference, "duty_team": "CHILDREN_DUTY", "sender_id": reference, "body_digest": "0" * 64,
            "upstream_reference": "CASE", "profile_version": self.profile.version, "stage": "RECEIVED", "version": 1,
            "received_at": received, "sending_officer": text, "reply_to": text, "decided_to_refer_by": text,
            "decided_to_refer_at": received, "why_not_enough": text, "safeguarding_concern": True,
            "extent_unclear": True, "question_about": [], "narrative": text, "source": "1B", "level_of_need": "L3",
            "urgency": STANDARD, "urgency_rating": "GREEN", "board_place": 22, "runs": 1, "accepted_at": None,
            "joined_at": None, "decided_at": None, "handed_back_at": None, "closed_at": None,
        }  # fmt: skip

    def _id(self) -> UUID:
        return UUID(int=self._luck.getrandbits(128))

    def _add(self, table: str, **columns: Any) -> Row:
        self.rows.setdefault(table, []).append(columns)
        return columns


def _entry(reference: str, act: str, at: datetime) -> Row:
    """An entry of the ledger, with no chain to it."""
    return {
        "reference": reference, "number": 1, "at": at, "actor": "system-CHILDREN_DUTY", "act": act, "detail": {},
        "commitment": "", "previous": "0" * 64, "digest": "0" * 64,
    }  # fmt: skip


def write(superuser: psycopg.Connection[Any], rows: Rows) -> None:
    """Put the rows into the record. Triggers and foreign keys rest meanwhile, which only a superuser can order."""
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for table, of_table in rows.items():
            columns = list(dict.fromkeys(name for row in of_table for name in row))
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with superuser.cursor() as cursor, cursor.copy(statement) as copy:
                for row in of_table:
                    copy.write_row([_plain(row.get(name)) for name in columns])
    # So that PostgreSQL knows what it has, as it would after a while by itself.
    superuser.execute("ANALYZE")


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
