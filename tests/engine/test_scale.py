"""Two of everything on one PostgreSQL and one Redis; one of each is killed in the middle, and nothing is lost.

They work in the second shipped area, so that the pack is played in both (R70).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest

import migrations
from casework import register
from engine import surroundings as of_parts
from engine.credentials import load_or_create
from engine.ports import ANY_FREE, LOOPBACK
from engine.stack import Stack
from engine.trial import open_accounts
from models.settings import HOUSE
from tests.engine.balancer import Balancer
from tests.engine.conftest import wait_for
from tests.hub import IMPATIENT, surroundings
from tests.scenarios.pack import PACK
from tests.scenarios.play import Hub, play

pytestmark = [
    pytest.mark.scale,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("prefect_redis") is None, reason="the dependency group `scale` is not installed"
    ),
]
#: How many cases are played while that happens.
SCENARIOS = 4
#: Parts of which there are two, in the order in which one of each is killed.
PAIRS = ("portal", "worker", "timekeeper", "prefect")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


class House:
    """Processes by name; each in a session of its own, so that killing one kills what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], environment: dict[str, str], folder: Path = HOUSE) -> None:
        """Start a process whose output goes to a file."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """As a crash would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Everything, the last first."""
        for process in reversed(list(self.processes.values())):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _shared_settings(redis: int) -> dict[str, str]:
    """`deploy/prefect-shared.env`, with the address of this Redis."""
    lines = (HOUSE / "deploy" / "prefect-shared.env").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: value.replace("redis://redis:6379", f"redis://{LOOPBACK}:{redis}") for name, value in pairs}


@contextmanager
def _two_of_each(folder: Path) -> Iterator[tuple[Hub, House, dict[str, Balancer]]]:
    with ExitStack() as opened:
        stack = opened.enter_context(
            Stack(folder / "mash", ANY_FREE, without=("prefect", "worker", "timekeeper", "portal"))
        )
        area = {"MASH_PROFILE": str(HOUSE / "profiles" / "front-door.toml")}
        own, credentials = {**stack.environment(), **IMPATIENT, **area}, load_or_create(stack.home)
        migrations.upgrade(own["MASH_OWNER_DATABASE_URL"])
        house = House(folder)
        opened.callback(house.stop)
        redis = _free_port()
        house.start(
            "redis", ["redis-server", "--port", str(redis), "--bind", LOOPBACK, "--save", ""], dict(os.environ), folder
        )
        behind = {name: [_free_port(), _free_port()] for name in ("prefect", "portal")}
        balancers = {
            "prefect": Balancer(stack.ports.prefect, behind["prefect"]),
            "portal": Balancer(stack.ports.portal, behind["portal"]),
        }
        for balancer in balancers.values():
            opened.callback(balancer.close)
        with surroundings(own):
            tokens, profile = open_accounts(stack.home), register.current_profile()
        machine = of_parts.machine()
        for number, port in enumerate(behind["portal"]):
            serve = [sys.executable, "-m", "uvicorn", "--factory", "portal.app:create_app", "--port", str(port)]
            house.start(f"portal-{number}", serve, {**machine, **of_parts.without_engine(own)})
        for number, port in enumerate(behind["prefect"]):
            settings = {
                **of_parts.of_prefect_server(stack.home, stack.ports, credentials),
                **_shared_settings(redis),
                "PREFECT_SERVER_API_PORT": str(port),
                "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": str(number == 0).lower(),
            }
            serve = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", str(port)]
            house.start(f"prefect-{number}", serve, settings, stack.home / "prefect")
            if number == 0:
                # The others find its tables.
                wait_for(lambda port=port: _answers(f"http://{LOOPBACK}:{port}/api/health"), 600)
        for number in range(2):
            for name in ("worker", "timekeeper"):
                part = [sys.executable, "-m", f"engine.{name}"]
                house.start(f"{name}-{number}", part, {**machine, **of_parts.without_owner(own)})
        wait_for(lambda: all(_answers(f"http://{LOOPBACK}:{port}/api/health") for port in behind["prefect"]), 600)
        wait_for(lambda: all(map(_is_listening, behind["portal"])), 120)
        yield (
            Hub(
                url=own["MASH_PORTAL_URL"], tokens=tokens, mail=stack.home / "mail",
                owner_url=own["MASH_OWNER_DATABASE_URL"], profile=profile,
            ),
            house,
            balancers,
        )  # fmt: skip


def _is_listening(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((LOOPBACK, port)) == 0


class Killer:
    """Kills one of each pair, one after every so many acts of the cases."""

    def __init__(self, house: House, every: int) -> None:
        self.killed: list[str] = []
        self._house, self._every, self._acts = house, every, 0
        self._lock = threading.Lock()

    def __call__(self, _: str) -> None:
        with self._lock:
            self._acts += 1
            if self._acts % self._every == 0 and len(self.killed) < len(PAIRS):
                name = f"{PAIRS[len(self.killed)]}-0"
                self._house.kill(name)
                self.killed.append(name)


def test_with_two_of_each_part_one_of_each_may_be_killed_and_nothing_is_lost():
    """Issue 3, item 5; INV1, INV3, INV5, INV9, F3, F12; R70: agencies and duty teams are those of another area"""
    with tempfile.TemporaryDirectory(prefix="mash-scale-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with _two_of_each(folder) as (hub, house, balancers):
            killer = Killer(house, every=4)
            played = play(hub, PACK[:SCENARIOS], after_each_act=killer)
            assert {each.name: each.trouble for each in played if each.trouble} == {}
            assert {"CONSTABULARY", "CHILDREN_DESK"} <= {told for each in played for told in each.told}
            assert killer.killed == [f"{name}-0" for name in PAIRS]
            assert all(len(balancer.served) == 2 for balancer in balancers.values())
            _nothing_twice(hub)


def _nothing_twice(hub: Hub) -> None:
    with psycopg.connect(hub.owner_url.replace("+psycopg", "")) as record:
        breaches = record.execute(
            "SELECT count(*), count(DISTINCT (reference, detail ->> 'agency')) FROM ledger WHERE act = 'CHECK_BREACHED'"
        ).fetchall()
        open_ones = record.execute("SELECT count(*) FROM referral WHERE stage <> 'CLOSED'").fetchall()
        told = record.execute("SELECT count(*) - count(DISTINCT key) FROM notice").fetchall()
    [(noted, different)] = breaches
    assert noted == different
    assert told == [(0,)]
    assert open_ones == [(0,)]
