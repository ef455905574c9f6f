"""The long form of the faults that storms do not hold: `python -m tests.crash.singles [--only F7] [--seed S]`.

F7: PostgreSQL killed at every statement and every commit of a recovery. F25: a disk filled and emptied again and again.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.faults import Bench
from tests.crash.recovery import struck_while_recovering
from tests.crash.small_disk import FULL, CannotMount, refusals_while_full, small_hub
from tests.crash.trial import Scene
from tests.hub import running_hub

#: How often a disk is filled, in turn for data and for the write-ahead log.
FILLED = 20


def main() -> int:
    """Play what was asked for, or both; 0 only when nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.singles", description="Single faults, long form.")
    parser.add_argument("--only", choices=FAULTS, help="one of them")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    asked = parser.parse_args()
    wanted = [asked.only] if asked.only else list(FAULTS)
    violations = [line for name in wanted for line in FAULTS[name](asked.seed)]
    say("\n".join([*violations, f"{len(violations)} violations"]))
    return 1 if violations else 0


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def killed_in_recovery(seed: str) -> list[str]:
    """F7: at each point once, in an order drawn from the seed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mash-crash-") as folder, running_hub(Path(folder)) as (stack, hub):
        bench = Bench(Scene(stack, hub, Path(folder) / "told"))
        references, kills = struck_while_recovering(
            bench, f"singles {seed}", lambda points: random.Random(seed).sample(range(points), points)
        )
        bench.scene.calm_down()
        found = bench.is_sound(*references)
    say(
        f"F7: {kills} kills in recoveries of {len(references)} referrals, {time.monotonic() - began:.0f} s, seed {seed}"
    )
    return [f"F7: {line}" for line in found]


def filled(_seed: str) -> list[str]:
    """F25: in turn for data and for the write-ahead log; what was acknowledged is compared after each."""
    with tempfile.TemporaryDirectory(prefix="mash-small-") as folder:
        Path(folder).chmod(0o711)
        try:
            with small_hub(Path(folder)) as hub:
                found = [line for turn in range(FILLED) for line in refusals_while_full(hub, FULL[turn % 2], str(turn))]
        except CannotMount as reason:
            say(f"F25: skipped: {reason}")
            return []
    say(f"F25: the disk was full {FILLED} times")
    return [f"F25: {line}" for line in found]


FAULTS: dict[str, Callable[[str], list[str]]] = {"F7": killed_in_recovery, "F25": filled}


if __name__ == "__main__":
    sys.exit(main())
