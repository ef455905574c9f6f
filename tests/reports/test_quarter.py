"""The figures of a whole quarter, 3,000 referrals, are those of a second calculation that shares nothing with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from casework.register import current_profile
from engine.postgres import SUPERUSER
from reports import agreement, figures, packs, refresh, workload
from reports.figures import Asked, By
from rules.people import Side
from tests.beginnings import beginning
from tests.casework.factory import act, london
from tests.record import Record
from tests.reports.by_hand import ByHand, Row, alpha
from tests.reports.conftest import Ask, held
from tests.reports.simulator import Simulator, write

QUARTER = packs.Quarter(date(2026, 1, 1))
#: In the quarter the clocks change once; of what was asked on its last day, much is waited for still.
NOW = london("Wed 01 Apr 2026 10:00")
EARLIER = 600
#: A day within the quarter and one year before it, to the second.
AGAIN = datetime(2026, 2, 11, 10, 0, tzinfo=UTC)
A_YEAR_BEFORE = datetime(2025, 2, 11, 10, 0, tzinfo=UTC)


@pytest.fixture
def by_hand(figures: Ask, record: Record) -> ByHand:
    """The record holds the quarter, worked out for the reports; and beside it the second calculation."""
    return beginning("a quarter", play=lambda: _quarter(record))


def _quarter(record: Record) -> ByHand:
    simulator = Simulator(current_profile(), NOW, seed=20260101)
    simulator.draw(EARLIER, date(2025, 1, 1), date(2025, 12, 31))
    simulator.draw(3000, QUARTER.first, QUARTER.last)
    for name, before in ((b"just within", A_YEAR_BEFORE), (b"too long ago", A_YEAR_BEFORE - timedelta(seconds=1))):
        simulator.only_received(before, name)
        simulator.only_received(AGAIN, name)
    with record.server.connect(SUPERUSER) as superuser:
        write(superuser, simulator.rows)
    act(refresh.rebuild)
    return ByHand(simulator.rows, NOW)


def test_the_quarter_holds_every_kind_of_case(by_hand: ByHand):
    """Issue 6: a comparison proves nothing of what is not there"""
    checks = by_hand.rows["agency_check"]
    kinds = Counter(each["state"] for each in by_hand.checks)
    kinds += Counter(f"{each['side']}, {each['band']}" for each in by_hand.checks)
    kinds["declined, late"] = sum(each["status"] == "DECLINED" and each["breached_at"] is not None for each in checks)
    kinds["given up"] = sum(each["status"] == "CANCELLED" and each["breached_at"] is not None for each in checks)
    kinds["late, not awaited"] = sum(
        each["status"] == "RETURNED_LATE" and each["breached_at"] is None for each in checks
    )
    kinds["at the very second"] = sum(each["settled_at"] == each["due_at"] for each in checks)
    kinds["paused now"] = sum(each["paused_at"] is not None for each in checks)
    kinds["cause"] = sum(each["cause"] is not None for each in by_hand.checks)
    kinds["over the clock change"] = sum(
        each["requested_at"] < datetime(2026, 3, 29, 1, tzinfo=UTC) < each["due_at"] for each in checks
    )
    referrals = by_hand.referrals.values()
    for name in ("dissent", "below_quorum", "ended_early", "overrides"):
        kinds[name] = sum(bool(each[name]) for each in referrals)
    kinds += Counter(f"again: {each['re_referral']}" for each in referrals)
    kinds += Counter(each["stage"] for each in referrals)
    wanted = [
        *("on_time", "late", "silent", "declined", "cancelled", "open"),
        *(f"{side}, {band}" for side in ("child", "adult", "both") for band in ("STANDARD", "URGENT")),
        *("declined, late", "given up", "late, not awaited", "at the very second", "paused now", "cause"),
        *("over the clock change", "dissent", "below_quorum", "ended_early", "overrides"),
        *("again: True", "again: False", "again: None"),
        *("AWAITING_BASIS", "CHECKING", "AWAITING_DECISION", "AWAITING_ACK", "CLOSED"),
    ]
    assert {name: kinds[name] for name in wanted if kinds[name] < 3} == {}
    assert len(by_hand.referrals) == 3000 + EARLIER + 4


def test_each_check_and_each_referral_is_as_by_hand(figures: Ask, by_hand: ByHand, record: Record):
    """R25, R57, R60: row by row"""
    with held(record, NOW):
        checks = {(row["reference"], row["agency"]): row for row in figures("SELECT * FROM reports.checks")}
        referrals = {row["reference"]: row for row in figures("SELECT * FROM reports.referrals")}
    by_key = {(row["reference"], row["agency"]): row for row in by_hand.checks}
    assert checks.keys() == by_key.keys()
    assert referrals.keys() == by_hand.referrals.keys()
    assert _unlike(checks, by_key) == []
    assert _unlike(referrals, by_hand.referrals) == []


def _unlike(found: dict[Any, Row], by_hand: dict[Any, Row]) -> list[tuple[Any, ...]]:
    return [
        (key, name, found[key][name], value)
        for key, row in by_hand.items()
        for name, value in row.items()
        if found[key][name] != value
    ][:5]


GROUPS: dict[str, Callable[[Row], Any]] = {
    "all": lambda row: (row["month"], None, None, None),
    "agency": lambda row: (row["month"], row["agency"], None, None),
    "side": lambda row: (row["month"], None, row["side"], None),
    "band": lambda row: (row["month"], None, None, row["band"]),
    "cell": lambda row: (row["month"], row["agency"], row["side"], row["band"]),
}


def test_each_month_is_as_by_hand_by_agency_side_and_band(figures: Ask, by_hand: ByHand):
    """R25: counts, rates, medians and deciles, in elapsed and in office time"""
    found: dict[str, dict[Any, Row]] = defaultdict(dict)
    for row in figures("SELECT * FROM reports.months"):
        key = tuple(row.pop(name) for name in ("month", "agency", "side", "band"))
        found[row.pop("grouped_by")][key] = row
    assert found.keys() == GROUPS.keys()
    for name, of in GROUPS.items():
        assert found[name] == by_hand.figures(of)


def test_stages_causes_decisions_and_who_came_again_are_as_by_hand(figures: Ask, by_hand: ByHand, record: Record):
    """R25, R60"""
    stages = {
        (row.pop("month"), row.pop("side"), row.pop("stage")): row
        for row in figures("SELECT * FROM reports.by_stage")
    }  # fmt: skip
    assert stages == by_hand.stages()
    again = "SELECT month, side, referrals, known, re_referrals FROM reports.re_referrals"
    assert {(a, b): (*rest,) for a, b, *rest in _tuples(figures(again))} == by_hand.re_referrals()
    causes = "SELECT month, agency, side, band, cause, breaches FROM reports.causes"
    assert {(*key,): number for *key, number in _tuples(figures(causes))} == by_hand.causes()
    made = "SELECT side, month, threshold_met, outcome, count(*) FROM reports.decisions GROUP BY 1, 2, 3, 4"
    assert {(*key,): number for *key, number in _tuples(figures(made))} == by_hand.decisions()
    with held(record, NOW):
        waits = "SELECT stage, side, waiting, oldest_since, oldest_minutes, oldest_open_minutes FROM reports.waiting"
        assert {(a, b): (*rest,) for a, b, *rest in _tuples(figures(waits))} == by_hand.waiting()


def _tuples(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]


#: Days about one whole month, of no whole month, and about a whole year and months beside it.
DAYS = (date(2026, 1, 13), date(2026, 3, 30))
FEW_DAYS = (date(2026, 2, 9), date(2026, 3, 6))
ALL_DAYS = (date(2024, 5, 2), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("by", "only", "days"),
    [
        (By.AGENCY, {}, DAYS), (By.AGENCY, {}, ALL_DAYS), (By.AGENCY, {"side": "child"}, FEW_DAYS),
        (By.SIDE, {"agency": "POLICE"}, DAYS), (By.BAND, {"side": "both"}, ALL_DAYS),
        (By.MONTH, {"band": "URGENT"}, DAYS), (By.MONTH, {"agency": "POLICE"}, ALL_DAYS),
        (By.CAUSE, {}, DAYS), (By.CAUSE, {}, ALL_DAYS), (By.AGENCY, {"cause": "QUESTION_UNCLEAR"}, DAYS),
    ],
)  # fmt: skip
def test_the_analysts_board_is_as_by_hand(
    by_hand: ByHand, record: Record, by: By, only: dict[str, str], days: tuple[date, date]
):
    """R25: of any days, by whatever it may be told apart, and the checks behind it"""

    def wanted(row: Row) -> bool:
        return days[0] <= row["asked_on"] <= days[1] and all(row[name] == value for name, value in only.items())

    asked = Asked(*days, **only)
    rows, total, months = act(figures.table, asked, by)
    assert _by_value(rows) == by_hand.figures(lambda row: row[by], wanted)
    assert _by_value([total]) == by_hand.figures(lambda _: None, wanted)
    by_month = by_hand.figures(lambda row: row["month"], wanted)
    assert months == [(month, row["breached"], row["counted"]) for month, row in sorted(by_month.items())]
    with held(record, NOW):
        behind = act(figures.checks, asked, "silent", 5000)
        of_all_states = act(figures.checks, asked, None, 700)
    silent = [row for row in by_hand.checks if wanted(row) and row["state"] == "silent"]
    assert Counter(row.late_minutes for row in behind) == Counter(row["late_minutes"] for row in silent)
    lateness = [row.late_minutes for row in of_all_states]
    all_of_them = sorted((row["late_minutes"] or 0 for row in by_hand.checks if wanted(row)), reverse=True)
    assert [late or 0 for late in lateness] == all_of_them[:700]


def _by_value(rows: list[figures.Figures]) -> dict[Any, Row]:
    found = {row.of: row._asdict() for row in rows}
    for row in found.values():
        del row["of"]
    return found


@pytest.mark.parametrize("days", [DAYS, FEW_DAYS])
def test_the_workload_is_as_by_hand(by_hand: ByHand, days: tuple[date, date]):
    """R67: checks per agency and day, minutes per check, peak hours, over the quarter that was drawn"""

    def wanted(row: Row) -> bool:
        return days[0] <= row["asked_on"] <= days[1]

    opening, length = by_hand.opening, (days[1] - days[0]).days + 1
    hours = Counter(
        (row["agency"], row["requested_at"].astimezone(opening.zone).hour)
        for row in by_hand.rows["agency_check"]
        if days[0] <= opening.on(row["requested_at"]) <= days[1]
    )
    working = sum(opening.is_working_day(days[0] + timedelta(days=number)) for number in range(length))
    found = act(workload.workload, Asked(*days), current_profile())
    asked = Counter(agency for agency, hour in hours.elements())
    assert {each.agency: each.asked for each in found} == {**asked, None: asked.total()}
    assert [each.on_a_working_day * working for each in found] == pytest.approx([each.asked for each in found])
    for each in found[:-1]:
        of_it = {hour: number for (agency, hour), number in hours.items() if agency == each.agency}
        assert each.busiest_hour == min(hour for hour in of_it if of_it[hour] == max(of_it.values()))
    assert found[-1].minutes_each == by_hand.figures(lambda _: None, wanted)[None]["median_open_minutes"]
    for cause in (None, "QUESTION_UNCLEAR"):
        asked_of = Asked(*days, cause=cause)
        known = act(figures.table, asked_of, By.AGENCY)
        assert act(workload.workload, asked_of, current_profile(), known) == found


@pytest.mark.parametrize("side", [None, Side.CHILD, Side.ADULT])
def test_agreement_on_the_threshold_is_as_by_hand(by_hand: ByHand, side: Side | None):
    """R37, R63: alpha by its coincidence matrix, and each agency beside the decision"""
    found = act(agreement.agreement, QUARTER.first, QUARTER.last, side)
    views = list(by_hand.views(QUARTER.first, QUARTER.last, side))
    assert found.before.alpha == pytest.approx(alpha(views), abs=1e-12)
    told = Counter((view["agency"], view["own"] == view["met"]) for view in views if view["own"] is not None)
    assert found.with_decision == {
        agency: (told[agency, True], told[agency, False]) for agency in sorted({agency for agency, _ in told})
    }
    last = Counter((view["agency"], view["last"]) for view in views)
    assert {(agency, word): number for agency, of in found.last_views.items() for word, number in of.items()} == last


def test_agreement_over_time_is_as_by_hand_in_each_quarter(by_hand: ByHand):
    """R37, R63: with the disagreements that began in it, and those of them that rest"""
    quarters = [*(packs.Quarter(date(2025, month, 1)) for month in (1, 4, 7, 10)), QUARTER]
    found = act(agreement.over_time, [(quarter.first, quarter.last) for quarter in quarters])
    for quarter, agreed in zip(quarters, found, strict=True):
        assert agreed.before.alpha == pytest.approx(alpha(by_hand.views(quarter.first, quarter.last)), abs=1e-12)
        dissents = [
            row for row in by_hand.rows["dissent"] if quarter.first <= by_hand.opening.on(row["since"]) <= quarter.last
        ]
        assert (agreed.began, agreed.rest) == (len(dissents), sum(row["resolved_at"] is not None for row in dissents))


def test_a_boards_pack_counts_what_was_counted_by_hand(by_hand: ByHand):
    """R59, R60: each side's referrals, to the nearest five"""
    for side in Side:
        told = act(packs.content, side, QUARTER, current_profile())
        received = sum(
            row["side"] in {side, "both"} and QUARTER.first <= row["month"] <= QUARTER.last
            for row in by_hand.referrals.values()
        )
        assert told["chapters"][0]["rows"][-1][-1] == f"{5 * round(received / 5):,}"
        [said] = next(each["notes"] for each in told["chapters"] if each["title"] == "Agreement on thresholds")
        judged = act(agreement.agreement, QUARTER.first, QUARTER.last, side).before.units
        assert said.endswith(f" of {5 * round(judged / 5):,} referrals.")
