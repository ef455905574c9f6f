"""Who knows whom, and where the doors are."""

from __future__ import annotations

import ast

import pytest

from tests.structure.house import HOUSE, ROOMS, calls, dotted, functions, imported, importers, modules, parameters

#: A room may import itself and these; what is not here, nobody may import (architecture §7).
MAY_IMPORT = {
    "rules": set(),
    "models": {"rules"},
    "notifications": {"rules", "models"},
    "casework": {"rules", "models", "notifications"},
    "tasks": {"rules", "models", "casework"},
    "flows": {"rules", "models", "casework", "tasks"},
    "reports": {"rules", "models"},
    "portal": {"rules", "models", "casework", "reports"},
    "migrations": {"models"},
}


def test_the_walls_are_those_of_every_room_but_the_engine():
    assert set(MAY_IMPORT) == set(ROOMS) - {"engine"}
    assert {module.path.split("/")[0] for module in modules()} <= set(ROOMS)


@pytest.mark.parametrize(("room", "may"), MAY_IMPORT.items())
def test_imports_point_inwards(room, may):
    """Architecture §7"""
    allowed = may | {room}
    found = {
        f"{module.path} imports {name}"
        for module in modules(room)
        for name in imported(module.tree)
        if name.split(".")[0] in set(ROOMS) - allowed
    }
    assert found == set()


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("prefect", {"tasks", "flows", "engine"}),
        ("fastapi", {"portal"}),
        ("starlette", {"portal"}),
        ("alembic", {"migrations"}),
    ],
)
def test_a_framework_is_known_to_its_own_rooms_alone(package, rooms):
    """Architecture §7"""
    assert importers(package)
    assert {path.split("/")[0] for path in importers(package)} <= rooms


def test_there_is_one_door_out_of_the_hub():
    """Reliability §4.8: every other way out would be one that nobody watches"""
    assert importers("apprise") == {"notifications/channels.py", "notifications/letter.py"}
    assert importers("smtplib") == {"notifications/letter.py"}
    for package in ("requests", "urllib3", "aiohttp", "ftplib", "telnetlib", "paramiko", "boto3"):
        assert importers(package) == set()
    outside = {path for package in ("httpx", "urllib.request", "http.client") for path in importers(package)}
    # A council's sign-in service has to be asked by whoever signs people in, and nobody else there asks anybody.
    assert {path for path in outside if not path.startswith("engine/")} == {"portal/provider.py"}


def test_one_module_judges_the_tokens_of_a_sign_in_service():
    """R46: a second one would have rules of its own"""
    assert importers("joserfc") == {"portal/id_token.py"}


def test_rules_know_no_database_and_no_clock():
    """Style: rules run without the framework"""
    known = {name.split(".")[0] for module in modules("rules") for name in imported(module.tree)}
    assert known <= {
        "__future__", "calendar", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "html",
        "itertools", "json", "rapidfuzz", "re", "secrets", "stdnum", "sys", "typing", "unicodedata", "zoneinfo",
        "rules",
    }  # fmt: skip


@pytest.mark.parametrize(
    "room", ["rules", "models", "casework", "notifications", "tasks", "flows", "portal", "reports"]
)
def test_nobody_below_the_edge_asks_what_time_it_is(room):
    """Architecture §4: time comes from one injected clock"""
    asked = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime", "fromtimestamp"}
    clocks = {"datetime", "datetime.datetime", "date", "datetime.date", "time"}
    found = {
        f"{module.path}:{node.lineno}"
        for module in modules(room)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in asked and dotted(node.value) in clocks
    }
    assert found == set()


def test_sql_is_never_put_together_from_text():
    """S-19: a ban on f-strings, % and + where a statement is made; migrations make theirs from their own constants"""
    makers = {"execute", "executemany", "exec_driver_sql", "text", "SQL", "scalar", "scalars", "literal_column"}
    rooms = [room for room in ROOMS if room != "migrations"]
    found = {
        f"{module.path}:{call.lineno}"
        for module in modules(*rooms)
        for name, call in calls(module.tree)
        if name in makers and any(_is_put_together(argument) for argument in call.args)
    }
    assert found == set()


def _is_put_together(argument: ast.expr) -> bool:
    if isinstance(argument, ast.Call):
        return (
            dotted(argument.func).rpartition(".")[2] == "format"
            and isinstance(argument.func, ast.Attribute)
            and (isinstance(argument.func.value, ast.Constant))
        )
    return isinstance(argument, ast.JoinedStr) or (
        isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Mod | ast.Add) and _holds_text(argument)
    )


def _holds_text(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(node))


def test_no_room_is_a_lumber_room():
    """Style: modules are named after a thing of the domain"""
    names = {part for module in modules() for part in module.path.removesuffix(".py").split("/")}
    assert names & {"util", "utils", "helper", "helpers", "common", "misc", "lib", "tools", "base_utils"} == set()


def test_no_flow_keeps_results_prints_or_leaves_artifacts():
    """§4.4: each is a door through which personal data reached the engine in trials"""
    doors = {"get_run_logger", "create_markdown_artifact", "create_table_artifact", "create_link_artifact", "RunInput"}
    named = {
        dotted(node).rpartition(".")[2]
        for module in modules("tasks", "flows")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert named & doors == set()
    for module in modules("tasks", "flows"):
        for _, call in calls(module.tree):
            options = {keyword.arg: keyword.value for keyword in call.keywords}
            for option in ("persist_result", "log_prints"):
                if option in options:
                    assert ast.literal_eval(options[option]) is False, f"{module.path}:{call.lineno} {option}"


def test_a_flow_is_given_a_reference_and_nothing_else():
    """§4.4: parameters of a run are readable by every operator"""
    found = {
        function.name: parameters(function)
        for module in modules("flows")
        for function in functions(module.tree)
        if any("flow" in dotted(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list)
    }
    assert found
    assert all(given <= {"reference"} for given in found.values())


def test_every_template_of_a_page_is_escaped():
    """S-18: autoescape for every Environment but that of plain-text messages; nothing marked safe"""
    unescaped = set()
    for module in modules():
        for name, call in calls(module.tree):
            assert name not in {"Markup", "from_string", "Template"}, f"{module.path}:{call.lineno}"
            if name == "Environment":
                options = {keyword.arg: keyword.value for keyword in call.keywords}
                if ast.literal_eval(options["autoescape"]) is not True:
                    unescaped.add(module.path)
    assert unescaped == {"notifications/messages.py", "notifications/account_letters.py"}
    pages = [file for room in ("casework", "portal", "reports") for file in (HOUSE / room).rglob("*.html")]
    assert pages
    for page in pages:
        text = page.read_text()
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape false" not in text


def test_nothing_names_a_package_registry_or_a_folder_of_somebodys_machine():
    kept = [
        file
        for pattern in ("*.py", "*.toml", "*.md", "*.lock", "*.yaml", "*.txt", "Makefile")
        for file in HOUSE.rglob(pattern)
        if not {".git", ".venv", ".mash", "node_modules"} & set(file.relative_to(HOUSE).parts)
    ]
    registry, machine = "py" + "pi.org", "/wo" + "rk/"
    found = [str(file.relative_to(HOUSE)) for file in kept if registry in (text := file.read_text()) or machine in text]
    assert found == []
