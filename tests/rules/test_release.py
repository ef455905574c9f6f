"""How far one item of a return may go."""

from __future__ import annotations

from typing import Any

import pytest

from rules.release import REACHES, Reader, is_withheld, may_reach


@pytest.mark.parametrize(
    ("item", "reached"),
    [
        ({"recipients": "NOBODY"}, ""),
        ({"recipients": "MASH"}, "MASH"),
        ({"recipients": "DUTY_TEAM"}, "MASH DUTY_TEAM"),
        ({"recipients": "AGENCIES"}, "MASH DUTY_TEAM AGENCIES"),
        ({"recipients": "REFERRER"}, "MASH DUTY_TEAM REFERRER"),
        ({"recipients": "REFERRER", "kind": "OPINION"}, "MASH DUTY_TEAM REFERRER"),
        ({"recipients": "REFERRER", "kind": "THIRD_PARTY"}, "MASH DUTY_TEAM"),
        ({"recipients": "A_CODE_OF_TOMORROW"}, "MASH"),
        ({}, "MASH"),
    ],
)
def test_an_item_goes_as_far_as_its_agency_agreed_and_no_further(item: dict[str, Any], reached: str) -> None:
    """R29, R45"""
    assert {reader for reader in Reader if may_reach(item, reader)} == set(reached.split())


@pytest.mark.parametrize("code", REACHES)
def test_withheld_is_what_reaches_nobody(code: str) -> None:
    """R29"""
    assert is_withheld({"recipients": code}) is (not REACHES[code])
