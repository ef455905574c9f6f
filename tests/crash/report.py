"""A campaign's results as crash.json and crash.md: the date, the machine in words, seeds, and counts by kind."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.crash.nemesis import is_kill

COMMAND = "python -m tests.crash.campaign"


@dataclass(frozen=True)
class Results:
    """What a campaign found. `ends`: how the hub's answers ended, by kind of ending."""

    at: str
    seed: str
    minutes: float
    verdict: str
    struck: dict[str, int]
    kills: int
    ends: dict[str, int]
    trials: list[dict[str, Any]]


def ends(journal: Path) -> dict[str, int]:
    """How many acts were answered, found done after silence, found done after a 503, or refused."""
    notes = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    return dict(sorted(Counter(f"{note['end']}: {note['how']}" for note in notes if "end" in note).items()))


def machine() -> str:
    """This machine in words."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, Python {platform.python_version()}"
    )


def write(folder: Path, results: Results) -> None:
    """Write both files, over those of the campaign before."""
    document = {"machine": machine(), "load": [round(load, 2) for load in os.getloadavg()], **asdict(results)}
    (folder / "crash.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "crash.md").write_text(_page(results))


def _page(results: Results) -> str:
    rows = [f"| {kind} | {times} | {'yes' if is_kill(kind) else 'no'} |" for kind, times in results.struck.items()]
    ended = [f"| {how} | {times} |" for how, times in results.ends.items()]
    bad = [
        f"- {trial['seed']}: {line}" for trial in results.trials for line in [*trial["trouble"], *trial["violations"]]
    ]
    return "\n".join([
        "# Crash trials, long form", "",
        f"{results.at}, on {machine()}. `{COMMAND} --kills … --seed {results.seed} --results bench`;",
        f"{len(results.trials)} trials in {results.minutes} minutes, each with six scenarios of the pack side by side",
        "on one hub (PostgreSQL, Prefect server, warm worker, timekeeper, portal, SMTP sink). Mail is tried again",
        "after 1, 2, 3 s instead of the profile's 10, 60, 300 s, lost runs are looked for every 5 s instead of 20.",
        "The checker reads the record of all trials:", "",
        f"    {results.verdict}", "",
        f"Replay one trial with `{COMMAND} --only SEED`: its seed draws scenarios and strikes; moments then vary with",
        "the machine.", "",
        "| strike | times | kills |", "|---|---|---|", *rows, f"| kills in all | {results.kills} | |", "",
        "| how an act ended for its sender | times |", "|---|---|", *ended, "",
        "A freeze holds a part with SIGSTOP for 1 to 13 s, mostly short. “Found”: the sender had no answer, read",
        "the state, and saw that its act had taken effect.", "",
        "## Violations and scenarios that did not go as they say", "",
        *(bad or ["None."]), "",
        "## Seeds", "",
        *(f"- {trial['seed']}: {trial['seconds']} s, {', '.join(trial['scenarios'])}" for trial in results.trials), "",
    ])  # fmt: skip
