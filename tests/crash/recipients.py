"""Who is meant by each recipient, read from the profile's file itself: the checker's own idea of who may get mail."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any


def write(profile: Path, to: Path) -> None:
    """Write `to`: each recipient with its addresses, the primary first."""
    area = tomllib.loads(profile.read_text())
    meant = {f"agency:{agency['code']}": _addresses(agency["notify"]) for agency in area["agencies"]}
    for team in area["duty_teams"]:
        meant[f"duty:{team['code']}"] = _addresses(team["notify"])
        meant[f"heads:{team['code']}"] = _addresses(team["heads"])
    for name, contact in area["contacts"].items():
        meant[f"mash:{name}"] = _addresses(contact)
    # The trials set no address of their own for whoever runs the hub.
    meant["mash:operations"] = meant["mash:alarm"]
    to.write_text(json.dumps(meant, indent=2))


def _addresses(channels: dict[str, Any]) -> list[str]:
    return [channels["primary"], channels["second"]]
