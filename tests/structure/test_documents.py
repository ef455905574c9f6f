"""What is generated from the code is as new as the code."""

from __future__ import annotations

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
