"""The house as its source text: rooms, modules, and what stands in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HOUSE = Path(__file__).resolve().parent.parent.parent
#: Every room of architecture §7 that holds code of the hub itself.
ROOMS = (
    "rules", "models", "notifications", "casework", "tasks", "flows", "engine", "portal", "reports", "migrations",
)  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One file."""

    path: str
    tree: ast.Module


@cache
def modules(*rooms: str) -> tuple[Module, ...]:
    """Every module of these rooms, or of all; a room that is not built yet has none."""
    files = [file for room in rooms or ROOMS for file in sorted((HOUSE / room).rglob("*.py"))]
    return tuple(Module(str(file.relative_to(HOUSE)), ast.parse(file.read_text())) for file in files)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, at whatever depth, by `import` or `from`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def importers(package: str) -> set[str]:
    """The files that import a package or any part of it."""
    return {m.path for m in modules() if any(f"{name}.".startswith(f"{package}.") for name in imported(m.tree))}


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def parameters(function: Function) -> set[str]:
    """The names of a function's parameters."""
    arguments = function.args
    return {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call, by the last part of what is called: `write` for ledger.write(…)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func).rpartition(".")[2], node


def dotted(node: ast.AST) -> str:
    """A name such as `ledger.write` as text; empty for what is none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def attributes_of(enumeration: str, among: Iterable[Module]) -> set[str]:
    """Which members of an enumeration are named, as in `Act.CLOSED`."""
    return {
        node.attr
        for module in among
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and dotted(node.value).rpartition(".")[2] == enumeration
    }
