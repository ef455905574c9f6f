"""What people wrote is never read as a program: not by a browser, not by a template, not by PostgreSQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.structure.house import HOUSE, Module, calls, dotted, modules

#: Mail is plain text: it is escaped by the channel that makes HTML of it.
PLAIN_TEXT = {"notifications/messages.py", "notifications/account_letters.py"}
TEMPLATES = [
    file for room in ("portal", "casework", "notifications") for file in sorted((HOUSE / room).rglob("*templates/*"))
]
#: What sends its first argument to PostgreSQL as SQL.
SENDS_SQL = {"text", "execute", "exec_driver_sql", "SQL", "literal_column", "executemany", "DDL"}


@pytest.mark.parametrize("banned", ["Markup", "from_string", "Template", "markup"])
def test_nothing_that_was_written_becomes_markup_or_a_template(banned: str):
    """S-18"""
    assert [module.path for module in modules() if banned in {name for name, _ in calls(module.tree)}] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_lets_text_through_as_it_is(file):
    """S-18"""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|\{%-?\s*autoescape\s+false|\|\s*(forceescape|tojson)\b", text)
    assert not re.search(r"\s(on[a-z]+|style)=|<style|<script(?![^>]* src=)|javascript:", text)


def test_every_environment_escapes_but_those_of_plain_text():
    """S-18"""
    escaping = {
        module.path: _said(call, "autoescape")
        for module in modules()
        for name, call in calls(module.tree)
        if name == "Environment"
    }
    assert {path for path, escapes in escaping.items() if escapes is not True} == PLAIN_TEXT
    for path in PLAIN_TEXT:
        folder = HOUSE / "notifications"
        assert [file.suffix for file in folder.rglob("*templates/*")], path
        assert {file.suffix for file in folder.rglob("*templates/*")} == {".txt"}


def _said(call: ast.Call, option: str) -> object:
    return next(
        (kw.value.value for kw in call.keywords if kw.arg == option and isinstance(kw.value, ast.Constant)), None
    )


def test_no_sql_is_put_together_from_pieces():
    """S-19: values go beside the statement, never into it"""
    assert [
        where for module in modules() if module.path.split("/")[0] != "migrations" for where in _pieced(module)
    ] == []


def test_the_search_for_pieced_sql_finds_some():
    """S-19: what each kind of it looks like"""
    written = [
        "session.execute(f'SELECT {x}')", "text('SELECT %s' % x)", "text('SELECT ' + x)", "text('{}'.format(x))",
        "session.execute(text(f'{x}'))",
    ]  # fmt: skip
    for line in written:
        assert list(_pieced(Module("x.py", ast.parse(line)))), line
    assert not list(_pieced(Module("x.py", ast.parse("text('SELECT :x'); sql.SQL('{}').format(sql.Identifier(x))"))))


def _pieced(module: Module) -> Iterator[str]:
    for name, call in calls(module.tree):
        if name in SENDS_SQL and call.args and _is_pieced(call.args[0]):
            yield f"{module.path}:{call.lineno}"


def _is_pieced(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and not _is_constant(node)
    # psycopg's own composition quotes what it is given.
    return isinstance(node, ast.Call) and dotted(node.func).endswith("format") and not _is_composed(node)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant)


def _is_composed(node: ast.Call) -> bool:
    made = node.func.value if isinstance(node.func, ast.Attribute) else None
    return isinstance(made, ast.Call) and dotted(made.func) in {"sql.SQL", "SQL"}
