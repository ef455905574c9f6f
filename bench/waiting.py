"""Figure 4: what a waiting referral holds: processes, memory, and bytes in both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import psutil

from bench import copies, costs, dbos_side, people, wakeup
from bench.figures import Figure
from bench.ground import Ground, agencies
from bench.word import Word
from engine import databases

QUESTION = "What a waiting referral holds: processes, memory, bytes; beside pause_flow_run and DBOS"
LEVELS = (100, 1_000, 10_000)
DBOS_LEVELS = (100, 1_000)
IN_PROCESSES = 4
WAITING = "SELECT count(*) FROM referral WHERE stage = 'CHECKING'"


def measure(ground: Ground) -> Figure:
    """Fill the hub to each level and look at what it holds."""
    figure = Figure("waiting", QUESTION)
    _holds(ground, figure, 0, (0, 0))
    before = _bytes(ground)
    by_themselves(ground, LEVELS[0])
    for level in LEVELS:
        began = time.monotonic()
        missing = level - waiting_now(ground)
        fill(ground, level)
        if missing:
            figure.notes.append(f"{missing:,} copies up to {level:,} waiting took {time.monotonic() - began:.0f} s.")
        _holds(ground, figure, level, before)
    _pauses(ground, figure)
    _dbos(ground, figure)
    figure.notes += [
        f"The first {LEVELS[0]} came to their wait by themselves, through worker and timekeeper. The others are "
        "copies of one of these, row by row in the record and in the engine's tables (run, task runs, states), without "
        "its events and log lines: so bytes in the engine per waiting referral are those of life at "
        f"{LEVELS[0]}, and without events above it.",
        "Memory is proportional set size: shared pages counted once. PostgreSQL's includes its buffer cache as "
        "touched so far. DBOS: steps that do nothing before the wait, so only its own tables are counted.",
        f"pause_flow_run: {IN_PROCESSES} runs measured on a stock worker, multiplied.",
    ]
    return figure


def by_themselves(ground: Ground, count: int, patience: float = 600.0) -> None:
    """Referrals that come to wait for their agencies as every referral does."""
    references = [people.refers() for _ in range(max(0, count - waiting_now(ground)))]
    at_rest = (
        "SELECT count(*) FROM referral r WHERE reference = ANY(%s) AND stage = 'CHECKING' AND run_id IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM wake w WHERE w.reference = r.reference AND kind = 'RUN' AND due_at <= now())"
        " AND (SELECT count(*) FROM agency_check c WHERE c.reference = r.reference) = %s"
    )
    with ground.record() as record:
        until(
            lambda: record.execute(at_rest, (references, len(agencies()))).fetchone() == (len(references),),
            f"{count} referrals at rest", patience,
        )  # fmt: skip
        unsent = "SELECT count(*) FROM notice WHERE status <> 'SENT'"
        until(lambda: record.execute(unsent).fetchone() == (0,), "all mails sent", patience)
    # The last runs leave.
    time.sleep(2)


def fill(ground: Ground, level: int) -> None:
    """Copies of waiting referrals until so many wait."""
    by_themselves(ground, 1)
    with ground.record() as record:
        found = record.execute(
            "SELECT reference FROM referral r WHERE stage = 'CHECKING'"
            " AND (SELECT count(*) FROM agency_check c WHERE c.reference = r.reference AND status = 'REQUESTED') = %s"
            " ORDER BY received_at LIMIT 1",
            (len(agencies()),),
        ).fetchone()
    if found and (missing := level - waiting_now(ground)) > 0:
        copies.make(ground, str(found[0]), missing)


def waiting_now(ground: Ground) -> int:
    """How many referrals wait for their agencies."""
    with ground.record() as record:
        [(count,)] = record.execute(WAITING).fetchall()
    return int(count)


def _bytes(ground: Ground) -> tuple[int, int]:
    return ground.size(databases.RECORD), ground.size(databases.ENGINE)


def _holds(ground: Ground, figure: Figure, level: int, before: tuple[int, int]) -> None:
    time.sleep(3)
    held = {name: costs.memory(pid) for name, pid in costs.running_parts(ground.stack).items()}
    figure.tables.setdefault("Memory by part, MB", []).append(
        {"waiting": level, **{name: round(megabytes) for name, (_, megabytes) in held.items()}}
    )
    workers = held["worker"][0]
    figure.tables.setdefault("Processes of the worker (itself, its forkserver, multiprocessing's tracker)", []).append(
        {"waiting": level, "processes": workers}
    )
    if not level:
        return
    own = sum(megabytes for name, (_, megabytes) in held.items() if name != "postgres")
    figure.one("hub: memory of all parts but PostgreSQL", "MB", own, size=level)
    idle = figure.tables["Processes of the worker (itself, its forkserver, multiprocessing's tracker)"][0]["processes"]
    figure.one("hub: processes held by waiting referrals", "", workers - idle, size=level, at_most=0)
    record, engine = _bytes(ground)
    figure.one("hub: bytes per waiting referral, record", "B", (record - before[0]) / level, size=level)
    figure.one("hub: bytes per waiting referral, engine", "B", (engine - before[1]) / level, size=level)


def _pauses(ground: Ground, figure: Figure) -> None:
    word = Word(ground.word)
    with wakeup.stock_worker(ground, "pauses"):
        names = [uuid4().hex[:9] for _ in range(IN_PROCESSES)]
        for name in names:
            deployment = ground.deployment("pauses/stock")
            ground.engine.create_flow_run_from_deployment(deployment, parameters={"reference": name}, name=name)
        said: dict[str, dict[str, int]] = {}
        until(lambda: said.update(word.heard()) or set(names) <= set(said), "paused runs", 180)
        time.sleep(3)
        shared = set.intersection(*[{int(p["pid"]) for p in one["parents"]} for one in said.values()])  # type: ignore[attr-defined]
        own = [{int(one["pid"]), *(int(p["pid"]) for p in one["parents"])} - shared for one in said.values()]  # type: ignore[attr-defined]
        megabytes = [sum(psutil.Process(pid).memory_full_info().pss for pid in pids) / 1e6 for pids in own]
    each = figure.many("pause_flow_run: memory per waiting run", "MB", megabytes)
    figure.many("pause_flow_run: processes per waiting run", "", [len(pids) for pids in own])
    for level in LEVELS:
        figure.one("pause_flow_run: memory, multiplied", "MB", each.median * level, size=level)


def _dbos(ground: Ground, figure: Figure) -> None:
    with dbos_side.peer(ground) as peer:
        empty, started, idle = ground.size(dbos_side.DATABASE), 0, costs.memory(peer.pid)[1]
        figure.notes.append(f"DBOS: its process holds {idle:.0f} MB before the first workflow.")
        for level in DBOS_LEVELS:
            took = peer.ask({"waiting": level - started})["seconds"]
            figure.notes.append(f"DBOS: {level - started:,} workflows up to {level:,} waiting took {took:.0f} s.")
            started = level
            _, megabytes = costs.memory(peer.pid)
            figure.one("DBOS: memory of its one process", "MB", megabytes, size=level)
            bytes_each = (ground.size(dbos_side.DATABASE) - empty) / level
            figure.one("DBOS: bytes per waiting workflow", "B", bytes_each, size=level)


def until(so: Callable[[], bool], what: str, patience: float) -> float:
    """Wait for a fact; after how many seconds it was one. Raises TimeoutError when it does not become one."""
    began = time.monotonic()
    while not so():
        if time.monotonic() - began > patience:
            raise TimeoutError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began
