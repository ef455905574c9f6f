"""What a part logs can be found again, by referral and by what belongs together, and holds nothing of anybody."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from engine.timekeeper import _repeat
from models.log_lines import JsonLines, begin
from rules.errors import Unavailable

REFERENCE = "7KQ2-XW9S"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the timekeeper logs, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("mash.timekeeper")
    log.addHandler(handler)
    yield written
    log.removeHandler(handler)


def _read(lines: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_lines_of_one_turn_have_one_id_and_those_of_another_have_not(lines: io.StringIO) -> None:
    """Issue 7: reference and correlation"""
    stopping, turns = threading.Event(), []
    log = logging.getLogger("mash.timekeeper")

    def turn() -> float:
        turns.append(1)
        log.warning("%s: its run is %s; it is woken", REFERENCE, "MISSING")
        if len(turns) == 2:
            stopping.set()
        raise Unavailable("the record does not answer")

    stopping.wait = lambda timeout=None: True  # type: ignore[method-assign]
    _repeat(stopping, "repair", (), turn)
    found = _read(lines)
    assert [each["says"] for each in found] == [
        f"{REFERENCE}: its run is MISSING; it is woken", "repair: the record does not answer",
    ] * 2  # fmt: skip
    assert [each.get("reference") for each in found] == [REFERENCE, None] * 2
    first, second = found[0]["correlation"], found[2]["correlation"]
    assert first != second
    assert [each["correlation"] for each in found] == [first, first, second, second]
    assert {each["level"] for each in found} == {"WARNING"}
    assert {each["part"] for each in found} == {"mash.timekeeper"}


def test_the_text_of_an_exception_is_no_part_of_a_line(lines: io.StringIO) -> None:
    """R51: it may hold what people wrote; a line break in a message makes no second line"""
    begin()
    try:
        raise ValueError("canary-name")
    except ValueError:
        logging.getLogger("mash.timekeeper").exception("something\nwent wrong")
    [found] = _read(lines)
    assert "canary-name" not in lines.getvalue()
    assert found["says"] == "something\nwent wrong"
    assert found["at"].endswith("+00:00")
