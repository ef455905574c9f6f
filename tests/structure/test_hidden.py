"""No query can forget who may not know of a referral: the rule is laid over all of a reader's statements (S-5)."""

from __future__ import annotations

import ast

from sqlmodel import SQLModel

import models.tables  # noqa: F401 -- every table
from casework.hidden import ABOUT_ACCESS, covered
from models.referral import Referral
from tests.structure.house import calls, dotted, functions, importers, modules

#: What is about no referral. A new table is covered, or stands here.
ABOUT_NO_REFERRAL = {
    "account", "account_event", "agency", "agreement_event", "api_token", "area_profile", "board_pack", "dip_sample",
    "draft", "erasure_list", "feedback", "invitation", "misdirected_contact", "opening", "portal_session", "post",
    "provider_visit", "raised_alarm", "scenario_clock", "sharing_agreement", "sign_in", "stage_move", "throttle",
    "turn",
}  # fmt: skip
#: Who says, and asks, who may know of what.
NEIGHBOURS = {
    "casework/break_glass.py", "casework/confidants.py", "casework/hidden.py", "casework/interests.py",
    "casework/restriction.py",
}  # fmt: skip
#: In the portal: where somebody is at work, and what happens before it is known who they are, or to their forms.
AT_WORK = {"portal/credentials.py:at_work", "portal/doors.py:at_work"}
BEFORE = {
    "portal/app.py", "portal/pages/provider.py", "portal/pages/signing_in.py", "portal/routes/service.py",
    "portal/doors.py:_keep", "portal/doors.py:_ask_again", "portal/credentials.py:tell_of",
}  # fmt: skip
#: Modules that speak of tables as PostgreSQL does, past the rule. The engine alone calls them.
IN_PLAIN_SQL = {"casework/repairs.py"}


def test_every_table_is_covered_or_is_about_no_referral():
    """S-5"""
    tables = {mapper.class_: mapper.local_table.name for mapper in SQLModel._sa_registry.mappers}  # type: ignore[attr-defined]
    hidden = {tables[kind] for kind in covered()}
    access = {tables[kind] for kind in ABOUT_ACCESS}
    assert set(tables.values()) - hidden - access == ABOUT_NO_REFERRAL
    assert tables[Referral] in hidden
    assert {"subject", "agency_check", "agency_return", "ledger", "ledger_content", "item_release"} <= hidden


def test_who_may_know_of_what_is_asked_in_few_places():
    assert {path for path in importers("models.restriction") if not path.startswith("migrations/")} == NEIGHBOURS


def test_whoever_is_at_work_in_the_portal_reads_as_themselves():
    """S-5: a transaction in the portal is bound to its reader, or begins before anybody is known"""
    opened = {
        f"{module.path}:{function.name}"
        for module in modules("portal")
        for function in functions(module.tree)
        if "unit_of_work" in {name for name, _ in calls(function)}
    }
    assert opened >= AT_WORK
    assert {where for where in opened - AT_WORK if not {where, where.partition(":")[0]} & BEFORE} == set()
    for module in modules("portal"):
        for function in functions(module.tree):
            if f"{module.path}:{function.name}" in AT_WORK:
                assert "hidden.read_as" in {dotted(call.func) for _, call in calls(function)}, module.path


def test_nobody_who_reads_for_somebody_goes_past_the_models():
    """S-5: the rule is laid over models; a bare table or a statement in text would be seen whole"""
    past = {
        module.path
        for module in modules("casework", "portal", "reports")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"__table__", "local_table", "METADATA", "metadata"}
    }
    assert past - {"casework/hidden.py"} == IN_PLAIN_SQL
    named = {alias.name for module in modules("portal") for node in ast.walk(module.tree) for alias in _names(node)}
    assert named & {"checkpoints", "collation"}
    assert not named & {path.removeprefix("casework/").removesuffix(".py") for path in IN_PLAIN_SQL}


def _names(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.ImportFrom) else []
