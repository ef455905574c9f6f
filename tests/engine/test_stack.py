"""The parts together: killed, left behind, and told apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from engine.ports import ANY_FREE
from engine.stack import Stack, _kept_elsewhere
from engine.surroundings import backstage, without_engine
from tests.engine.conftest import wait_for

ABANDONED = """
import os, sys, signal
from pathlib import Path
from engine.ports import ANY_FREE
from engine.stack import Stack, _kept_elsewhere
from engine.surroundings import without_engine
stack = Stack(Path(sys.argv[1]), ANY_FREE, without=["portal", "prefect", "worker", "timekeeper"])
stack.start()
print(stack.part("postgres").pid, stack.part("sink").pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_copy_left_running_is_stopped_by_the_next(home: Path):
    left = subprocess.run([sys.executable, "-c", ABANDONED, home], capture_output=True, text=True, check=False)
    postgres, sink = map(int, left.stdout.split())
    assert psutil.pid_exists(postgres)
    said: list[str] = []
    with Stack(home, ANY_FREE, without=["portal", "prefect", "worker", "timekeeper"], say=said.append):
        assert not psutil.pid_exists(postgres)
        assert not psutil.pid_exists(sink)
    assert any(f"process {postgres}" in sentence for sentence in said)


@pytest.mark.parametrize("name", ["sink", "worker"])
def test_a_part_that_dies_is_started_again(engine_stack: Stack, name: str):
    killed = engine_stack.part(name).pid
    engine_stack.kill(name)
    wait_for(lambda: engine_stack.part(name).pid not in (None, killed))


def test_no_secret_of_a_part_is_readable_by_others(engine_stack: Stack):
    assert (engine_stack.home / "secrets.json").stat().st_mode & 0o077 == 0


def test_the_engine_opens_to_nobody_without_its_password(engine_stack: Stack):
    api = engine_stack.environment()["PREFECT_API_URL"]
    assert httpx.get(f"{api}/admin/settings").status_code == 401


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("api", "csrf_protection_enabled", True),
        ("api", "host", "127.0.0.1"),
        (None, "analytics_enabled", False),
    ],
)
def test_the_engine_is_set_as_the_threat_model_asks(
    engine_stack: Stack, section: str | None, setting: str, value: object
):
    own = engine_stack.environment()
    user, password = own["PREFECT_API_AUTH_STRING"].split(":")
    server = httpx.get(f"{own['PREFECT_API_URL']}/admin/settings", auth=(user, password)).json()["server"]
    assert (server[section] if section else server)[setting] == value


def test_only_this_machine_can_reach_the_parts(engine_stack: Stack):
    for name in ("postgres", "sink", "prefect"):
        pid = engine_stack.part(name).pid
        assert pid is not None
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        listening = {
            connection.laddr.ip
            for process in family
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("given", "started"),
    [
        ({}, {"postgres", "prefect", "sink"}),
        ({"MASH_MAIL_URL": "mailto://mail.localhost"}, {"postgres", "prefect"}),
        ({"MASH_DATABASE_URL": "postgresql+psycopg://db.localhost/mash"}, {"postgres", "prefect", "sink"}),
        ({"PREFECT_API_URL": "http://prefect.localhost/api"}, {"postgres", "sink"}),
        (
            {
                "MASH_DATABASE_URL": "postgresql+psycopg://db.localhost/mash",
                "PREFECT_API_URL": "http://p.localhost/api",
            },
            {"sink"},
        ),
    ],
)
def test_what_a_site_runs_itself_is_not_started(given: dict[str, str], started: set[str]):
    assert {"postgres", "prefect", "sink"} - _kept_elsewhere(given) == started


def test_the_portal_holds_no_key_to_the_engine_nor_to_the_records_tables(engine_stack: Stack):
    for_portal = without_engine(engine_stack.environment())
    assert "MASH_DATABASE_URL" in for_portal
    assert not [name for name in for_portal if name.startswith("PREFECT_") or "OWNER" in name]


def test_only_the_portal_holds_the_key_to_a_councils_sign_in_service():
    """R46, architecture §8: no part has a secret that it does not need"""
    own = {"MASH_OIDC_CLIENT_SECRET": "s", "MASH_OIDC_ISSUER": "i", "MASH_KEY": "k", "MASH_OWNER_DATABASE_URL": "o"}
    assert set(backstage(own)) == {"MASH_KEY"}
    assert set(without_engine(own)) == {"MASH_OIDC_CLIENT_SECRET", "MASH_OIDC_ISSUER", "MASH_KEY"}
