"""Forms of pages: from the names of their fields to a document of casework, and back with every error beside its field.

A field's name is its place in the document, `subjects-0-given_name`, and may say what kind of value it is:
`:bool`, `:int`, `:list`, `:lines`, `:date` (in parts `.day`, `.month`, `.year`) or `:moment` (with `.time` besides).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from portal.words import error_sentence
from rules.errors import FieldError

MOST_FIELDS = 3000
Raw = dict[str, Any]


def parse(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form as a browser sends it. Raises ValueError for what is none."""
    text = body.decode()
    fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    return [(name, value.replace("\r\n", "\n")) for name, value in fields]


def nested(fields: Iterable[tuple[str, str]]) -> Raw:
    """The fields by their places: rows under the texts of their numbers, dates in their parts, as they were typed."""
    found: Raw = {}
    for name, value in fields:
        *path, last = name.replace(".", "-.").split("-")
        place = found
        for step in path:
            inner = place.setdefault(step, {})
            place = inner if isinstance(inner, dict) else place
        if last.endswith(":list"):
            place.setdefault(last, []).append(value)
        else:
            place[last] = value
    return compact(found)


def compact(raw: Raw) -> Raw:
    """The same without rows in which nothing was typed, and the others numbered anew."""
    inner = {name: compact(value) if isinstance(value, dict) else value for name, value in raw.items()}
    if not _are_rows(inner):
        return inner
    kept = [inner[number] for number in sorted(inner, key=int) if said(inner[number])]
    return {str(number): row for number, row in enumerate(kept)}


def said(value: Any) -> bool:
    """Whether anything was typed or chosen here."""
    if isinstance(value, dict):
        return any(said(inner) for inner in value.values())
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def document(raw: Raw, zone: ZoneInfo) -> Any:
    """The JSON document that was meant: what was left empty is left out."""
    if _are_rows(raw):
        return [document(raw[number], zone) for number in sorted(raw, key=int)]
    found: dict[str, Any] = {}
    for name, value in raw.items():
        if said(value):
            plain, _, kind = name.partition(":")
            found[plain] = _meant(value, kind, zone)
    return found


def _meant(value: Any, kind: str, zone: ZoneInfo) -> Any:
    if kind == "bool":
        return {"true": True, "false": False}.get(value, value)
    if kind == "int":
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
    if kind == "lines" and isinstance(value, str):
        return [line.strip() for line in value.split("\n") if said(line)]
    if kind == "date" and isinstance(value, dict):
        return _day(value)
    if kind == "moment" and isinstance(value, dict):
        return _moment(value, zone)
    return document(value, zone) if isinstance(value, dict) else value


def _day(parts: Mapping[str, str]) -> str:
    day, month, year = (parts.get(part, "").strip() for part in (".day", ".month", ".year"))
    return f"{year}-{month:0>2}-{day:0>2}"


def _moment(parts: Mapping[str, str], zone: ZoneInfo) -> str:
    local = f"{_day(parts)} {parts.get('.time', '').strip().replace('.', ':'):0>5}"
    try:
        return datetime.strptime(local, "%Y-%m-%d %H:%M").replace(tzinfo=zone).isoformat()
    except ValueError:
        return local


def day_parts(day: date) -> Raw:
    """A day as the parts of its fields."""
    return {".day": str(day.day), ".month": str(day.month), ".year": str(day.year)}


def moment_parts(moment: datetime, zone: ZoneInfo) -> Raw:
    """A moment as the parts of its fields."""
    local = moment.astimezone(zone)
    return {**day_parts(local), ".time": f"{local:%H:%M}"}


def _are_rows(raw: Mapping[str, Any]) -> bool:
    return bool(raw) and all(name.isascii() and name.isdigit() and len(name) < 5 for name in raw)


class Form:
    """What a page shows in its fields, and what is wrong with each."""

    def __init__(self, raw: Raw | None = None, errors: Iterable[FieldError] = ()) -> None:
        self.raw, self.place = raw or {}, ""
        self._errors = {_id(error.pointer): error_sentence(error) for error in errors}

    def at(self, place: str) -> Form:
        """The same form at a place of its own, where a page has several with fields of one name."""
        moved = copy(self)
        moved.place = place
        return moved

    def id(self, name: str) -> str:
        """The id of a field: where it is in the document, without what kind it is, and the form's place before it."""
        return self._placed(_plain(name))

    def _placed(self, field: str) -> str:
        return f"{self.place}-{field}" if self.place else field

    def value(self, name: str) -> Any:
        """What stands in a field; the empty text when nothing does."""
        place: Any = self.raw
        for step in name.replace(".", "-.").split("-"):
            place = place.get(step, "") if isinstance(place, dict) else ""
        return place

    def rows(self, name: str, least: int = 0) -> range:
        """The numbers of the rows to show of a list."""
        there = self.value(name)
        return range(max(len(there) if isinstance(there, dict) else 0, least))

    def error(self, name: str) -> dict[str, str] | None:
        """What is wrong with a field, as the Design System's macros want it."""
        text = self._errors.get(_plain(name))
        return {"text": text} if text else None

    def summary(self) -> list[dict[str, str]]:
        """Every error, with a link to its field."""
        return [{"text": text, "href": f"#{self._placed(field)}"} for field, text in self._errors.items()]


def _plain(name: str) -> str:
    return "-".join(step.partition(":")[0] for step in name.split("-"))


def _id(pointer: str) -> str:
    return pointer.removeprefix("/").replace("/", "-")
