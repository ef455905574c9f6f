"""The analyst's board of agency checks: figures, charts and what they mean, down to references, and as files (R25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from casework.document_parts import Code, Document
from casework.register import current_profile
from portal import bodies, forms, words
from portal.doors import AtDoor, Door
from portal.forms import Form
from portal.pages.documents import meant
from reports import charts, export, figures, process_log, process_map
from reports.charts import Share
from reports.definitions import definitions
from reports.figures import Asked, By, CheckRow, Figures, usual_first
from reports.workload import workload
from rules.errors import FieldError, NotAcceptable

router = APIRouter(include_in_schema=False)
_HOME = "/sla"
#: What a page shows of the checks behind a figure, and what a file holds.
_SHOWN, _IN_FILE = 200, 100_000
#: How much of a ledger a log of events holds.
_LOGGED = timedelta(days=400)
_STATES = {
    "on_time": "Returned on time", "late": "Returned late", "silent": "No answer past due", "declined": "Declined",
    "cancelled": "Cancelled", "open": "Still open",
}  # fmt: skip
_SIDES = {"child": "Children", "adult": "Adults", "both": "Both"}
#: The columns of the table, and what stands above them.
_COLUMNS: Mapping[str, str] = {
    "asked": "Asked", **_STATES, "breached": "Breached", "breach_rate": "Breach rate",
    "median_open_minutes": "Median, office time", "p90_open_minutes": "90th percentile, office time",
}  # fmt: skip


class Filter(Document):
    """Which checks the board shows."""

    first: date
    last: date
    side: Code | None = None
    agency: Code | None = None
    band: Code | None = None
    cause: Code | None = None
    by: By = By.AGENCY
    state: Code | None = Field(default=None, description="For the checks behind a figure")

    def asked(self) -> Asked:
        """The same as the reports understand it."""
        return Asked(self.first, self.last, agency=self.agency, side=self.side, band=self.band, cause=self.cause)


class LogDocument(Document):
    """Which log of events is wanted."""

    first: date
    last: date
    form: process_log.Form


class MapDocument(Document):
    """Of which days a map is wanted."""

    first: date
    last: date


@router.get(_HOME)
def sla_board(door: AtDoor) -> Response:
    """Timeliness of the checks of some days, with charts, the same figures as a table, and what each means."""
    with door.at_work() as (session, _, at):
        chosen, form = _filter(door, at)
        shown = figures.table(session, chosen.asked(), chosen.by)
        meanings = definitions(session, "by_all")["by_all"]
        fresh = figures.as_of(session)
        loads = workload(session, chosen.asked(), current_profile(), shown if chosen.by is By.AGENCY else None)
    named = {row.of: label(chosen.by, row.of) for row in shown.rows}
    bars = [Share(named[row.of], row.on_time, row.counted) for row in shown.rows]
    months = [Share(month.strftime("%b %Y"), breached, counted) for month, breached, counted in shown.months]
    mark = shown.total.on_time / shown.total.counted if shown.total.counted else None
    return door.page(
        "sla.html", 422 if form.summary() else 200, form=form, chosen=chosen, shown=shown, named=named, fresh=fresh,
        columns=_COLUMNS, meanings=meanings, query=_query(chosen), choices=_choices(), months=months, states=_STATES,
        bars=charts.bullet_bars(bars, mark, "Returned on time, of all that were counted", "bars"),
        run=charts.run_chart(months, "Breach rate by month", "run"), minutes=minutes_in_words, loads=loads,
        agency_name=lambda code: label(By.AGENCY, code),
    )  # fmt: skip


@router.get(f"{_HOME}/checks")
def checks_behind(door: AtDoor) -> Response:
    """Which checks stand behind a figure: references and codes, and no way from there to a case."""
    with door.at_work() as (session, _, at):
        chosen, form = _filter(door, at)
        rows = figures.checks(session, chosen.asked(), chosen.state, _SHOWN + 1)
    more = len(rows) > _SHOWN
    return door.page(
        "sla_checks.html", 422 if form.summary() else 200, form=form, chosen=chosen, rows=rows[:_SHOWN], more=more,
        most=_SHOWN, states=_STATES, query=_query(chosen), label=label, minutes=minutes_in_words, By=By,
    )  # fmt: skip


@router.get(f"{_HOME}/figures.{{form}}")
def figures_as_file(form: export.Form, door: AtDoor) -> Response:
    """The table of the board as a file."""
    with door.at_work() as (session, _, at):
        chosen, _ = _filter(door, at)
        rows = figures.table(session, chosen.asked(), chosen.by).rows
    return as_file(form, f"figures-by-{chosen.by}", Figures._fields, rows)


@router.get(f"{_HOME}/checks.{{form}}")
def checks_as_file(form: export.Form, door: AtDoor) -> Response:
    """The checks behind a figure as a file."""
    with door.at_work() as (session, _, at):
        chosen, _ = _filter(door, at)
        rows = figures.checks(session, chosen.asked(), chosen.state, _IN_FILE)
    return as_file(form, "checks", CheckRow._fields, rows)


@router.post("/process-log")
def log_as_file(door: AtDoor) -> Response:
    """What happened to the referrals of some days, for process-mining tools: references and codes.

    Not by GET: whoever only reads is shown no ledger, and this takes no more of it than acts and times.
    """
    with door.at_work() as (session, _, _):
        wanted = meant(door, LogDocument)
        _check_length(wanted)
        happened = process_log.events(session, wanted.first, wanted.last, door.zone)
    name = f"process-{wanted.first}-{wanted.last}.{wanted.form}"
    media_type = "application/json" if wanted.form is process_log.Form.OCEL else "application/xml"
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(process_log.as_file(wanted.form, happened), media_type=media_type, headers=named)


@router.post("/process-map")
def map_of_ways(door: AtDoor) -> Response:
    """Which ways the referrals of some days took, as a picture and as a table; not by GET, as for the log."""
    with door.at_work() as (session, _, _):
        wanted = meant(door, MapDocument)
        _check_length(wanted)
        ways = process_map.ways(session, wanted.first, wanted.last, door.zone)
    return door.page(
        "process_map.html", first=wanted.first, last=wanted.last, ways=ways, most=process_map.DRAWN,
        minutes=minutes_in_words, chart=process_map.drawn(ways, "The ways that referrals took", "ways"),
    )  # fmt: skip


def _check_length(wanted: LogDocument | MapDocument) -> None:
    if not timedelta() <= wanted.last - wanted.first <= _LOGGED:
        raise NotAcceptable(FieldError("/last", f"choose at most {_LOGGED.days} days"))


def as_file(form: export.Form, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Response:
    """The rows as a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(export.as_file(form, columns, rows), media_type=export.MEDIA_TYPES[form], headers=headers)


