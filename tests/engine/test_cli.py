"""The `mash` command, as a newcomer types it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from engine.stack import Stack
from models.settings import HOUSE
from rules.reference import is_reference
from tests.scenarios.pack import DUTY, STARTS
from tests.scenarios.people import a_child, a_referral
from tests.scenarios.play import Hub
from tests.structure.typed import Block, blocks


def mash(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command answers."""
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        *arguments,
        *(["--home", str(home)] if _takes_home(arguments) else []),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=HOUSE, check=False, timeout=60)


def _takes_home(arguments: tuple[str, ...]) -> bool:
    return bool(arguments) and arguments[0] in {"up", "refer", "status", "db", "clock"}


@pytest.fixture
def referral(tmp_path: Path) -> Path:
    """A referral in a file."""
    file = tmp_path / "referral.json"
    file.write_text(json.dumps(a_referral(DUTY, f"cli-{tmp_path.name}", [a_child()], STARTS)))
    return file


@pytest.mark.parametrize(
    "command",
    ["up", "demo", "refer", "status", "profile", "db", "account", "clock", "doctor", "backup", "restore"],
)
def test_help_names_every_command(tmp_path: Path, command: str) -> None:
    """A newcomer finds the way"""
    answer = mash(tmp_path, "--help")
    assert answer.returncode == 0
    assert command in answer.stdout


def test_a_referral_sent_twice_has_one_reference_and_a_status(hub: Hub, stack: Stack, referral: Path) -> None:
    """INV2; the reference stands first on the line, for people and scripts"""
    first, second = (mash(stack.home, "refer", str(referral)) for _ in range(2))
    reference = first.stdout.split()[0]
    assert is_reference(reference)
    assert second.stdout.split()[0] == reference
    typed = reference.lower().replace("-", " ")
    assert mash(stack.home, "status", typed).stdout.startswith(reference)
    assert json.loads(mash(stack.home, "status", reference, "--json").stdout)["reference"] == reference


@pytest.mark.parametrize("block", blocks("runs on a hub"), ids=str)
def test_what_the_documentation_types_on_a_hub_answers_as_it_is_printed_there(stack: Stack, block: Block) -> None:
    """Issue 7: the docs' commands are executed; a reference and a stage are those of the day"""
    for command, printed in block.commands:
        answer = mash(stack.home, *shlex.split(command)[1:])
        assert answer.returncode == 0, answer.stderr
        for line in printed:
            assert len(answer.stdout.splitlines()[0].split()) == len(line.split())
            assert is_reference(answer.stdout.split()[0])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"duty_team": "POLICE"}, "/duty_team"),
        ({"surprise": 1}, "/surprise: is not a field"),
        ({"sender_id": ""}, "/sender_id: must not be empty"),
        (
            {"eligibility": {"safeguarding_concern": True, "extent_unclear": True}},
            "/eligibility/clarification_question",
        ),
    ],
)
def test_a_bad_referral_is_refused_in_one_sentence_that_names_the_field(
    hub: Hub, stack: Stack, referral: Path, change: dict[str, object], named: str
) -> None:
    """R04, R05: exit code 2, and nothing but the sentence"""
    referral.write_text(json.dumps(json.loads(referral.read_text()) | change))
    answer = mash(stack.home, "refer", str(referral))
    assert answer.returncode == 2
    assert named in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("refer", "nowhere.json"), "nowhere.json: No such file"),
        (("status", "7KQ2-XW9X"), "not a reference"),
        (("status",), "mash up"),
        (("db", "upgrade"), "mash up"),
        (("clock", "hold", "Tue 16 Mar 2026 10:00"), "mash up"),
        (("profile", "check", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2, and no traceback"""
    answer = mash(tmp_path, *arguments)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_profile_with_mistakes_is_told_each_by_file_and_key(tmp_path: Path) -> None:
    """R70"""
    profile = (HOUSE / "profiles" / "bnes.toml").read_text().replace('code = "MENTAL_HEALTH"', 'code = "mental health"')
    for name, text in (("x.toml", profile), ("codes.toml", (HOUSE / "profiles" / "codes.toml").read_text())):
        (tmp_path / name).write_text(text)
    answer = mash(tmp_path, "profile", "check", str(tmp_path / "x.toml"))
    assert answer.returncode == 2
    assert "x.toml: agencies[5].code" in answer.stderr
    assert mash(tmp_path, "profile", "check", str(HOUSE / "profiles" / "bnes.toml")).returncode == 0
