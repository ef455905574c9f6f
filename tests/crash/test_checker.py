"""The checker is believed because it goes red: the record and the mail broken in one place at a time (F31)."""

from __future__ import annotations

import ast
import hashlib
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.crash import chain, checker, evidence, letters, pairs
from tests.crash.mutants import MUTANTS
from tests.crash.world import World

ITS_OWN = {"tests.crash.chain", "tests.crash.evidence", "tests.crash.letters", "tests.crash.pairs", "psycopg"}


@pytest.mark.parametrize("part", [chain, checker, evidence, letters, pairs], ids=lambda part: str(part.__name__))
def test_the_checker_shares_no_code_with_the_application(part: object) -> None:
    """Reliability §3.1: standard library and psycopg alone"""
    tree = ast.parse(Path(str(part.__file__)).read_text())  # type: ignore[attr-defined]
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    strange = {
        name for name in imported - ITS_OWN if name.partition(".")[0] not in {*sys.stdlib_module_names, "psycopg"}
    }
    assert strange == set()


def test_a_good_world_passes(world: World) -> None:
    """INV1-INV15 hold, and the figures say so"""
    found = world.evidence()
    assert checker.judge(found) == []
    line = checker.summary(found, [], trials=1, kills=0, seed="none")
    acked = sum(told.end == "acknowledged" for told in found.told if told.reference in world.references)
    assert acked >= 20
    assert (
        "lost=0 dup_referrals=0 dup_decisions=0 wrong_recipients=0 missed=0 ambiguous_mail_dups=0 stranded=0 chain=ok"
        in line
    )


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_world_is_told_apart(world: World, mutant: str) -> None:
    """F31: the checker goes red, and names the invariant"""
    invariant, break_it = MUTANTS[mutant]
    break_it(world)
    found = {violation.invariant for violation in checker.judge(world.evidence())}
    assert invariant in found


def test_the_checker_says_each_violation_and_ends_with_one(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of figures, then each violation by the id of its invariant"""
    MUTANTS["a return is lost"][1](world)
    found = checker.judge(world.evidence())
    line = checker.summary(world.evidence(), found, trials=1, kills=7, seed="abc")
    assert line.startswith("trials=1 kills=7 acked=")
    assert line.endswith("seed=abc")
    assert "lost=0" not in line
    assert any(str(violation).startswith("INV6 ") for violation in found)


def test_a_digest_is_that_of_the_format() -> None:
    """INV11: an example worked out by hand from the format's text"""
    entry = {
        "reference": "7KQ2-XW9S", "number": 1, "at": datetime.fromisoformat("2026-03-16T10:00:00+00:00"),
        "actor": "HUB", "act": "ACCEPTED", "detail": {"b": "ü", "a": 1}, "commitment": "", "previous": "0" * 64,
    }  # fmt: skip
    written = (
        b"\0\0\0\0\0\0\0\x0dmash-ledger-2"
        b"\0\0\0\0\0\0\0\x097KQ2-XW9S"
        b"\0\0\0\0\0\0\0\x011"
        b"\0\0\0\0\0\0\0\x202026-03-16T10:00:00.000000+00:00"
        b"\0\0\0\0\0\0\0\x03HUB"
        b"\0\0\0\0\0\0\0\x08ACCEPTED"
        b"\0\0\0\0\0\0\0\x14"
        b'{"a":1,"b":"\\u00fc"}'
        b"\0\0\0\0\0\0\0\0"
        b"\0\0\0\0\0\0\0\x40" + b"0" * 64
    )
    assert chain.digest(entry) == hashlib.sha256(written).hexdigest()
