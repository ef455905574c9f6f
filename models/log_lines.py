"""What the hub's parts write into their logs: a line for people, or JSON for a store of logs (`MASH_LOG=json`).

References and codes alone, whichever it is (R51): an exception's own text never gets here.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"
_REFERENCE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_together: ContextVar[str] = ContextVar("together", default="")


class LogForm(StrEnum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, part, says, and, where they are known, reference and correlation."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        says, at = record.getMessage(), _EPOCH + timedelta(seconds=record.created)
        found = _REFERENCE.search(says)
        line = {
            "at": at.isoformat(timespec="milliseconds"), "level": record.levelname, "part": record.name, "says": says,
            "reference": found[0] if found else None, "correlation": _together.get() or None,
        }  # fmt: skip
        return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)


def begin() -> None:
    """What is logged from here on, in this thread or request, belongs together: it has one random id."""
    _together.set(secrets.token_hex(8))


def write_lines(form: LogForm, level: int) -> None:
    """Have everything that this process logs, from a level on, written in this form to its standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form is LogForm.JSON else logging.Formatter(_TEXT))
    logging.basicConfig(handlers=[handler], level=level)