def label(by: By, code: Any) -> str:
    """What a code is called where it is one of the area's, or of a code set."""
    profile = current_profile()
    if code is None:
        return "Not said" if by is By.CAUSE else "All"
    if by is By.MONTH:
        return f"{code:%B %Y}"
    names = {
        By.AGENCY: {agency.code: agency.names[-1].name for agency in profile.agencies},
        By.SIDE: _SIDES,
        By.BAND: {band.code: band.label for band in profile.clocks.bands},
        By.CAUSE: profile.codes["breach_cause"],
    }[by]
    return str(names.get(code, code))


def _filter(door: Door, at: datetime) -> tuple[Filter, Form]:
    """What the address asks for; when it makes no sense, the last three months, and beside each field what is wrong."""
    last = at.astimezone(door.zone).date()
    default = Filter(first=usual_first(last), last=last)
    raw = forms.nested((name, value) for name, value in door.request.query_params.multi_items() if name != "done")
    if not forms.said(raw):
        return default, Form(_typed(default))
    try:
        chosen = bodies.read_value(forms.document(raw, door.zone), Filter)
        if chosen.first > chosen.last:
            raise NotAcceptable(FieldError("/last", "is before the first day"))
    except NotAcceptable as refused:
        return default, Form(raw, refused.fields)
    return chosen, Form(_typed(chosen))


def _typed(chosen: Filter) -> dict[str, Any]:
    """The filter as its own form holds it."""
    codes = chosen.model_dump(mode="json", exclude={"first", "last"}, exclude_none=True)
    return {"first:date": forms.day_parts(chosen.first), "last:date": forms.day_parts(chosen.last), **codes}


def _query(chosen: Filter) -> str:
    """The filter as the end of an address, without the state of the checks behind a figure."""
    typed = _typed(chosen)
    days = {f"{field}{part}": value for field in ("first:date", "last:date") for part, value in typed[field].items()}
    return urlencode({**days, **{name: typed[name] for name in typed if ":" not in name and name != "state"}})


def _choices() -> dict[str, list[dict[str, str]]]:
    profile = current_profile()
    return {
        "side": words.options(_SIDES),
        "agency": [{"value": agency.code, "text": agency.names[-1].name} for agency in profile.agencies],
        "band": [{"value": band.code, "text": band.label} for band in profile.clocks.bands],
        "cause": words.options(profile.codes["breach_cause"]),
        "by": words.options(
            {By.AGENCY: "Agency", By.SIDE: "Side", By.BAND: "Band", By.MONTH: "Month", By.CAUSE: "Cause"}
        ),
    }


def minutes_in_words(number: int | None) -> str:
    """A length in minutes, as people say it; a dash for none."""
    return "–" if number is None else f"{number // 60} h {number % 60:02} min"
