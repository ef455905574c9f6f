"""The loops that turn due wake rows into acts: the clock's own, and calls to the engine (architecture §2).

Any number of copies may run: each row is taken by one of them, and rounds are shared in turns that the record keeps.
Nothing is remembered between turns but the connections.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from casework.db import database, real_time, unit_of_work
from casework.notices import deliver_due, next_turn
from casework.post import held_since, waiting
from engine import clock_pages, hold_up_table, timeliness_table
from engine.alarms import watch_in_turn
from engine.anchoring import write_when_due
from engine.callers import Callers
from engine.deadlines import IS_THE_CLOCKS, keep_clock, keep_time
from engine.listener import Listener
from engine.patience import back_off
from engine.prune import prune_in_turn
from engine.rounds import keep_figures, keep_rounds
from engine.runs import Runs
from engine.story import tell_in_turn
from engine.sweep import sweep_in_turn
from engine.trouble import kind_of_error
from engine.waking import LONGEST_SLEEP, SHORTEST_SLEEP, Waking, seconds_to_next
from models import log_lines
from models.settings import settings
from rules.errors import Unavailable

__all__ = ["keep_clock", "main"]

log = logging.getLogger("mash.timekeeper")

#: Seconds between looks whether it is this copy's turn to prune.
PRUNE_LOOKS = 300.0
#: Seconds between looks whether a checkpoint of the ledger is due.
CHECKPOINT_LOOKS = 30.0
#: Seconds between looks whether the figures are to be worked out.
FIGURE_LOOKS = 30.0
#: What operators are shown on the engine's screen, each in a turn of its own.
PAGES = (hold_up_table, clock_pages, timeliness_table)
#: What a loop is told of when it waits: which tables have got a row, or another.
WAKES, LETTERS = ("wake", "scenario_clock"), ("notice",)
#: Rounds have a pause of their own, and are told of nothing.
NOTHING = ()
#: One turn of a loop: for how many seconds there is nothing more to do.
Loop = Callable[[], float]


def _repeat(stopping: threading.Event, name: str, tables: Collection[str], turn: Loop) -> None:
    """Take turns until told to stop. After a trouble, waits longer each time, whatever is said meanwhile."""
    ears, failures = Listener(tables), 0
    while not stopping.is_set():
        log_lines.begin()
        try:
            seconds = turn()
            failures = 0
        except Exception as trouble:
            failures += 1
            _say(name, trouble)
            stopping.wait(back_off(failures))
            continue
        if seconds:
            ears.wait(seconds)
    ears.close()


def _say(name: str, trouble: Exception) -> None:
    if isinstance(trouble, Unavailable):
        log.warning("%s: %s", name, trouble)
    else:
        log.error("%s: an unexpected %s", name, kind_of_error())


def _clock_turn() -> float:
    with unit_of_work() as session:
        seconds = seconds_to_next(session, LONGEST_SLEEP, IS_THE_CLOCKS)
    if seconds:
        return seconds
    return 0.0 if keep_time() else SHORTEST_SLEEP


def _rounds(stopping: threading.Event, pause: float, *acts: Callable[[], object]) -> Loop:
    """These, one after another, with so many seconds between: not to be hurried by what is said on the wire."""

    def turn() -> float:
        for act in acts:
            act()
        stopping.wait(pause)
        return 0.0

    return turn


def _post_turn() -> float:
    with unit_of_work() as session:
        # Leases and retries of letters are compared between machines: by the one clock that all of them share.
        real_now, turn = real_time(session), next_turn(session)
        if turn is None and (since := held_since(session)) and waiting(session):
            log.warning("letters wait, and none leaves since %s: see `mash post status`", since)
    if turn is None:
        return LONGEST_SLEEP
    if turn > real_now:
        return min(LONGEST_SLEEP, (turn - real_now).total_seconds())
    return 0.0 if deliver_due(real_now) else SHORTEST_SLEEP


def _runs(opened: ExitStack) -> Runs:
    """Each loop has a client of its own."""
    return Runs(opened.enter_context(get_client(sync_client=True)))


def main() -> None:
    """Run until SIGTERM or SIGINT: the clock, the engine's wakes, repair, and the post, each in its own thread."""
    log_lines.write_lines(settings().log, logging.INFO)
    # Apprise and the HTTP client would log recipients and addresses.
    for noisy in ("apprise", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    database()
    # The loops have patience of their own: the client's would hold up every other referral behind one call. One more
    # try is for a CSRF token that has run out.
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}), ExitStack() as opened:
        shown_by, looks = _runs(opened), settings().sweep_seconds / 4
        loops: list[tuple[str, Collection[str], Loop]] = [
            ("clock", WAKES, _clock_turn),
            ("engine", WAKES, Waking(_runs(opened), opened.enter_context(Callers(settings().engine_calls_at_once)))),
            ("repair", NOTHING, _rounds(stopping, looks, partial(sweep_in_turn, _runs(opened)))),
            ("story", NOTHING, _rounds(stopping, looks, partial(tell_in_turn, _runs(opened)))),
            ("pages", NOTHING, _rounds(stopping, looks, *(partial(each.show_in_turn, shown_by) for each in PAGES))),
            ("alarms", NOTHING, _rounds(stopping, looks, partial(watch_in_turn, _runs(opened)))),
            # First what needs no engine, which may be away.
            (
                "pruning",
                NOTHING,
                _rounds(stopping, PRUNE_LOOKS, keep_rounds, partial(prune_in_turn, _runs(opened), stopping)),
            ),
            ("post", LETTERS, _post_turn),
            ("checkpoint", NOTHING, _rounds(stopping, CHECKPOINT_LOOKS, write_when_due)),
            ("figures", NOTHING, _rounds(stopping, FIGURE_LOOKS, keep_figures)),
        ]
        for name, tables, turn in loops:
            # A thread does not inherit its maker's context, in which Prefect keeps the settings.
            within = partial(copy_context().run, _repeat, stopping, name, tables, turn)
            threading.Thread(target=within, name=name, daemon=True).start()
        log.info("keeping time")
        stopping.wait()
    log.info("stopped")


if __name__ == "__main__":
    main()
