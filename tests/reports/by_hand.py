"""The figures worked out a second time, in plain Python over the rows of the record, to hold the views against.

Nothing here comes from reports/, from rules/ or from the views: what a figure means is read in docs/reports.md alone.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

from workalendar.europe import UnitedKingdom

from models.settings import HOUSE

Row = dict[str, Any]
Rows = dict[str, list[Row]]
STAGES = ("RECEIVED", "CHECKING", "AWAITING_DECISION", "HANDING_BACK", "AWAITING_ACK", "WHOLE")


def minutes(since: datetime | None, until: datetime | None) -> int | None:
    """Whole minutes, rounded down; None where one of the two is missing."""
    return None if since is None or until is None else (until - since) // timedelta(minutes=1)


def share_of(values: Iterable[int | None], share: Fraction) -> int | None:
    """The smallest value that at least this share of them does not exceed."""
    ordered = sorted(value for value in values if value is not None)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


class Opening:
    """The hours of the area's own profile, and another library's bank holidays."""

    def __init__(self) -> None:
        with (HOUSE / "profiles" / "bnes.toml").open("rb") as file:
            told = tomllib.load(file)
        self.zone = ZoneInfo(told["area"]["zone"])
        self._hours = [told["hours"]["opening"].get(day) for day in _WEEKDAYS]
        self._holidays = {day for year in range(2024, 2028) for day, _ in UnitedKingdom().holidays(year)}
        self._days: dict[date, tuple[datetime, datetime] | None] = {}

    def on(self, moment: datetime) -> date:
        """The local date."""
        return moment.astimezone(self.zone).date()

    def minutes(self, since: datetime | None, until: datetime | None) -> int | None:
        """Whole minutes of opening time: of each day, what lies between the two."""
        if since is None or until is None:
            return None
        open_time, day = timedelta(), self.on(since)
        while day <= self.on(until):
            if day not in self._days:
                self._days[day] = self._hours_of(day)
            if hours := self._days[day]:
                open_time += max(min(hours[1], until) - max(hours[0], since), timedelta())
            day += timedelta(days=1)
        return open_time // timedelta(minutes=1)

    def is_working_day(self, day: date) -> bool:
        """Whether the office opens on it at all."""
        return self._hours_of(day) is not None

    def _hours_of(self, day: date) -> tuple[datetime, datetime] | None:
        hours = self._hours[day.weekday()]
        if hours is None or day in self._holidays:
            return None
        opens, closes = (
            datetime.combine(day, time.fromisoformat(hours[name]), self.zone).astimezone(UTC)
            for name in ("opens", "closes")
        )
        return opens, closes


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass
class ByHand:
    """What the rows come to at the moment `now`."""

    rows: Rows
    now: datetime
    opening: Opening = field(default_factory=Opening)

    def _of(self, table: str, key: str = "reference") -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = defaultdict(list)
        for row in self.rows.get(table, []):
            found[row[key]].append(row)
        return found

    @cached_property
    def checks(self) -> list[Row]:
        """One for each check."""
        referrals = {row["reference"]: row for row in self.rows["referral"]}
        return [self._check(row, referrals[row["reference"]]) for row in self.rows["agency_check"]]

    def _check(self, row: Row, referral: Row) -> Row:
        asked, due, settled, breached = (row[name] for name in ("requested_at", "due_at", "settled_at", "breached_at"))
        answered = settled if row["status"] in {"RETURNED", "RETURNED_LATE", "DECLINED"} else None
        if row["status"] == "DECLINED":
            state = "declined"
        elif answered:
            state = "on_time" if answered <= due else "late"
        elif breached:
            state = "silent"
        else:
            state = "cancelled" if settled else "open"
        late_until = (settled or self.now) if state in {"late", "silent"} or breached else None
        if late_until is not None and late_until <= due:
            late_until = None
        on = self.opening.on(asked)
        return {
            "reference": row["reference"], "agency": row["agency"], "band": referral["urgency"],
            "side": "both" if row["sides"] == "adult,child" else row["sides"], "state": state, "asked_on": on,
            "month": on.replace(day=1), "breached": breached is not None, "cause": row["breach_cause"],
            "answer_minutes": minutes(asked, answered), "answer_open_minutes": self.opening.minutes(asked, answered),
            "late_minutes": minutes(due, late_until) if late_until else None,
            "late_open_minutes": self.opening.minutes(due, late_until) if late_until else None,
        }  # fmt: skip

    def figures(self, of: Callable[[Row], Any], wanted: Callable[[Row], bool] = lambda _: True) -> dict[Any, Row]:
        """The figures of the checks that are wanted, by what `of` says of each."""
        groups: dict[Any, list[Row]] = defaultdict(list)
        for check in self.checks:
            if wanted(check):
                groups[of(check)].append(check)
        return {key: _figures(group) for key, group in groups.items()}

    @cached_property
    def referrals(self) -> dict[str, Row]:
        """One for each referral, by its reference."""
        tables = {name: self._of(name) for name in _OF_A_REFERRAL}
        returns = self._of("agency_return", "check_id")
        again = self._again()
        found = {}
        for row in self.rows["referral"]:
            own = {name: table.get(row["reference"], []) for name, table in tables.items()}
            found[row["reference"]] = self._referral(row, own, returns, again)
        return found

    def _referral(self, row: Row, own: dict[str, list[Row]], returns: dict[Any, list[Row]], again: Row) -> Row:
        sides = {person["side"] for person in own["subject"]}
        newest = self._newest(own["threshold_decision"])
        decided = min((each["decided_at"] for each in own["threshold_decision"]), default=row["decided_at"])
        came = [
            each["recorded_at"]
            for check in own["agency_check"]
            for each in returns.get(check["id"], [])
            if each["version"] == 1
        ]
        by_team: dict[str, list[datetime | None]] = defaultdict(list)
        for told in own["hand_back"]:
            by_team[told["duty_team"]].append(told["acknowledged_at"])
        first_acks = [min((at for at in acks if at), default=None) for acks in by_team.values()]
        acknowledged = max(filter(None, first_acks)) if first_acks and all(first_acks) else None
        return {
            "side": "both" if len(sides) > 1 else min(sides), "stage": row["stage"], "received_at": row["received_at"],
            "month": self.opening.on(row["received_at"]).replace(day=1), "subjects": len(own["subject"]),
            "accepted_at": row["accepted_at"], "joined_at": row["joined_at"], "decided_at": decided,
            "first_return_at": min(came, default=None), "last_return_at": max(came, default=None),
            "discussed_at": min((each["held_at"] for each in own["discussion"]), default=None),
            "handed_back_at": min((each["issued_at"] for each in own["hand_back"]), default=None),
            "acknowledged_at": acknowledged, "closed_at": row["closed_at"],
            "asked": len(own["agency_check"]),
            "breaches": sum(each["breached_at"] is not None for each in own["agency_check"]),
            "declines": sum(each["status"] == "DECLINED" for each in own["agency_check"]),
            "overrides": len(own["agency_not_asked"]), "dissent": bool(own["dissent"]),
            "below_quorum": any(each["quorum_missing"] for each in newest), "ended_early": bool(own["ledger"]),
            "re_referral": again[row["reference"]],
            "to_decision_minutes": minutes(row["received_at"], decided),
            "to_decision_open_minutes": self.opening.minutes(row["received_at"], decided),
            "decision_to_ack_minutes": minutes(decided, acknowledged),
            "decision_to_ack_open_minutes": self.opening.minutes(decided, acknowledged),
        }  # fmt: skip

    def _newest(self, decisions: Iterable[Row]) -> list[Row]:
        newest: dict[Any, Row] = {}
        for each in sorted(decisions, key=lambda row: row["version"]):
            newest[each["subject_id"]] = each
        return list(newest.values())

    def _again(self) -> Row:
        """For each referral, whether somebody in it came within the twelve months before; None if nobody is known."""
        received = {row["reference"]: row["received_at"] for row in self.rows["referral"]}
        known = [person for person in self.rows["subject"] if person["person_digest"]]
        times: dict[bytes, list[tuple[datetime, str]]] = defaultdict(list)
        for person in known:
            times[person["person_digest"]].append((received[person["reference"]], person["reference"]))
        found: Row = dict.fromkeys(received)
        for person in known:
            reference = person["reference"]
            at = received[reference]
            since = at.replace(year=at.year - 1)
            before = any(since <= t < at and other != reference for t, other in times[person["person_digest"]])
            found[reference] = bool(found[reference]) or before
        return found

    def stages(self) -> dict[tuple[date, str | None, str], Row]:
        """How long the stages take, by month of receipt, side (None: all) and stage."""
        lengths: dict[Any, list[tuple[int | None, int | None]]] = defaultdict(list)
        for row in self.referrals.values():
            for stage, since, until in _stages_of(row):
                for side in (None, row["side"]):
                    length = (minutes(since, until), self.opening.minutes(since, until))
                    lengths[row["month"], side, stage].append(length)
        return {key: _lengths(found) for key, found in lengths.items()}

    def re_referrals(self) -> dict[tuple[date, str | None], tuple[int, int, int]]:
        """Referrals, those that can be told, and those that came again; by month and side (None: all)."""
        groups: dict[Any, list[bool | None]] = defaultdict(list)
        for row in self.referrals.values():
            for side in (None, row["side"]):
                groups[row["month"], side].append(row["re_referral"])
        return {
            key: (len(told), sum(each is not None for each in told), sum(each is True for each in told))
            for key, told in groups.items()
        }

    def waiting(self) -> dict[tuple[str, str], tuple[int, datetime, int | None, int | None]]:
        """What is open, by stage and side: how many, and since when the oldest."""
        groups: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for row in self.referrals.values():
            if row["stage"] != "CLOSED":
                groups[row["stage"], row["side"]].append(row["received_at"])
        return {
            key: (
                len(since),
                min(since),
                minutes(min(since), self.now) or 0,
                self.opening.minutes(min(since), self.now),
            )
            for key, since in groups.items()
        }

    def causes(self) -> Counter[tuple[Any, ...]]:
        """Breaches by month, agency, side, band and cause."""
        names = ("month", "agency", "side", "band", "cause")
        return Counter(tuple(check[name] for name in names) for check in self.checks if check["breached"])

    def decisions(self) -> Counter[tuple[Any, ...]]:
        """People by side, local month of the newest decision, whether the threshold is met, and outcome."""
        people = {person["id"]: person for person in self.rows["subject"]}
        return Counter(
            (
                people[each["subject_id"]]["side"], self.opening.on(each["decided_at"]).replace(day=1),
                each["threshold_met"], each["outcome"],
            )
            for each in self._newest(self.rows["threshold_decision"])
        )  # fmt: skip

    def views(self, first: date, last: date, side: str | None = None) -> Iterator[Row]:
        """Each agency's own view and its last, beside the decision, of what was decided on these days."""
        decisions, held = self._of("threshold_decision"), self._of("discussion")
        by_agency: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for view in sorted(self.rows["threshold_view"], key=lambda row: row["recorded_at"]):
            by_agency[view["reference"], view["agency"]].append(view)
        for (reference, agency), said in by_agency.items():
            newest = self._newest(decisions.get(reference, []))
            of = self.referrals[reference]["side"]
            if not newest or (side is not None and of not in {side, "both"}):
                continue
            if not first <= max(self.opening.on(each["decided_at"]) for each in newest) <= last:
                continue
            talked = min(each["held_at"] for each in held[reference])
            own = [v["threshold_met"] for v in said if v["threshold_met"] is not None and v["recorded_at"] < talked]
            yield {
                "reference": reference, "agency": agency, "own": own[-1] if own else None, "last": said[-1]["view"],
                "met": any(each["threshold_met"] for each in newest),
            }  # fmt: skip


