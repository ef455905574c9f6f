"""The area that the benchmarks run in: B&NES with eight core agencies, open round the clock."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from models.settings import HOUSE

AGENCIES = 8
_ALWAYS = '{ opens = "00:00", closes = "23:59" }'


def write(folder: Path) -> Path:
    """Write the area's profile into a folder, and return its file.

    B&NES asks four agencies about a child. Here its four secondary agencies are core as well, which makes eight; and
    the office never closes, so that a figure does not depend on the hour at which it is measured.
    """
    text = (HOUSE / "profiles" / "bnes.toml").read_text()
    text = re.sub(r'^version = ".*"', 'version = "bench-1"', text, count=1, flags=re.MULTILINE)
    text = text.replace('kind = "secondary"', 'kind = "core"').replace(
        "default_checks = false", "default_checks = true"
    )
    text = re.sub(r"^(\w+day) = \{ opens.*\}$", rf"\1 = {_ALWAYS}", text, flags=re.MULTILINE)
    weekend = f"friday = {_ALWAYS}\nsaturday = {_ALWAYS}\nsunday = {_ALWAYS}"
    text = text.replace(f"friday = {_ALWAYS}", weekend)
    # No bank holiday falls into the run.
    text = re.sub(r"^(first|last)_year = \d+", r"\1_year = 2100", text, flags=re.MULTILINE)
    file = folder / "bench.toml"
    file.write_text(text)
    shutil.copy(HOUSE / "profiles" / "codes.toml", folder)
    return file
