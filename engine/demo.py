"""`mash demo`: the scenario pack, played on the real parts, told as it happens."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.ports import ANY_FREE
from engine.stack import Stack
from models.profile import load_profile
from models.settings import HOUSE
from rules.errors import Misconfigured

Say = Callable[[str], None]


def play(home: Path, *, keep: bool, say: Say, stopping: threading.Event, profile: str | None = None) -> int:
    """Start a hub of its own in `home`, play every scenario, and say how each went. Returns the exit code.

    `profile` is the area's: the name of a shipped one, or a file; without it the one that is set, or B&NES. The data of
    an earlier demo is thrown away first. Raises Misconfigured outside a checkout, which holds the pack, and for a
    profile that is not right.
    """
    scenarios = _the_pack()
    if profile is not None:
        file = shipped(profile)
        load_profile(file)
        os.environ["MASH_PROFILE"] = str(file)
    say("demo: starting the hub (PostgreSQL, Prefect, worker, timekeeper, portal's API, mail) on this machine alone")
    _throw_away(home)
    with Stack(home, ANY_FREE, say=lambda sentence: say(f"  {sentence}")) as stack:
        os.environ.update(stack.environment())
        hub = _hub(stack, scenarios)
        pack = importlib.import_module("tests.scenarios.pack").of_area(hub.profile)
        say(f"demo: playing {len(pack)} scenarios side by side; a week of the hub's time passes meanwhile\n")
        results = scenarios.play(hub, pack, finished=lambda played: say(_told(stack, played)))
        failed = [played for played in results if played.trouble]
        say(f"\ndemo: {len(results) - len(failed)} scenarios passed, {len(failed)} failed")
        if keep:
            operator = stack.environment()["PREFECT_API_AUTH_STRING"]
            say(f"demo: still running; Prefect UI at http://127.0.0.1:{stack.ports.prefect} (sign in with {operator})")
            say("demo: Ctrl-C stops it")
            with suppress(KeyboardInterrupt):
                stopping.wait()
        else:
            say("demo: all of it stops now; with --keep it stays, and the pages of the runs can be looked at")
    return 1 if failed else 0


def shipped(profile: str) -> Path:
    """The file of a profile: a shipped one by its name, such as front-door, or a file as it is given."""
    by_name = HOUSE / "profiles" / f"{profile}.toml"
    return (by_name if "/" not in profile and by_name.is_file() else Path(profile)).resolve()


def _the_pack() -> Any:
    if not (HOUSE / "tests" / "scenarios").is_dir():
        raise Misconfigured("the scenario pack is in tests/scenarios of a checkout: run `mash demo` from there")
    sys.path.insert(0, str(HOUSE))
    return importlib.import_module("tests.scenarios.play")


def _hub(stack: Stack, scenarios: Any) -> Any:
    from casework.register import current_profile  # noqa: PLC0415 -- needs the stack's settings in the environment
    from engine.trial import open_accounts  # noqa: PLC0415

    return scenarios.Hub(
        url=f"http://127.0.0.1:{stack.ports.portal}",
        tokens=open_accounts(stack.home),
        mail=stack.home / "mail",
        owner_url=stack.environment()["MASH_OWNER_DATABASE_URL"],
        profile=current_profile(),
    )


def _told(stack: Stack, played: Any) -> str:
    lines = [
        f"{'✗' if played.trouble else '✓'} {played.name}: {played.story}",
        f"    clocks: {played.clocks or 'none'}",
        f"    told: {', '.join(played.told) or 'nobody'}",
    ]
    if played.run_id:
        lines.append(
            f"    run {played.reference}: http://127.0.0.1:{stack.ports.prefect}/runs/flow-run/{played.run_id}"
        )
    if played.trouble:
        lines.append(f"    what went wrong: {played.trouble}")
    return "\n".join(lines)


def _throw_away(home: Path) -> None:
    """Only a folder that a hub made is thrown away; `Stack` sees to what may still be running in it."""
    if (home / "secrets.json").exists():
        with Stack(home, ANY_FREE, without=("postgres", "sink", "portal", "prefect", "worker", "timekeeper")):
            pass
        shutil.rmtree(home)