_OF_A_REFERRAL = (
    "subject", "threshold_decision", "agency_check", "hand_back", "discussion", "agency_not_asked", "dissent", "ledger",
)  # fmt: skip


def alpha(views: Iterable[Row]) -> float:
    """Krippendorff's alpha by its coincidence matrix, as in section B of his "Computing Krippendorff's Alpha"."""
    units: dict[str, list[bool]] = defaultdict(list)
    for view in views:
        if view["own"] is not None:
            units[view["reference"]].append(view["own"])
    matrix: dict[tuple[bool, bool], float] = defaultdict(float)
    for said in units.values():
        for pair in permutations(range(len(said)), 2):
            matrix[said[pair[0]], said[pair[1]]] += 1 / (len(said) - 1)
    of = {value: sum(matrix[value, other] for other in (True, False)) for value in (True, False)}
    whole = sum(of.values())
    return 1 - (whole - 1) * matrix[True, False] / (of[True] * of[False])


def _figures(checks: list[Row]) -> Row:
    states = Counter(check["state"] for check in checks)
    counted = sum(states[name] for name in ("on_time", "late", "silent", "declined"))
    breached = sum(check["breached"] for check in checks)
    rate = (Decimal(breached) / counted).quantize(Decimal("0.0001"), ROUND_HALF_UP) if counted else None
    return {
        "asked": len(checks),
        **{name: states[name] for name in ("on_time", "late", "silent", "declined", "cancelled", "open")},
        "counted": counted, "breached": breached, "breach_rate": rate,
        **_middle("", [check["answer_minutes"] for check in checks]),
        **_middle("open_", [check["answer_open_minutes"] for check in checks]),
    }  # fmt: skip


