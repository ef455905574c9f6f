"""By when somebody is answered who asks for their own data, and what they are not given (UK GDPR 12, 15; S-28)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules.errors import NotPermitted
from rules.permissions import Actor, Role
from rules.subject_access import LeftOut, answer_due, check_may_answer_access, item_left_out, names_any
from tests.rules.london import OFFICE


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 3, 16), date(2026, 4, 16)),
        (date(2026, 1, 30), date(2026, 3, 2)),  # 28 February is a Saturday
        (date(2026, 3, 3), date(2026, 4, 7)),  # 3 April is Good Friday
        (date(2026, 8, 31), date(2026, 9, 30)),
        (date(2026, 11, 26), date(2026, 12, 29)),  # over Christmas
        (date(2026, 12, 14), date(2027, 1, 14)),
    ],
)
def test_it_is_answered_within_a_month_or_on_the_next_working_day(received: date, due: date):
    """S-28: as the Information Commissioner counts"""
    assert answer_due(received, OFFICE) == due


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"kind": "FACT", "about": ["S1"]}, None),
        ({"kind": "FACT", "about": []}, None),
        ({"kind": "OPINION", "about": ["S1", "S2"]}, None),
        ({"kind": "FACT", "about": ["S2"]}, LeftOut.ABOUT_OTHERS),
        ({"kind": "THIRD_PARTY", "about": ["S1"]}, LeftOut.THIRD_PARTY),
        ({"kind": "FACT", "about": ["S1"], "recipients": "NOBODY"}, LeftOut.WITHHELD_BY_AGENCY),
    ],
)
def test_what_is_others_or_withheld_is_left_out_with_its_code(item: dict[str, Any], why: LeftOut | None):
    """S-28"""
    assert item_left_out(item, "S1") is why


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Seen with MARLA today.", True), ("At 3 Hidden\n Lane, they said", True), ("Marlas are birds.", False),
        ("Nothing.", False),
    ],
)  # fmt: skip
def test_a_name_or_address_is_found_in_whatever_case_and_spacing(text: str, found: bool):
    """S-28"""
    assert names_any(text, {"Marla", "3 Hidden Lane", ""}) is found


@pytest.mark.parametrize(
    "actor",
    [Actor("x", role, is_person=True) for role in Role if role is not Role.IG_LEAD] + [Actor("x", Role.IG_LEAD)],
)
def test_nobody_else_answers(actor: Actor):
    with pytest.raises(NotPermitted):
        check_may_answer_access(actor)
