"""What is generated from the code is as new as the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from models.profile import Profile
from models.profile_parts import Part
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


OF_SECURITY = [HOUSE / "docs" / "security.md", HOUSE / "docs" / "threat-model.md"]
NAMED = sorted({name for page in OF_SECURITY for name in re.findall(r"`(test_\w+)`", page.read_text())})


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests."""
    return {
        name
        for file in (HOUSE / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }


@pytest.mark.parametrize("name", NAMED)
def test_the_pages_of_security_name_tests_that_are_there(tests: set[str], name: str):
    """Issue 4: S-1 to S-21, each with its tests"""
    assert name in tests


GUIDES = [HOUSE / "docs" / name for name in ("index.md", "tutorial.md", "contributing.md", "your-area.md")]
GUIDES += [HOUSE / "docs" / name for name in ("operating.md", "operators.md", "restore.md", "threat-model.md")]
GUIDES += [HOUSE / "docs" / "data-protection" / name for name in ("index.md", "security-schedule.md")]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_each_link_of_a_guide_leads_somewhere(page: Path):
    """Issue 7, point 8: what is generated is there once the site is built"""
    links = re.findall(r"\]\(((?!http)[^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("reference/") and not (page.parent / link).exists()] == []


YOUR_AREA = (HOUSE / "docs" / "your-area.md").read_text(encoding="utf-8")
SETTINGS = sorted(set(re.findall(r"`([a-z_]+(?:\.[a-z_0-9]+)*)`", YOUR_AREA)) - {"codes.toml"})


def _settings(kind: object, name: str = "") -> Iterator[str]:
    """Every place of a profile that can be set, as the page names it."""
    if name:
        yield name
    for part in get_args(kind):
        yield from _settings(part, name) if part is not Ellipsis else ()
    if isinstance(kind, type) and issubclass(kind, Part):
        for inner, field in kind.model_fields.items():
            yield from _settings(field.annotation, f"{name}.{field.alias or inner}".removeprefix("."))


KNOWN = {name for name in _settings(Profile) if name.partition(".")[0] not in {"file", "codes"}}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_that_the_page_of_your_area_names_is_there(name: str):
    """R70, issue 7, point 6"""
    assert name in KNOWN


def test_the_page_of_your_area_names_every_setting_or_the_table_that_it_stands_in():
    """R70: nobody finds out when the hub is live what they could have decided"""
    told = {name for name in KNOWN if any(name == each or name.startswith(f"{each}.") for each in SETTINGS)}
    tables = {name for name in KNOWN if any(each.startswith(f"{name}.") for each in KNOWN)}
    assert KNOWN - told - tables == {"duty_teams.side"}
