"""A starting profile for another area."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.new_profile import write
from models.profile import load_profile
from models.profile_parts import Mode
from models.settings import HOUSE
from rules.errors import Refused


@pytest.mark.parametrize("mode", Mode)
def test_a_new_profile_is_right_at_once_and_of_its_own_area(tmp_path: Path, mode: Mode) -> None:
    """R70, issue 7, point 6"""
    profile = load_profile(write("north-wessex", "North Wessex", mode, tmp_path))
    assert (profile.area.code, profile.area.name, profile.area.mode) == ("NORTH_WESSEX", "North Wessex", mode)
    assert profile.legal_gate
    assert profile.legal_gate.to_be_confirmed
    written = (tmp_path / "north-wessex.toml").read_text()
    assert not re.search("exampleshire|b&nes|bnes|{area}", written, re.IGNORECASE)
    assert set(re.findall(r"(?:@|https://)[a-z-]+\.([a-z.-]+)", written)) == {"north-wessex.example"}
    assert len([line for line in written.splitlines() if line.startswith("#")]) > 40


def test_a_hub_behind_the_duty_teams_has_no_word_of_a_front_door(tmp_path: Path) -> None:
    """R07, R72: but for the tables that say where agencies go"""
    written = write("wessex", "Wessex", Mode.BACK_OFFICE, tmp_path).read_text()
    settings = "\n".join(line for line in written.splitlines() if not line.startswith(("#", "[front_door.")))
    assert not re.search("front.?door|desk", settings, re.IGNORECASE)


def test_a_profile_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Nothing is ever overwritten, the code sets neither"""
    (tmp_path / "wessex.toml").write_text("ours")
    with pytest.raises(Refused, match="is there already"):
        write("wessex", "Wessex", Mode.FRONT_DOOR, tmp_path)
    assert (tmp_path / "wessex.toml").read_text() == "ours"
    own = (HOUSE / "profiles" / "codes.toml").read_text() + "\n# Our own.\n"
    (tmp_path / "codes.toml").write_text(own)
    write("mercia", "Mercia", Mode.FRONT_DOOR, tmp_path)
    assert (tmp_path / "codes.toml").read_text() == own


@pytest.mark.parametrize(
    ("name", "area"),
    [("", "x"), ("Wessex", "x"), ("wessex-", "x"), ("../wessex", "x"), ("w" * 21, "x"), ("wessex", 'a"b'),
     ("wessex", "a\nb"), ("wessex", " "), ("wessex", "a" * 61)],
)  # fmt: skip
def test_a_name_that_is_none_is_refused_and_nothing_written(tmp_path: Path, name: str, area: str) -> None:
    """In one sentence, before anything is there"""
    with pytest.raises(Refused):
        write(name, area, Mode.BACK_OFFICE, tmp_path)
    assert list(tmp_path.iterdir()) == []
