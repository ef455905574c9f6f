"""Figure 7: the screens of everyday at up to a million referrals, beside a bare count(*)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import sqlalchemy as sa

from bench import history, machine
from bench.figures import Figure, timed
from bench.ground import Connection, Ground
from casework import follow, queues
from casework.db import database, unit_of_work
from engine.postgres import SUPERUSER
from engine.trial import OPERATOR, open_accounts
from rules.permissions import Actor, Role
from rules.reference import is_reference
from rules.stages import Stage
from tests.casework.factory import duty, rep

QUESTION = "Time of a screen, over HTTP, beside a bare count(*): one referral, the list, an agency's queue"
#: Referrals in all, and of these open: from a first week to a million, with the biggest hub's Monday of open ones.
LEVELS = ((100, 100), (10_000, 1_000), (1_000_000, 1_000))
TIMES = 40
COUNT_TIMES = 3
GOAL = 0.1
AGENCY = "POLICE"
TABLES_OF_REFERRALS = ("referral", "agency_check", "hand_back", "subject", "ledger", "agency_return")


def measure(ground: Ground) -> Figure:
    """Fill the record to each level, and read each screen again and again."""
    figure = Figure("screens", QUESTION)
    tokens = open_accounts(ground.stack.home)
    for level, open_ones in LEVELS:
        with ground.record(SUPERUSER) as record:
            took = history.fill(record, level, open_ones)
        figure.notes.append(
            f"{level:,} referrals, {open_ones:,} of them open: written in {took:.0f} s by INSERT … SELECT."
        )
        machine.settle()
        _measure_level(ground, figure, level, tokens)
        plans = _plans(_reference(ground))
        figure.tables.setdefault("How PostgreSQL reads", []).extend({"referrals": level, **plan} for plan in plans)
        if level == LEVELS[-1][0]:
            walks = [plan["statement"] for plan in plans if plan["sequential scans"]]
            figure.one(
                "statements that read a table of referrals from end to end", "", len(walks), size=level, at_most=0
            )
    return figure


def _measure_level(ground: Ground, figure: Figure, level: int, tokens: dict[str, str]) -> None:
    reference = _reference(ground)
    screens = {
        "status of one referral (operator)": (tokens[OPERATOR], f"/referrals/{reference}"),
        "status of one referral (MASH profile)": (tokens["decision-maker-1"], f"/referrals/{reference}"),
        "list of open referrals, first 50 (operator)": (tokens[OPERATOR], "/referrals"),
        "list of open referrals, first 50 (duty team)": (tokens["system-CHILDREN_DUTY"], "/referrals"),
        "list of closed referrals, first 50 (operator)": (tokens[OPERATOR], "/referrals?stage=CLOSED"),
        "agency's queue, all open checks": (tokens[f"rep-{AGENCY}"], "/checks"),
        "agency's newest 100 settled checks": (tokens[f"rep-{AGENCY}"], "/checks?settled=true"),
    }
    goal = GOAL if level == LEVELS[-1][0] else None
    with httpx.Client(base_url=f"http://127.0.0.1:{ground.stack.ports.portal}/api/v1", timeout=120) as client:
        for name, (token, path) in screens.items():
            headers = {"Authorization": f"Bearer {token}"}
            read = partial(_read, client, path, headers)
            figure.many(name, "s", timed(read, TIMES), size=level, at_most=goal, of="p95")
    with ground.record() as record:
        for table in ("referral", "agency_check"):
            figure.many(f"count(*) of {table}", "s", _count(record, table), size=level)


def _read(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    client.get(path, headers=headers).raise_for_status()


def _count(record: Connection, table: str) -> list[float]:
    found = []
    for _ in range(COUNT_TIMES):
        began = time.perf_counter()
        record.execute(f"SELECT count(*) FROM {table}".encode())  # noqa: S608 -- a name of our own
        found.append(time.perf_counter() - began)
    return found


def _reference(ground: Ground) -> str:
    with ground.record() as record:
        query = "SELECT reference FROM referral WHERE stage = 'CHECKING' AND duty_team = 'CHILDREN_DUTY' ORDER BY 1"
        # Few of the references made in bulk have the right check character, which the portal asks for.
        return next(str(found) for (found,) in record.execute(query) if is_reference(found))


def _plans(reference: str) -> list[dict[str, Any]]:
    """Each statement behind the screens, and which tables of referrals PostgreSQL reads from end to end for it."""
    at, operator = datetime.now(UTC), Actor(OPERATOR, Role.OPERATOR, is_person=True)
    decider = Actor("decision-maker-1", Role.DECISION_MAKER, mash_profile=True, is_person=True)
    page: dict[str, Any] = {"stages": (), "after": None, "limit": 50, "at": at}
    looks: dict[str, Callable[[Any], object]] = {
        "one referral": lambda s: follow.see(s, reference, by=decider, at=at),
        "list, operator": lambda s: follow.see_all(s, by=operator, **page),
        "list, duty team": lambda s: follow.see_all(s, by=duty(), **page),
        "list, closed": lambda s: follow.see_all(s, by=operator, **{**page, "stages": (Stage.CLOSED,)}),
        "queue": lambda s: queues.tasks_of(s, by=rep(AGENCY)),
        "queue, settled": lambda s: queues.tasks_of(s, settled=True, by=rep(AGENCY)),
    }
    return [plan for name, look in looks.items() for plan in _explained(name, look)]


def _explained(screen: str, look: Callable[[Any], object]) -> Iterator[dict[str, Any]]:
    with _statements() as said, unit_of_work() as session:
        look(session)
    for number, (statement, parameters) in enumerate(dict(said).items()):
        with database().connect() as connection:
            # A statement of our own, heard a moment ago.
            answer = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", json.loads(parameters))
            [(plan,)] = answer.fetchall()
        nodes = list(_nodes(plan[0]["Plan"]))
        yield {
            "screen": screen,
            "statement": f"{screen} {number + 1}: {' '.join(statement.partition('FROM')[2].split())[:90]}",
            "indexes": ", ".join(sorted({node["Index Name"] for node in nodes if "Index Name" in node})),
            "sequential scans": ", ".join(
                node["Relation Name"]
                for node in nodes
                if node["Node Type"].endswith("Seq Scan") and node["Relation Name"] in TABLES_OF_REFERRALS
            ),
        }


@contextmanager
def _statements() -> Iterator[list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT") and "mash_now" not in statement:
            said.append((statement, json.dumps(parameters, default=str, sort_keys=True)))

    sa.event.listen(database(), "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(database(), "before_cursor_execute", hear)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
