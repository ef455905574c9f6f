"""The reference pages hold what the code holds, all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from engine import reference
from engine.cli import app
from models.profile import load_profile
from models.settings import HOUSE, Settings
from portal.access import ACCESS
from tests.record import forget_settings


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The pages, as `make docs` makes them."""
    monkeypatch.setenv("MASH_DATABASE_URL", "postgresql+psycopg://")
    monkeypatch.setenv("MASH_KEY", "")
    forget_settings()
    (tmp_path / "older.md").touch()
    reference.main(tmp_path)
    yield {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    forget_settings()


def _commands(name: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    for each in inner:
        yield from _commands(f"{name} {each}", inner[each])
    if not inner:
        yield f"## `{name}`"


def test_each_command_setting_route_key_and_code_has_its_line(pages: dict[str, str]) -> None:
    """Issue 7, point 8: generated, so that none is forgotten"""
    assert "older.md" not in pages
    assert set(_commands("mash", get_command(app))) <= set(pages["commands.md"].splitlines())
    for name in Settings.model_fields:
        assert f"| `MASH_{name.upper()}` |" in pages["settings.md"]
    for route in (route for route in ACCESS if " /api/" in route and not route.endswith("openapi.json")):
        assert f"## `{route}`" in pages["api.md"]
    for code_set, codes in load_profile(HOUSE / "profiles" / "bnes.toml").codes.items():
        section = pages["codes.md"].partition(f"## `{code_set}`\n")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == list(codes)
    assert "## `clocks.bands`" in pages["profile.md"]
    assert "Raises" not in pages["profile.md"]


def test_no_page_says_where_it_was_made(pages: dict[str, str]) -> None:
    """A path of this machine helps nobody elsewhere"""
    assert [name for name, page in pages.items() if str(HOUSE) in page or "PydanticUndefined" in page] == []


def test_a_cell_cannot_end_its_table() -> None:
    """Markdown"""
    assert reference.table(("a", "b"), [("one | two", "x\ny")]).splitlines()[2] == r"| one \| two | x y |"
