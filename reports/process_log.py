"""What happened to referrals, as process-mining tools read it: XES (IEEE 1849-2016) and OCEL 2.0.

Of the ledger only references, acts, times and agencies are taken: no account, and nothing that was said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from models.ledger import LedgerEntry
from models.referral import Referral

_XES = "http://www.xes-standard.org/"
_REFERRAL, _CHECK = "referral", "agency check"


class Form(StrEnum):
    """The forms of a log, by the ends of their names."""

    XES = "xes"
    OCEL = "jsonocel"


class Event(NamedTuple):
    """One act of a referral's ledger."""

    reference: str
    number: int
    at: datetime
    act: str
    agency: str | None


def events(session: Session, first: date, last: date, zone: ZoneInfo) -> list[Event]:
    """What happened to the referrals received on these local days, each in its order; what is hidden is not there."""
    begin, end = (datetime.combine(day, datetime.min.time(), zone) for day in (first, last + timedelta(days=1)))
    query = (
        select(LedgerEntry)
        .join(Referral, col(Referral.reference) == col(LedgerEntry.reference))
        .where(col(Referral.received_at) >= begin, col(Referral.received_at) < end)
        .order_by(col(LedgerEntry.reference), col(LedgerEntry.number))
    )
    return [
        Event(entry.reference, entry.number, entry.at.astimezone(UTC), str(entry.act), entry.detail.get("agency"))
        for entry in session.exec(query)
    ]


def as_file(form: Form, happened: Sequence[Event]) -> bytes:
    """The events as a file."""
    return as_xes(happened) if form is Form.XES else as_ocel(happened)


def as_xes(happened: Iterable[Event]) -> bytes:
    """One trace for each referral. The events come in the order of their referrals, and of their ledgers."""
    log = ElementTree.Element("log", {"xes.version": "1849.2016", "xes.features": "", "xmlns": _XES})
    for name, prefix in (("Concept", "concept"), ("Time", "time"), ("Organizational", "org")):
        ElementTree.SubElement(log, "extension", {"name": name, "prefix": prefix, "uri": f"{_XES}{prefix}.xesext"})
    _global(log, "trace", {"concept:name": "none"})
    _global(log, "event", {"concept:name": "none"})
    ElementTree.SubElement(log, "classifier", {"name": "Act", "keys": "concept:name"})
    for reference, its in groupby(happened, key=lambda event: event.reference):
        trace = ElementTree.SubElement(log, "trace")
        _said(trace, "string", "concept:name", reference)
        for event in its:
            one = ElementTree.SubElement(trace, "event")
            _said(one, "string", "concept:name", event.act)
            _said(one, "date", "time:timestamp", event.at.isoformat(timespec="milliseconds"))
            if event.agency:
                _said(one, "string", "org:group", event.agency)
    written: bytes = ElementTree.tostring(log, encoding="utf-8", xml_declaration=True)
    return written


def as_ocel(happened: Sequence[Event]) -> bytes:
    """Referrals and their agency checks as objects: an act of a check is an event of both."""
    checks = {(event.reference, event.agency) for event in happened if event.agency}
    references = {event.reference for event in happened}
    objects = [
        *({"id": name, "type": _REFERRAL, "attributes": []} for name in sorted(references)),
        *(
            {
                "id": f"{reference}/{agency}",
                "type": _CHECK,
                "attributes": [{"name": "agency", "time": "1970-01-01T00:00:00Z", "value": agency}],
                "relationships": [{"objectId": reference, "qualifier": "of"}],
            }
            for reference, agency in sorted(checks)
        ),
    ]
    told: dict[str, Any] = {
        "objectTypes": [
            {"name": _REFERRAL, "attributes": []},
            {"name": _CHECK, "attributes": [{"name": "agency", "type": "string"}]},
        ],
        "eventTypes": [{"name": act, "attributes": []} for act in sorted({event.act for event in happened})],
        "objects": objects,
        "events": [_event(event) for event in sorted(happened, key=lambda event: (event.at, event.reference))],
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _event(event: Event) -> dict[str, Any]:
    of = [{"objectId": event.reference, "qualifier": "of"}]
    if event.agency:
        of.append({"objectId": f"{event.reference}/{event.agency}", "qualifier": "of"})
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": f"{event.reference}/{event.number}", "type": event.act, "time": at, "attributes": [], "relationships": of,
    }  # fmt: skip


def _global(log: ElementTree.Element, scope: str, values: dict[str, str]) -> None:
    one = ElementTree.SubElement(log, "global", {"scope": scope})
    for key, value in values.items():
        _said(one, "string", key, value)


def _said(where: ElementTree.Element, kind: str, key: str, value: str) -> None:
    ElementTree.SubElement(where, kind, {"key": key, "value": value})
