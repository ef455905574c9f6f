"""What a board is given of a quarter: protected figures with their definitions, and no way to a case (R59-R63, R68).

Every count goes through rules/disclosure.py, once, and in one table; a rate is worked out from printed figures alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models.agreement import SharingAgreement
from models.feedback import Feedback
from models.profile import Profile
from models.referral import MisdirectedContact
from reports.agreement import agreement
from rules.concordance import Concordance
from rules.disclosure import LEAST, MARK, Counts, Printable, protect, rounded, share
from rules.people import Side

_REFERRALS = sa.table(
    "referrals",
    *(
        sa.column(name)
        for name in (
            "side", "month", "received_on", "decided_at", "dissent", "below_quorum", "overrides", "re_referral",
            "to_decision_open_minutes",
        )
    ),
    schema="reports",
)  # fmt: skip
_CHECKS = sa.table(
    "checks",
    *(sa.column(name) for name in ("side", "agency", "asked_at", "asked_on", "state", "answer_open_minutes")),
    schema="reports",
)  # fmt: skip
_QUALITY = sa.table(
    "quality",
    *(sa.column(name) for name in ("side", "agency", "asked_on")),
    *(sa.column(name, sa.Boolean) for name in ("answers_question", "dated", "sourced")),
    schema="reports",
)
_DECISIONS = sa.table("decisions", *(sa.column(name) for name in ("side", "decided_on", "outcome")), schema="reports")
_STATES = {
    "on_time": "On time", "late": "Late", "silent": "No answer", "declined": "Declined",
    "cancelled": "Cancelled", "open": "Still open",
}  # fmt: skip
Wanted = Iterable[sa.ColumnElement[bool]]
Column = sa.SQLColumnExpression[Any]
#: After a quarter, how long until its pack is made: what was asked at its end is answered by then.
SETTLES = timedelta(days=14)
#: How long before the known bank holidays end somebody should add to them.
_AHEAD = timedelta(days=90)


class Quarter(NamedTuple):
    """A quarter of a calendar year, by its first day."""

    first: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.following().first - timedelta(days=1)

    @property
    def name(self) -> str:
        """January to March 2026."""
        return f"{self.first:%B} to {self.last:%B %Y}"

    @property
    def short(self) -> str:
        """Q1 2026."""
        return f"Q{(self.first.month + 2) // 3} {self.first.year}"

    def days(self) -> list[date]:
        """All its days."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def following(self) -> Quarter:
        """The next quarter."""
        return Quarter((self.first + timedelta(days=93)).replace(day=1))

    def before(self) -> Quarter:
        """The quarter before."""
        return quarter_of(self.first - timedelta(days=1))


