"""Which agencies are asked, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asking import Candidate, Narrowing, WhyAsked, WhyNotAsked, plan
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


NEEDED = WhyNotAsked.NOT_NEEDED
ALWAYS, HOLDS_IT, OVERRIDE = WhyAsked.WHATEVER_THE_QUESTION, WhyAsked.QUESTION, WhyAsked.OVERRIDE


@pytest.mark.parametrize(
    ("holds_it", "always", "overridden", "asked", "not_asked"),
    [
        ({"CHILDREN"}, {"POLICE"}, (), {"POLICE": ALWAYS, "CHILDREN": HOLDS_IT}, {"ADULTS": NEEDED}),
        ({"POLICE"}, {"POLICE"}, (), {"POLICE": HOLDS_IT}, {"CHILDREN": NEEDED, "ADULTS": NEEDED}),
        ({"POLICE"}, (), ("ADULTS",), {"POLICE": HOLDS_IT, "ADULTS": OVERRIDE}, {"CHILDREN": NEEDED}),
        # A question never has an agency asked that is asked one referral at a time.
        ({"PROBATION"}, {"ADULTS"}, (), {"ADULTS": ALWAYS}, {"POLICE": NEEDED, "CHILDREN": NEEDED}),
    ],
)
def test_a_question_leaves_out_who_does_not_hold_what_it_is_about(holds_it, always, overridden, asked, not_asked):
    """R15, issue 5 point 2: with the reason of each"""
    narrowed = Narrowing(frozenset(holds_it), frozenset(always))
    found = plan(AGENCIES, CHILD | ADULT, EVERYBODY, overridden, narrowed)
    assert found.asked == asked
    assert found.not_asked == not_asked | {"PROBATION": ONE}


_SOME = st.frozensets(st.sampled_from(sorted(EVERYBODY)))


@given(sides=st.sets(st.sampled_from(Side)), agreed=_SOME, overridden=_SOME, holds_it=_SOME, always=_SOME)
def test_a_question_narrows_and_never_widens(sides, agreed, overridden, holds_it, always):
    """R29, issue 5 point 2: proportionate, whatever an area writes into its profile"""
    wide = plan(AGENCIES, sides, agreed, overridden)
    narrow = plan(AGENCIES, sides, agreed, overridden, Narrowing(holds_it, always))
    assert narrow.asked.keys() <= wide.asked.keys()
    assert narrow.asked.keys() | narrow.not_asked.keys() == EVERYBODY
    assert set(narrow.not_asked.values()) <= set(wide.not_asked.values()) | {NEEDED}
