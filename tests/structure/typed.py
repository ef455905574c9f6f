"""The `console` blocks of the documentation that tests type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.settings import HOUSE

_BLOCK = re.compile(r"<!-- (runs[^>]*?) -->\n```console\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block: each command with the lines that the page says it prints."""

    page: str
    number: int
    commands: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def blocks(mark: str) -> list[Block]:
    """Every block of the README and of docs/ with this mark, in order."""
    pages = [HOUSE / "README.md", *sorted((HOUSE / "docs").rglob("*.md"))]
    return [
        Block(str(page.relative_to(HOUSE)), number, _commands(body))
        for page in pages
        for number, (said, body) in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")))
        if said == mark
    ]


def _commands(body: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    typed = [each.splitlines() for each in re.split(r"^\$ ", body, flags=re.MULTILINE) if each.strip()]
    return tuple((command, tuple(line for line in printed if line.strip())) for command, *printed in typed)
