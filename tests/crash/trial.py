"""One trial: scenarios side by side on a hub while the nemesis strikes, then calm, then the checker's verdict."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import psycopg

from engine import databases
from engine.credentials import load_or_create
from engine.postgres import SUPERUSER
from engine.stack import Stack
from models.settings import HOUSE
from tests.crash import recipients
from tests.crash.driver import PATIENCE, Journal, persistent
from tests.crash.nemesis import Nemesis
from tests.scenarios.case import Case
from tests.scenarios.play import Hub, Played, Scenario, play

CALM_WITHIN = 180.0
_UNRESTED = """
    SELECT (SELECT count(*) FROM wake WHERE due_at <= mash_now())
         + (SELECT count(*) FROM notice WHERE status IN ('WAITING', 'SENDING'))
         + (SELECT count(*) FROM referral WHERE stage IN ('RECEIVED', 'HANDING_BACK'))
"""


@dataclass
class Scene:
    """A running hub, with all that trials on it write down."""

    stack: Stack
    hub: Hub
    folder: Path
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.journal = Journal(self.folder / "journal.jsonl")
        recipients.write(HOUSE / "profiles" / "bnes.toml", self.folder / "recipients.json")

    def url(self, database: str) -> str:
        """A database of this hub as its superuser sees it, for psycopg."""
        secret = load_or_create(self.stack.home).postgres
        url = databases.url(SUPERUSER, secret, self.stack.ports.postgres, database, "psycopg")
        return url.replace("postgresql+psycopg://", "postgresql://")

    def judge(self, *figures: str) -> subprocess.CompletedProcess[str]:
        """The checker's verdict, from a process of its own."""
        command = [
            *(sys.executable, "-m", "tests.crash.checker", "--record", self.url(databases.RECORD)),
            *("--engine", self.url(databases.ENGINE), "--mail", str(self.hub.mail)),
            *("--journal", str(self.folder / "journal.jsonl"), "--recipients", str(self.folder / "recipients.json")),
            *figures,
        ]
        return subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)

    def calm_down(self, patience: float = CALM_WITHIN) -> float:
        """Wait until nothing is due, no notice waits, and no referral waits for the hub; gives after how long."""
        began = time.monotonic()
        while time.monotonic() - began < patience:
            try:
                with psycopg.connect(self.url(databases.RECORD), connect_timeout=5) as record:
                    row = record.execute(_UNRESTED).fetchone()
                    if row == (0,):
                        break
            except psycopg.OperationalError:
                pass
            time.sleep(0.5)
        return time.monotonic() - began


def renamed(scenario: Scenario, mark: str) -> Scenario:
    """The same story under a sender's id that was not used before."""

    @wraps(scenario)
    def fresh(case: Case) -> None:
        refer = case.is_referred

        def under_another_id(duty_team: str, document: dict[str, Any]) -> dict[str, Any]:
            return refer(duty_team, document | {"sender_id": f"{document['sender_id']} {mark}"})

        case.is_referred = under_another_id  # type: ignore[method-assign]
        scenario(case)

    return fresh


def storm(
    scene: Scene,
    scenarios: Sequence[Scenario],
    seed: str,
    *,
    strike: Callable[[Nemesis], None],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[list[Played], Nemesis]:
    """Play scenarios under fresh ids while `strike` lets the nemesis loose in a thread of its own; then calm."""
    nemesis = Nemesis(scene.stack, scene.journal, random.Random(seed), say)
    raging = threading.Thread(target=strike, args=(nemesis,), name="nemesis")
    raging.start()
    try:
        fresh = [renamed(scenario, seed) for scenario in scenarios]
        played = play(scene.hub, fresh, sign_in=persistent(scene.journal), patience=PATIENCE)
    finally:
        nemesis.stop()
        raging.join()
    scene.calm_down()
    return played, nemesis
