"""The reference pages of the documentation, from the code itself: `python -m engine.reference FOLDER`.

Commands, the API, settings, the area profile, code sets, and the numbers for monitoring. They are made whenever the
site is built (`make docs`) and kept nowhere, so none of them can be older than the code.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from typer.main import get_command

from models.profile import Profile, load_profile
from models.profile_parts import Part
from models.settings import HOUSE, Settings
from portal.app import create_app
from portal.schema import describe_in

_NUMBER = re.compile(r'"(mash_[a-z_]+)",\s*"([^"]+)"')


def pages() -> dict[str, str]:
    """Each page in Markdown, by the name of its file."""
    profile = load_profile(HOUSE / "profiles" / "bnes.toml")
    made = {
        "commands.md": _commands(),
        "api.md": _api(profile),
        "settings.md": _settings(),
        "profile.md": _profile(),
        "codes.md": _codes(profile),
    }
    numbers = _numbers()
    return made | ({"metrics.md": numbers} if numbers else {})


def main(folder: Path) -> None:
    """Write the pages, and take away what is no page any more. No hub need be installed: nothing is asked of one."""
    os.environ.setdefault("MASH_DATABASE_URL", "postgresql+psycopg://")
    os.environ.setdefault("MASH_KEY", "")
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, page in made.items():
        (folder / name).write_text(page, encoding="utf-8")


def _commands() -> str:
    from engine.cli import app  # noqa: PLC0415 -- the command line itself never needs this module

    return "\n\n".join(
        ["# Commands", "Every command says the same with `--help`.", *_command("mash", get_command(app))]
    )


def _command(name: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    for each in sorted(inner):
        yield from _command(f"{name} {each}", inner[each])
    if inner:
        return
    yield f"## `{name}`\n\n{(command.help or '').strip()}"
    rows = [_parameter(each) for each in command.params if each.name != "help"]
    if rows:
        yield table(("argument or option", "default", "what it is"), rows)


def _parameter(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.opts[0].startswith("-")
    written = ", ".join(f"`{each}`" for each in parameter.opts) if is_option else f"`{parameter.name.upper()}`"
    named = f" Also `{parameter.envvar}`." if isinstance(parameter.envvar, str) else ""
    plain = isinstance(parameter.default, str | int | Path) and not isinstance(parameter.default, bool)
    default = f"`{parameter.default}`" if plain else "needed" if parameter.required else ""
    return written, default, (parameter.help or "") + named


def _api(profile: Profile) -> str:
    described = describe_in(create_app(), profile)
    sections = [f"# The API\n\n{described['info'].get('description', '')}\n\nThe whole, with schemas and examples, is "
                "at `/api/v1/openapi.json` of a running hub."]  # fmt: skip
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            answers = [
                (status, answer["description"]) for status, answer in sorted(operation["responses"].items())
            ]  # fmt: skip
            sections.append(
                f"## `{method.upper()} {path}`\n\n**{operation['summary']}.** {operation['description']}\n\n"
                + table(("status", "when"), answers)
            )
    return "\n\n".join(sections)


def _settings() -> str:
    prefix = Settings.model_config["env_prefix"]
    rows = [(f"`{prefix}{name.upper()}`", _default(field), field.description or "") for name, field in
            Settings.model_fields.items()]  # fmt: skip
    return "\n\n".join(["# Settings of a hub", _OF_SETTINGS, table(("variable", "default", "what it is"), rows)])


_OF_SETTINGS = """\
Environment variables, which `mash up` sets for the parts that it starts; what the site set itself wins. What differs
between areas is none of these, but stands in the [area profile](profile.md)."""


def _profile() -> str:
    sections = ["# The area profile", "Every key that a profile may have, by its place. Who decides which, and when: "
                "[your area](../your-area.md)."]  # fmt: skip
    parts: dict[type[Part], list[str]] = {}
    _find(Profile, "", parts)
    for part, places in parts.items():
        where = ", ".join(f"`{place}`" for place in places) if places != [""] else "at the top of the file"
        rows = [
            (f"`{field.alias or name}`", _kind(field.annotation), _default(field))
            for name, field in part.model_fields.items() if not (part is Profile and name in {"file", "codes"})
        ]  # fmt: skip
        sections.append(
            f"## {where}\n\n{' '.join((part.__doc__ or '').split())}\n\n"
            + table(("key", "what it holds", "default"), rows)
        )
    return "\n\n".join(sections)


def _find(kind: object, place: str, parts: dict[type[Part], list[str]]) -> None:
    if isinstance(kind, type) and issubclass(kind, Part):
        parts.setdefault(kind, []).append(place)
        for name, field in kind.model_fields.items():
            _find(field.annotation, f"{place}.{field.alias or name}".removeprefix("."), parts)
    for inner in get_args(kind):
        _find(inner, place, parts)


def _codes(profile: Profile) -> str:
    sections = ["# Code sets", "From `profiles/codes.toml`: a code is what systems exchange and what the record keeps, "
                "its label is what people read."]  # fmt: skip
    for name, codes in profile.codes.items():
        rows = [(f"`{code}`", label) for code, label in codes.items()]
        sections.append(f"## `{name}`\n\n" + table(("code", "label"), rows))
    return "\n\n".join(sections)


def _numbers() -> str:
    """What `engine/metrics.py` tells a monitoring system, by the names and words that stand there."""
    file = HOUSE / "engine" / "metrics.py"
    found = dict(_NUMBER.findall(file.read_text(encoding="utf-8"))) if file.is_file() else {}
    rows = [(f"`{name}`", words) for name, words in sorted(found.items())]
    return "# Numbers for monitoring\n\n" + table(("name", "what it counts"), rows) if rows else ""


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown. A bar or a line break in a cell would end it."""
    heads = tuple(heads)
    lines = [
        heads,
        ("---",) * len(heads),
        *([" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or isinstance(value, Part):
        return ""
    if isinstance(value, Path) and value.is_relative_to(HOUSE):
        value = value.relative_to(HOUSE)
    shown = ", ".join(map(str, value)) if isinstance(value, tuple | dict) else value
    return f"`{shown}`" if str(shown) else ""


def _kind(kind: Any) -> str:
    """What stands in the file for a type, in a person's words."""
    inner = [each for each in get_args(kind) if each not in (type(None), Ellipsis)]
    if get_origin(kind) is tuple:
        return f"a list: {_kind(inner[0])}"
    if get_origin(kind) is dict:
        return f"a table of its own names: {_kind(inner[1])}"
    if inner:
        return _kind(inner[0])
    if issubclass(kind, StrEnum):
        return " or ".join(f"`{each}`" for each in kind)
    return "a table" if issubclass(kind, Part) else _IN_WORDS[kind]


_IN_WORDS: Mapping[type, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", time: "a time of day", date: "a date",
}  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
