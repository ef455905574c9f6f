"""Which agencies are asked, and why."""

from __future__ import annotations

import pytest

from rules.asking import Candidate, WhyAsked, WhyNotAsked, plan
from rules.people import Side

CHILD, ADULT = frozenset({Side.CHILD}), frozenset({Side.ADULT})
AGENCIES = [
    Candidate("POLICE", CHILD | ADULT, as_a_rule=True),
    Candidate("CHILDREN", CHILD, as_a_rule=True),
    Candidate("ADULTS", ADULT, as_a_rule=True),
    Candidate("PROBATION", CHILD | ADULT, as_a_rule=False),
]
EVERYBODY = {agency.code for agency in AGENCIES}
SCOPE, ONE, NONE = WhyNotAsked.OUT_OF_SCOPE, WhyNotAsked.ONE_AT_A_TIME, WhyNotAsked.NO_AGREEMENT


@pytest.mark.parametrize(
    ("sides", "agreed", "overridden", "asked", "not_asked"),
    [
        (CHILD, EVERYBODY, (), ["POLICE", "CHILDREN"], {"ADULTS": SCOPE, "PROBATION": ONE}),
        (ADULT, EVERYBODY, (), ["POLICE", "ADULTS"], {"CHILDREN": SCOPE, "PROBATION": ONE}),
        (CHILD | ADULT, EVERYBODY, (), ["POLICE", "CHILDREN", "ADULTS"], {"PROBATION": ONE}),
        (CHILD, {"CHILDREN"}, (), ["CHILDREN"], {"POLICE": NONE, "ADULTS": SCOPE, "PROBATION": ONE}),
        (CHILD, {"CHILDREN"}, ("POLICE",), ["POLICE", "CHILDREN"], {"ADULTS": SCOPE, "PROBATION": ONE}),
        # Nobody overrides that an agency has nothing to do with these people.
        (CHILD, EVERYBODY, ("ADULTS",), ["POLICE", "CHILDREN"], {"ADULTS": SCOPE, "PROBATION": ONE}),
        (CHILD, (), (), [], {"POLICE": NONE, "CHILDREN": NONE, "ADULTS": SCOPE, "PROBATION": ONE}),
    ],
)
def test_each_agency_is_asked_or_not_for_a_reason(sides, agreed, overridden, asked, not_asked):
    """R15, R55: and none is left out"""
    found = plan(AGENCIES, sides, agreed, overridden)
    assert list(found.asked) == asked
    assert found.not_asked == not_asked
    assert found.asked.keys() | found.not_asked.keys() == EVERYBODY
    assert {code for code, why in found.asked.items() if why is WhyAsked.OVERRIDE} == set(overridden) & set(asked)
