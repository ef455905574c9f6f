"""What is wrong with a document, in words for whoever filled it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from rules.errors import FieldError

#: Pydantic's findings by type, as a person would say them; its own words serve where there is no better sentence.
_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not a field of this document",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda limits: f"is too long: at most {limits['max_length']} characters",
    "string_type": lambda _: "must be text",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be a whole number",
    "list_type": lambda _: "must be a list",
    "model_type": lambda _: "must be an object with fields",
    "too_short": lambda limits: f"needs at least {limits['min_length']}",
    "too_long": lambda limits: f"holds too many: at most {limits['max_length']}",
    "date_from_datetime_parsing": lambda _: "is not a date such as 2016-05-04",
    "date_parsing": lambda _: "is not a date such as 2016-05-04",
    "datetime_from_date_parsing": lambda _: "is not a time with its zone, such as 2026-03-16T09:40:00Z",
    "datetime_parsing": lambda _: "is not a time with its zone, such as 2026-03-16T09:40:00Z",
    "timezone_aware": lambda _: "needs its time zone, such as 2026-03-16T09:40:00Z",
}


def field_errors(error: ValidationError) -> list[FieldError]:
    """Pydantic's findings as JSON pointers and sentences, without what was sent."""
    return [
        FieldError("".join(map(_step, filter(_is_place, finding["loc"]))), _sentence(finding["type"], finding))
        for finding in error.errors(include_input=False, include_url=False)
    ]


def _sentence(kind: str, finding: Mapping[str, Any]) -> str:
    if kind in _SENTENCES:
        return _SENTENCES[kind](finding.get("ctx", {}))
    return str(finding["msg"]).removeprefix("Value error, ")


def _is_place(part: str | int) -> bool:
    """Whether a step is one in the document, and not the name of a kind of item, which stands in angle brackets."""
    return not str(part).startswith("<")


def _step(part: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + str(part).replace("~", "~0").replace("/", "~1")