def _middle(kind: str, values: list[int | None]) -> Row:
    return {
        f"median_{kind}minutes": share_of(values, Fraction(1, 2)),
        f"p90_{kind}minutes": share_of(values, Fraction(9, 10)),
    }


def _stages_of(row: Row) -> Iterator[tuple[str, datetime, datetime | None]]:
    """A stage ends where the next that was reached begins, however early that is."""
    begins = [row[name] for name in _BEGINS]
    for name, (since, following) in zip(STAGES, pairwise([*begins, row["acknowledged_at"]]), strict=False):
        if since is not None:
            ends = [following]
            if name in {"RECEIVED", "CHECKING", "AWAITING_DECISION"}:
                ends.append(row["handed_back_at"])
            ends.append(row["closed_at"])
            yield name, since, next((at for at in ends if at is not None), None)
    yield "WHOLE", row["received_at"], row["closed_at"]


_BEGINS = ("received_at", "accepted_at", "joined_at", "decided_at", "handed_back_at")


def _lengths(found: list[tuple[int | None, int | None]]) -> Row:
    ended = [(elapsed, in_office) for elapsed, in_office in found if elapsed is not None]
    return {
        "referrals": len(found), "ended": len(ended), **_middle("", [elapsed for elapsed, _ in ended]),
        **_middle("open_", [in_office for _, in_office in ended]),
    }  # fmt: skip
