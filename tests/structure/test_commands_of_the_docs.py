"""What the documentation tells a reader to type is typed, and answers as it is printed there (issue 7).

A `console` block is typed when `<!-- runs -->` stands before it: in a copy of the shipped profiles, with no hub. What
needs one is marked `<!-- runs on a hub -->`, and typed in tests/engine/test_cli.py.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import app
from models.settings import HOUSE
from tests.structure.typed import Block, blocks


@pytest.mark.parametrize("block", blocks("runs"), ids=str)
def test_a_command_that_needs_no_hub_does_what_the_page_says(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 7: the docs' commands are executed"""
    shutil.copytree(HOUSE / "profiles", tmp_path / "profiles", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    for command, printed in block.commands:
        program, *arguments = shlex.split(command)
        assert program == "mash"
        answer = CliRunner().invoke(app, arguments)
        assert answer.exit_code == 0, answer.output
        for line in printed:
            assert line in answer.output


def test_each_page_that_can_be_tried_without_a_hub_is_tried() -> None:
    """A page whose blocks lost their mark would never fail"""
    pages = {block.page for block in blocks("runs")}
    assert pages >= {"docs/your-area.md", "docs/contributing.md", "docs/data-protection/index.md"}
    assert "README.md" in {block.page for block in blocks("runs on a hub")}
