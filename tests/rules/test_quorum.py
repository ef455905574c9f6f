"""Whether a decision is everybody's."""

from __future__ import annotations

import pytest

from rules.quorum import QuorumRule, missing

THREE = ("POLICE", "COUNCIL", "HEALTH")


@pytest.mark.parametrize(
    ("least", "there", "absent"),
    [
        (3, {"POLICE", "COUNCIL", "HEALTH"}, []),
        (3, {"POLICE", "HEALTH", "SCHOOL"}, ["COUNCIL"]),
        (2, {"POLICE", "HEALTH"}, []),
        (2, {"HEALTH"}, ["POLICE", "COUNCIL"]),
        (1, set(), list(THREE)),
    ],
)
def test_a_decision_is_below_quorum_when_too_few_of_the_agencies_took_part(least, there, absent):
    """R38"""
    assert missing(QuorumRule(THREE, least), there) == absent


def test_where_no_quorum_is_set_none_is_missed():
    """R38"""
    assert missing(None, set()) == []
