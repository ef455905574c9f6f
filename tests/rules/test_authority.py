"""Who may make which outcome (R39)."""

from __future__ import annotations

import pytest

from rules.authority import Grade, beyond, check_is_manager, check_may_make
from rules.errors import NeedsManager, NotPermitted
from rules.permissions import Actor, Role

MATRIX = {"OTHER_LA": Grade.MANAGER, "OTHER": Grade.MANAGER, "C_ASSESS": Grade.DECISION_MAKER}
DECIDER = Actor("decider", Role.DECISION_MAKER, mash_profile=True, is_person=True)
MANAGER = Actor("manager", Role.DECISION_MAKER, mash_profile=True, is_person=True, manager_authority=True)


@pytest.mark.parametrize(
    ("outcomes", "not_theirs"),
    [
        ([], []),
        (["NFA"], []),
        (["C_ASSESS"], []),
        (["OTHER_LA"], ["OTHER_LA"]),
        (["OTHER", "NFA", "OTHER_LA", "OTHER"], ["OTHER", "OTHER_LA"]),
    ],
)
def test_a_decision_maker_makes_what_the_matrix_does_not_keep_for_a_manager(outcomes, not_theirs):
    """R39"""
    assert beyond(outcomes, MATRIX, DECIDER) == not_theirs
    assert beyond(outcomes, MATRIX, MANAGER) == []
    if not_theirs:
        with pytest.raises(NeedsManager) as needed:
            check_may_make(outcomes, MATRIX, DECIDER)
        assert list(needed.value.outcomes) == not_theirs
    else:
        check_may_make(outcomes, MATRIX, DECIDER)


@pytest.mark.parametrize(
    "actor",
    [
        DECIDER,
        Actor("no profile", Role.DECISION_MAKER, is_person=True, manager_authority=True),
        Actor("support", Role.MASH_SUPPORT, mash_profile=True, is_person=True, manager_authority=True),
    ],
)
def test_a_manager_is_a_decision_maker_with_the_profile_and_the_authority(actor):
    """R39"""
    check_is_manager(MANAGER)
    with pytest.raises(NotPermitted):
        check_is_manager(actor)