def quarter_of(day: date) -> Quarter:
    """The quarter in which a day lies."""
    return Quarter(date(day.year, 3 * ((day.month - 1) // 3) + 1, 1))


def ended(on: date, number: int = 8) -> list[Quarter]:
    """The quarters that have ended by a day, the newest first. No other period is packed: two that overlap differ."""
    found = [quarter_of(on).before()]
    while len(found) < number:
        found.append(found[-1].before())
    return found


def until_now(on: date) -> list[Quarter]:
    """The quarter of a day, which goes on, behind the eight that have ended, in order."""
    return [*reversed(ended(on)), quarter_of(on)]


@dataclass(frozen=True)
class Chapter:
    """One table of a pack: its rows hold words, as they are printed, and what each column counts stands beside it."""

    title: str
    definition: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


def content(session: Session, side: Side, quarter: Quarter, profile: Profile) -> dict[str, Any]:
    """A board's pack of a quarter, ready to be printed and kept. The reader must be the hub itself: it counts all."""
    chapters = [
        _volumes(session, side, quarter),
        _timeliness(session, side, quarter, profile),
        _quality(session, side, quarter, profile),
        _outcomes(session, side, quarter, profile),
        _disagreement(session, side, quarter, profile),
        _agreed(session, side, quarter, profile),
        _exceptions(session, side, quarter),
        _misdirected(session, quarter, profile),
        _feedback(session, quarter, profile),
        _reviews(session, quarter, profile),
    ]
    return {
        "board": board_of(side),
        "area": profile.area.name,
        "hub": profile.wording.hub_name,
        "period": quarter.name,
        "chapters": [asdict(chapter) for chapter in chapters],
        "limits": LIMITS,
    }


def board_of(side: Side) -> str:
    """Which board reads about this side."""
    return {Side.CHILD: "Safeguarding children", Side.ADULT: "Safeguarding adults"}[side]


LIMITS = [
    f"A count under {LEAST} is suppressed and printed as {MARK}, and so is every other figure from which one could be"
    " worked back. All other counts are rounded to the nearest 5, so that rows and totals may not add up.",
    "A referral about children and adults is in the packs of both boards. Totals of the two packs are not to be added.",
    "Shares and rates are worked out from the printed figures. Times are office time, by the area's own calendar.",
    "These figures say how the process went. They do not say whether anybody is safer, and nothing is saved in money"
    " that they could show.",
]


# --- the chapters ---


def _volumes(session: Session, side: Side, quarter: Quarter) -> Chapter:
    kinds = {False: "First within 12 months", True: "Again within 12 months", None: "Cannot be told"}
    wanted = _of(_REFERRALS, "received_on", side, quarter)
    found = _tally(session, _REFERRALS.c.month, _REFERRALS.c.re_referral, wanted)
    months = [quarter.first, *((quarter.first + timedelta(days=32 * n)).replace(day=1) for n in (1, 2))]
    printed = protect(_counts({month: f"{month:%B}" for month in months}, kinds, found))
    notes = [f"Again within 12 months, of those that can be told: {_rate(printed, 1, (0, 1))}."]
    if side is Side.CHILD:
        notes.append(
            "England: 22 % of referrals to children's social care were within 12 months of another (139,080 of 621,880;"
            " Department for Education, children in need, 2023-24). Those are referrals to social care, not to a MASH."
        )
    if minutes := _median(session, _REFERRALS.c.to_decision_open_minutes, wanted):
        notes.append(f"Half of those decided were decided within {minutes} of being received.")
    return _chapter(
        "Referrals received, and re-referrals",
        "Referrals received in the quarter, by month. Again: somebody of the referral had been referred in the 12"
        " months before. Cannot be told: nobody of it has an NHS number to know them by.",
        printed, notes,
    )  # fmt: skip


def _timeliness(session: Session, side: Side, quarter: Quarter, profile: Profile) -> Chapter:
    wanted, minutes = _of(_CHECKS, "asked_on", side, quarter), _CHECKS.c.answer_open_minutes
    found = _tally(session, _CHECKS.c.agency, _CHECKS.c.state, wanted)
    names = _agencies(profile)
    printed = protect(_counts(names, _STATES, found))
    working = max(1, sum(map(profile.calendar().is_working_day, quarter.days())))
    notes = [
        f"{name}: on time {_percent(share(row[0], _sum(row[:4])))} of those that came due or were declined;"
        f" {total / working:.1f} asked on a working day; half answered within"
        f" {_median(session, minutes, of_it) or MARK}."
        for (code, name), row, total in zip(names.items(), printed.cells, printed.row_totals, strict=True)
        if total and (of_it := [*wanted, _CHECKS.c.agency == code])
    ]
    if busiest := _busiest(session, wanted, profile):
        notes.append(f"Most checks are asked between {busiest}.")
    return _chapter(
        "Timeliness by partner, and workload",
        "Agency checks asked in the quarter. On time: returned by the due time as it stood after pauses and extensions."
        " No answer: the due time passed and none has come. Declined: the agency said why it does not share, which is"
        " no breach. Cancelled: not needed any more.",
        printed, notes,
    )  # fmt: skip


def _quality(session: Session, side: Side, quarter: Quarter, profile: Profile) -> Chapter:
    well_told = sa.func.coalesce(_QUALITY.c.dated, sa.true()) & sa.func.coalesce(_QUALITY.c.sourced, sa.true())
    of_which = sa.case((~_QUALITY.c.answers_question, "beside"), (well_told, "good"), else_="bare")
    found = _tally(session, _QUALITY.c.agency, of_which, _of(_QUALITY, "asked_on", side, quarter))
    kinds = {"good": "Answers, dated and sourced", "bare": "Answers, not dated or sourced", "beside": "Does not answer"}
    return _chapter(
        "Quality of returns",
        "Returns to checks asked in the quarter that somebody of the MASH team marked: whether each answers what was"
        " asked, and whether its items say when and from where. A return without items, such as that nothing is known,"
        " has nothing to be dated or sourced. Each agency sees its own marks.",
        protect(_counts(_agencies(profile), kinds, found)),
    )


def _outcomes(session: Session, side: Side, quarter: Quarter, profile: Profile) -> Chapter:
    wanted = [_DECISIONS.c.side == side, _DECISIONS.c.decided_on.between(quarter.first, quarter.last)]
    found = _tally(session, _DECISIONS.c.outcome, sa.literal(""), wanted)
    # Whether the threshold was met follows from most outcomes: a column of it would be known to whoever knows the rule.
    outcomes = {one.code: profile.outcome_label(one.code) for one in profile.outcomes if side in one.sides}
    printed = protect(_counts(outcomes, {"": "People"}, found))
    notes = []
    if side is Side.ADULT:
        notes.append(
            "England: 28.9 % of safeguarding concerns about adults led to a section 42 enquiry (185,270 of 640,240;"
            " Department of Health and Social Care, Safeguarding Adults, 2024-25). Concerns that never come to a MASH"
            " are among those."
        )
    return _chapter(
        "Outcomes",
        "The newest decision about each person, by when it was made: one referral may have several people.",
        printed, notes,
    )  # fmt: skip


def _disagreement(session: Session, side: Side, quarter: Quarter, profile: Profile) -> Chapter:
    decided_on = _local_day(_REFERRALS.c.decided_at, profile)
    wanted = [*_sided(_REFERRALS, side), decided_on.between(quarter.first, quarter.last)]
    found = _tally(session, _REFERRALS.c.dissent, _REFERRALS.c.below_quorum, wanted)
    rows = {False: "No agency disagreed", True: "An agency disagreed"}
    printed = protect(_counts(rows, {False: "Quorate", True: "Below quorum"}, found))
    return _chapter(
        "Disagreement and quorum",
        "Referrals decided in the quarter. An agency disagreed: it said so, with its reason, whether or not it was"
        " resolved. Below quorum: decided without an agency that the area's rule asks for, with a recorded reason.",
        printed,
    )


def _agreed(session: Session, side: Side, quarter: Quarter, profile: Profile) -> Chapter:
    found = agreement(session, quarter.first, quarter.last, side)
    names = _agencies(profile)
    told = {
        (code, as_decided): number
        for code, numbers in found.with_decision.items()
        for as_decided, number in zip((True, False), numbers, strict=True)
    }
    printed = protect(_counts(names, {True: "As decided", False: "Otherwise"}, told))
    return _chapter(
        "Agreement on thresholds",
        "Each agency's own view of whether the threshold is met, recorded before the discussion, beside the decision."
        " Krippendorff's alpha says how far the agencies agree with each other: 1 is full agreement, 0 is chance.",
        printed, [f"Agencies among themselves, before the discussion: {_alpha(found.before)}."],
    )  # fmt: skip


def _exceptions(session: Session, side: Side, quarter: Quarter) -> Chapter:
    wanted = [*_of(_REFERRALS, "received_on", side, quarter), _REFERRALS.c.overrides > 0]
    with_override = session.execute(sa.select(sa.func.count()).select_from(_REFERRALS).where(*wanted)).scalar_one()
    return Chapter(
        "Overrides",
        "Referrals received in the quarter in which a rule that protects information was overridden by a named person"
        " with a reason: an agency was asked without a sharing agreement, or something was sent although it looked like"
        " a protected address or another family's name.",
        ["", "Referrals"],
        [["With an override", _said(rounded(with_override))]],
    )


def _misdirected(session: Session, quarter: Quarter, profile: Profile) -> Chapter:
    wanted = [_local_day(col(MisdirectedContact.at), profile).between(quarter.first, quarter.last)]
    found = _tally(session, col(MisdirectedContact.agency), sa.literal(""), wanted)
    return _chapter(
        "Misdirected contacts",
        "An agency tried to refer to the MASH itself and was shown the front door instead: of both boards together.",
        protect(_counts(_agencies(profile), {"": "Contacts"}, found)),
    )


def _feedback(session: Session, quarter: Quarter, profile: Profile) -> Chapter:
    in_quarter = _local_day(col(Feedback.given_at), profile).between(quarter.first, quarter.last)
    given = session.exec(select(Feedback).where(in_quarter).order_by(col(Feedback.given_at))).all()
    kinds = {"waits": "Waits for an answer", "answered": "Answered", "changed": "Answered, and something changed"}
    of = ["changed" if each.what_changed else "answered" if each.answer else "waits" for each in given]
    found = {(kind, ""): of.count(kind) for kind in kinds}
    changed = [each.what_changed for each in given if each.for_everybody and each.what_changed]
    return _chapter(
        "Feedback, and what changed",
        "Feedback on the process from anybody who works with the hub, of both boards together. What changed is printed"
        " where it was answered for everybody.",
        protect(_counts(kinds, {"": "Given"}, found)), [f"Changed: {words}" for words in changed],
    )  # fmt: skip


def _reviews(session: Session, quarter: Quarter, profile: Profile) -> Chapter:
    """About documents, not people: nothing is suppressed."""
    on = quarter.last
    agreements = session.exec(
        select(SharingAgreement).where(col(SharingAgreement.ended_on).is_(None)).order_by(SharingAgreement.title)
    ).all()
    renewed = {each.renews for each in agreements}
    rows = [
        [f"{each.title}, version {each.version}", f"{each.review_on:%-d %B %Y}", _overdue(each.review_on < on)]
        for each in agreements
        if each.id not in renewed and (each.in_force_to is None or each.in_force_to >= on)
    ]
    known = profile.hours.known_until
    rows.append(["Bank holidays of the calendar", f"{known:%-d %B %Y}", _overdue(known < on + _AHEAD)])
    return Chapter(
        "Review dates",
        f"When each agreement is to be reviewed, and until when the calendar is known; as it stood on {on:%-d %B %Y}.",
        ["Document", "Review", "State"],
        rows,
    )


def _overdue(is_so: bool) -> str:
    return "Overdue" if is_so else "Not yet"


# --- counting, and saying what was counted ---


def _of(table: sa.TableClause, day: str, side: Side, quarter: Quarter) -> list[sa.ColumnElement[bool]]:
    return [*_sided(table, side), table.c[day].between(quarter.first, quarter.last)]


def _local_day(moment: Column, profile: Profile) -> sa.ColumnElement[date]:
    return sa.cast(sa.func.timezone(profile.area.zone, moment), sa.Date)


def _sided(table: sa.TableClause, side: Side) -> list[sa.ColumnElement[bool]]:
    return [table.c.side.in_((str(side), "both"))]


def _tally(session: Session, row: Column, column: Column, wanted: Wanted) -> dict[tuple[Any, Any], int]:
    counted: tuple[Any, ...] = (row.label("of_row"), column.label("of_column"), sa.func.count())
    found = session.execute(sa.select(*counted).where(*wanted).group_by("of_row", "of_column"))
    return {(of_row, of_column): number for of_row, of_column, number in found}


def _counts(rows: Mapping[Any, str], columns: Mapping[Any, str], found: Mapping[tuple[Any, Any], int]) -> Counts:
    cells = tuple(tuple(found.get((row, column), 0) for column in columns) for row in rows)
    return Counts(tuple(rows.values()), tuple(columns.values()), cells)


def _chapter(title: str, definition: str, printed: Printable, notes: Iterable[str] = ()) -> Chapter:
    one = len(printed.columns) == 1
    rows = [
        [name, *map(_said, cells), *([] if one else [_said(total)])]
        for name, cells, total in zip(printed.rows, printed.cells, printed.row_totals, strict=True)
    ]
    rows.append(["All", *([] if one else map(_said, printed.column_totals)), _said(printed.total)])
    return Chapter(title, definition, ["", *printed.columns, *([] if one else ["All"])], rows, list(notes))


def _said(figure: int | None) -> str:
    return MARK if figure is None else f"{figure:,}"


def _sum(figures: Sequence[int | None]) -> int | None:
    return None if None in figures else sum(figure or 0 for figure in figures)


def _percent(found: int | None) -> str:
    return MARK if found is None else f"{found} %"


def _rate(printed: Printable, part: int, whole: Sequence[int]) -> str:
    return _percent(share(printed.column_totals[part], _sum([printed.column_totals[place] for place in whole])))


def _alpha(found: Concordance) -> str:
    if found.alpha is None or found.units < LEAST:
        return "too few to say"
    interval = f"95 % interval {found.low:.2f} to {found.high:.2f}"
    return f"alpha {found.alpha:.2f}, {interval}, of {rounded(found.units):,} referrals"


def _median(session: Session, minutes: Column, wanted: Wanted) -> str:
    """As people say it, to the quarter of an hour; the empty text where it would rest on fewer than 5."""
    query = sa.select(sa.func.count(minutes), sa.func.percentile_disc(0.5).within_group(minutes)).where(*wanted)
    number, found = session.execute(query).one()
    if number < LEAST:
        return ""
    near = 15 * round(found / 15)
    return f"{near // 60} h {near % 60:02} min"


def _busiest(session: Session, wanted: Wanted, profile: Profile) -> str:
    hour = sa.extract("hour", sa.func.timezone(profile.area.zone, _CHECKS.c.asked_at))
    query = sa.select(sa.cast(hour, sa.Integer).label("hour"), sa.func.count()).where(*wanted).group_by("hour")
    found = max(session.execute(query), key=lambda row: (row[1], -row[0]), default=(0, 0))
    return f"{found[0]:02}:00 and {found[0] + 1:02}:00" if found[1] >= LEAST else ""


def _agencies(profile: Profile) -> dict[str, str]:
    """All that could have been asked, whether or not they were: a row that is missing would say something too."""
    return {agency.code: agency.names[-1].name for agency in profile.agencies}
