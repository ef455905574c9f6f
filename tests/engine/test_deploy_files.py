"""The files that a site starts the hub with say what the hub understands (issue 7 item 3). No container is started."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import prefect.settings
import pytest
import yaml

from models.settings import HOUSE, Settings
from tests.structure.house import imported, modules

DEPLOY = HOUSE / "deploy"
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
UNITS = sorted((DEPLOY / "systemd").iterdir())
OURS = {name: part for name, part in SERVICES.items() if part["image"] == "mash:latest"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """With a program that is there in the place of ours"""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/mash/.venv/bin/mash", sys.executable))
    names = [str(tmp_path / unit.name) for unit in UNITS]
    command = ["systemd-analyze", "verify", "--man=no", *names]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_no_unit_is_root_or_may_become_it(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert {"User=mash", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} <= set(lines)


@pytest.mark.parametrize(("name", "part"), OURS.items(), ids=OURS)
def test_each_container_of_ours_is_bare_and_starts_what_there_is(name: str, part: dict[str, Any]) -> None:
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    command = part.get("command", ["uvicorn"])
    if command[:2] == ["python", "-m"]:
        assert find_spec(command[2])
    else:
        assert shutil.which(command[0], path=Path(sys.executable).parent)


def test_nothing_is_reached_from_outside_the_machine() -> None:
    """And of PostgreSQL nothing at all"""
    ports = {name: part.get("ports", []) for name, part in SERVICES.items()}
    assert all(port.startswith("127.0.0.1:") for found in ports.values() for port in found)
    assert {name for name, found in ports.items() if found} == {"portal", "prefect"}
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_every_setting_in_the_files_is_one_that_there_is() -> None:
    """A setting with a slip in its name is passed over in silence"""
    ours = {f"MASH_{name.upper()}" for name in Settings.model_fields} | {"MASH_HOME", "MASH_ADMIN_URL"}
    text = "".join(file.read_text() for file in [DEPLOY / "compose.yaml", *UNITS])
    named = set(re.findall(r"\b(?:MASH|PREFECT)_[A-Z_]+\b", text))
    assert {name for name in named if name.startswith("MASH_")} <= ours
    theirs = {name for name in named if name.startswith("PREFECT_")}
    assert {name for name in theirs if not hasattr(prefect.settings, name)} == set()
    assert not hasattr(prefect.settings, "PREFECT_SERVER_NO_SUCH_SETTING")


def test_the_engine_in_a_container_has_a_password_and_csrf_protection() -> None:
    """Reliability §4.8"""
    server = SERVICES["prefect"]
    assert server["environment"]["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"
    assert server["environment"]["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert server["env_file"] == ["server.env"]
    assert "PREFECT_SERVER_API_AUTH_STRING" in (DEPLOY / "compose.yaml").read_text()


def test_what_goes_into_the_image_is_the_hub_and_no_key() -> None:
    """A clone in which a hub has run holds its keys in `.mash`, and those of the containers in `deploy`"""
    named = {line.removeprefix("!") for line in (HOUSE / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    packages = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    copied = {"requirements-image.lock", "pyproject.toml", "README.md", "LICENSE", "prefect.yaml", "docs"}
    assert named == {package.partition(".")[0] for package in packages} | copied


def test_the_image_is_built_from_the_locked_packages_and_is_not_root() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    assert any("--require-hashes --requirement requirements-image.lock" in line for line in lines)
    assert "USER mash" in lines


def test_the_image_holds_what_the_hub_imports_and_no_tool_of_its_developers() -> None:
    """Reliability §2: what is not there cannot be turned against the record; each as the tests run it"""
    packed, tested = _locked("requirements-image.lock"), _locked("requirements.lock")
    groups = tomllib.loads((HOUSE / "pyproject.toml").read_text())["dependency-groups"]
    tools = {re.split(r"[\[>=]", each)[0] for each in groups["dev"]} - {"setuptools"}
    assert packed.items() <= tested.items()
    assert tools <= tested.keys()
    assert not tools & packed.keys()
    assert {name for name in _imported() if not name & packed.keys()} == set()


def _locked(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (HOUSE / file).read_text(), re.MULTILINE))


def _imported() -> set[frozenset[str]]:
    """For each import of the hub's code from elsewhere, the packages that have it."""
    packages = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    own = {package.partition(".")[0] for package in packages}
    named = {name.partition(".")[0] for module in modules() for name in imported(module.tree)}
    tops = named - own - sys.stdlib_module_names
    there = packages_distributions()
    return {frozenset(name.lower().replace("_", "-") for name in there.get(top, [top])) for top in tops}
