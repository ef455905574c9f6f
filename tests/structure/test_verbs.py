"""Every verb knows who acts and when; every word that the hub has is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from casework.ledger import Act
from models.wake import WakeKind
from notifications.messages import MessageName
from rules.permissions import Role
from tests.structure.house import attributes_of, calls, dotted, functions, modules, parameters

#: What changes the record or says something.
WRITING = {
    "write", "say", "move_to", "wake", "forget", "add", "add_all", "delete", "record_return", "record_breach", "keep",
    "stop_awaiting", "settle",
}  # fmt: skip
#: Looks that leave no entry, since they show codes and times alone.
LOOKS = {
    "casework/queues.py:tasks_of",
    "casework/queues.py:count_open",
    "casework/queues.py:check_now",
    "casework/board.py:rows",
    "casework/follow.py:of_team",
    "casework/readers.py:readings",
    "casework/secondary.py:to_choose_from",
    "casework/feedback.py:register",
    "casework/feedback.py:to_answer",
    "casework/decision.py:absent",
    "casework/decision.py:offers",
    "casework/board.py:oldest",
    "casework/follow_up.py:waiting",
    "casework/to_manager.py:choices",
    "casework/to_manager.py:waiting",
    "casework/board_packs.py:listed",
    "casework/board_packs.py:one",
    "casework/dip_samples.py:listed",
    "casework/dip_samples.py:one",
    "casework/second_looks.py:waiting",
    "casework/early_end.py:are_several",
}


def _verbs() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (f"{module.path}:{node.name}", node)
        for module in modules("casework")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


VERBS = _verbs()


@pytest.mark.parametrize("function", [f for _, f in VERBS if "by" in parameters(f)], ids=lambda f: f.name)
def test_who_is_told_who_acts_is_told_when(function):
    """Style: `at` and `by` are always handed in"""
    if function.name in {look.rpartition(":")[2] for look in LOOKS}:
        assert not {name for name, _ in calls(function)} & WRITING
    else:
        assert "at" in parameters(function)


def test_whatever_writes_to_the_ledger_is_told_when():
    """INV12: and the moment is handed in, never asked for, but for what the post finds out"""
    found = {
        name
        for name, function in VERBS
        if {dotted(call.func) for _, call in calls(function)} & {"ledger.write"} and "at" not in parameters(function)
    }
    assert found == set()


def test_who_acts_comes_from_nowhere_but_the_credential():
    """Defect 2: no document that people send holds an actor, a moment of its own record, or a due time"""
    documents = [
        module for module in modules("casework") if module.path.endswith(("documents.py", "document_parts.py"))
    ]
    fields = {
        node.target.id
        for module in documents
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    forbidden = {"actor", "account", "due_at", "decided_by", "decided_at", "recorded_by", "recorded_at", "sealed"}
    assert fields & forbidden == set()


@pytest.mark.parametrize("act", Act)
def test_every_act_is_left_by_some_verb(act):
    assert act.name in attributes_of("Act", modules("casework"))


@pytest.mark.parametrize("name", MessageName)
def test_every_message_is_said_by_somebody(name):
    assert name.name in attributes_of("MessageName", modules("casework", "engine"))


@pytest.mark.parametrize("kind", [kind for kind in WakeKind if kind is not WakeKind.RUN])
def test_every_kind_of_wake_is_fired_by_the_clock(kind):
    [clock] = [module for module in modules("casework") if module.path.endswith("clock.py")]
    assert kind.name in attributes_of("WakeKind", [clock])


def test_every_role_is_known_to_the_rules():
    assert {role.name for role in Role} >= attributes_of("Role", modules("rules", "models", "casework"))


def test_a_decision_is_made_in_one_place_behind_one_check():
    """R36: no code path decides without an authenticated person"""
    made = {
        (module.path, function.name)
        for module in modules()
        for function in functions(module.tree)
        for name, _ in calls(function)
        if name == "ThresholdDecision"
    }
    assert made == {("casework/decision.py", "_sign")}
    [decision] = [module for module in modules("casework") if module.path == "casework/decision.py"]
    signers = {f.name for f in functions(decision.tree) for name, _ in calls(f) if name == "_sign"}
    assert signers == {"decide"}
    [decide] = [function for function in functions(decision.tree) if function.name == "decide"]
    first = decide.body[1]
    assert isinstance(first, ast.Expr)
    assert ast.unparse(first.value) == "check_may_decide(by)"


@pytest.mark.parametrize("module", modules("rules", "casework", "models", "notifications"), ids=lambda m: m.path)
def test_every_module_class_and_public_function_says_what_it_is_for(module):
    """Style"""
    assert ast.get_docstring(module.tree)
    assert [node.name for node in _public(module.tree) if not ast.get_docstring(node)] == []


#: SQLAlchemy's own names: what they do is said there.
INHERITED = {"process_bind_param", "process_result_value"}


def _public(body: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in body.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if node.name not in INHERITED:
                yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)
