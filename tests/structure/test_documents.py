"""What is generated from the code is as new as the code."""

from __future__ import annotations

import re

import pytest

from rules.diagram import diagram, page
from rules.stages import NEXT_STAGES
from tests.structure.house import HOUSE


def test_the_stage_diagram_is_not_stale():
    """Style: generated from NEXT_STAGES. To renew it: python -m rules.diagram > docs/stages.md"""
    assert (HOUSE / "docs" / "stages.md").read_text() == page()


def test_the_diagram_holds_every_move_and_no_other():
    drawn = {
        tuple(line.split(" --> ")) for line in map(str.strip, diagram(NEXT_STAGES, []).splitlines()) if "-->" in line
    }
    assert drawn == {(was.value, to.value) for was, following in NEXT_STAGES.items() for to in following}


NAMED = sorted(set(re.findall(r"`(test_\w+)`", (HOUSE / "docs" / "security.md").read_text())))


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests."""
    return {
        name
        for file in (HOUSE / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }


@pytest.mark.parametrize("name", NAMED)
def test_the_page_of_security_names_tests_that_are_there(tests: set[str], name: str):
    """Issue 4: S-1 to S-21, each with its tests"""
    assert name in tests
