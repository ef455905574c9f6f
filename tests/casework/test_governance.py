"""What information governance looks at, and what it does not see."""

from __future__ import annotations

import pytest

from casework import checks, governance
from casework.documents import DeclineDocument
from rules.errors import NotPermitted
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import AFTERNOON, ASKED, DECIDER, a_child, act, notices_of, refer, rep, walk

LEAD = Actor("ig-lead", Role.IG_LEAD, is_person=True)
NOTE = "Words of the agency alone"


@pytest.fixture
def declined(record) -> str:
    """The police will not share; the others have not answered."""
    reference = walk(Stage.CHECKING)
    document = DeclineDocument(reason="LIVE_INVESTIGATION", note=NOTE)
    act(checks.decline, reference, "POLICE", document, by=rep("POLICE"), at=AFTERNOON)
    return reference


def test_a_refusal_goes_to_information_governance_with_its_code_and_a_figure_of_its_own(record, declined):
    """R57"""
    assert ("check_declined", "mash:information_governance") in notices_of(record, declined)
    found = act(governance.declines, by=LEAD, at=AFTERNOON)
    [one] = found.newest
    assert (one.reference, one.agency, one.decline_reason) == (declined, "POLICE", "LIVE_INVESTIGATION")
    assert {each.agency: (each.asked, each.declined) for each in found.rates} == {
        "COMMUNITY_HEALTH_CHILDREN": (1, 0), "COUNCIL_CHILDREN": (1, 0), "MENTAL_HEALTH": (1, 0), "POLICE": (1, 1),
    }  # fmt: skip
    assert NOTE not in found.model_dump_json()


def test_a_sample_shows_basis_and_entries_and_no_word_of_content(declined):
    """R58"""
    [one] = act(governance.sample, 1, by=LEAD, at=AFTERNOON)
    assert one.basis["S1"]["gateway"] == "CA2004_S10"
    assert [entry.act for entry in one.entries][:2] == ["RECEIVED", "ASKING_PLANNED"]
    assert one.broken_at is None
    child, told = a_child(), one.model_dump_json()
    for word in (child["given_name"], child["family_name"], child["voice"], "Team manager of the day", NOTE):
        assert word not in told


def test_the_same_draw_finds_the_same_referrals_and_another_draws_others(record):
    """R58: a figure that two people can talk about"""
    for number in range(12):
        refer(sender_id=f"sent-{number}")
    draws = {draw: [one.reference for one in act(governance.sample, draw, by=LEAD, at=ASKED)] for draw in range(6)}
    assert all(len(set(found)) == 5 for found in draws.values())
    assert draws[3] == [one.reference for one in act(governance.sample, 3, by=LEAD, at=ASKED)]
    assert len({tuple(found) for found in draws.values()}) > 1


@pytest.mark.parametrize("by", [DECIDER, rep("POLICE"), Actor("board", Role.BOARD), Actor("admin", Role.ACCOUNT_ADMIN)])
def test_nobody_else_samples(record, by):
    """R58"""
    for look in (lambda: act(governance.sample, 1, by=by, at=ASKED), lambda: act(governance.declines, by=by, at=ASKED)):
        with pytest.raises(NotPermitted):
            look()
