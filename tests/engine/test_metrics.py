"""The hub's numbers: right, about nobody, and what dashboards and alerts are made of (issue 7 item 3)."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from casework import checkpoints
from casework.db import real_time
from casework.hold_ups import Why
from casework.repairs import take_turn
from casework.upkeep import lateness
from engine.rounds import MINUTE
from models.settings import HOUSE
from reports import refresh
from rules.stages import Stage
from tests.casework.factory import DUE, act, open_hub, walk
from tests.casework.test_restore import KEY
from tests.engine.conftest import wait_for
from tests.record import Record, forget_settings

ALERTS = HOUSE / "deploy" / "prometheus" / "mash.yml"
DASHBOARD = HOUSE / "deploy" / "grafana" / "mash.json"
RUN_BOOKS = HOUSE / "docs" / "run-books.md"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
_NAME = re.compile(r"\bmash_[a-z_]+")


@pytest.fixture
def exposition(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Prometheus reads of a hub in the middle of its work whose engine is away."""
    monkeypatch.setenv("MASH_CHECKPOINTS", str(tmp_path))
    forget_settings()
    open_hub()
    walk(Stage.AWAITING_DECISION, sender_id="waits")
    walk(Stage.CLOSED, sender_id="closed")
    act(refresh.refresh)
    walk(Stage.CHECKING, sender_id="asked")
    act(take_turn, "figures", MINUTE)
    act(lambda session: checkpoints.write(tmp_path, checkpoints.heads(session), KEY, at=real_time(session)))
    with record.as_owner() as owner:
        owner.execute("INSERT INTO scenario_clock (id, now) VALUES (1, %s)", (DUE + timedelta(hours=1),))
    return _as_scraped(tmp_path)


def _as_scraped(home: Path) -> str:
    """From the command, in a process of its own, over HTTP on loopback."""
    port = _free_port()
    command = [sys.executable, "-m", "engine.cli", "metrics", "--serve", str(port), "--home", str(home)]
    away = {"PREFECT_API_URL": f"http://127.0.0.1:{_free_port()}/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    with subprocess.Popen(command, env={**os.environ, **away}, cwd=HOUSE, stdout=subprocess.PIPE) as process:
        try:
            wait_for(lambda: _listens(port), 120)
            return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=120, trust_env=False).text
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_the_numbers_are_those_of_the_record_and_of_nobody(exposition: str, record: Record) -> None:
    """R73: codes are the only labels; dashboard, alerts and run-books are made of numbers that are there"""
    families = {family.name: family.samples for family in text_string_to_metric_families(exposition)}
    value = {(s.name, *s.labels.values()): s.value for samples in families.values() for s in samples}
    assert value["mash_record_up",] == 1
    assert value["mash_engine_up",] == 0
    assert value["mash_referrals_open", "CHECKING"] == 1
    assert value["mash_referrals_open", "AWAITING_DECISION"] == 1
    assert ("mash_referrals_open", "CLOSED") not in value
    assert value["mash_checks", "REQUESTED"] == value["mash_referrals_held_up", "NO_ANSWER"] == 4
    assert value["mash_checks_overdue", "POLICE"] == 1
    assert value["mash_check_lateness_seconds", "POLICE"] == 3600 == act(lateness)["POLICE"][1].total_seconds()
    assert value["mash_checks_overdue", "RUH"] == 0
    [[unsent]] = record.ask("SELECT count(*) FROM notice WHERE status = 'WAITING'")
    assert value["mash_letters_unsent",] == unsent > 0
    assert value["mash_letter_oldest_seconds",] > 3600
    assert [[value["mash_ledger_last_entry",]]] == [list(row) for row in record.ask("SELECT max(id) FROM ledger")]
    assert value["mash_figures_not_yet",] == 1
    assert value["mash_agencies_without_agreement",] == value["mash_post_held",] == 0
    assert 0 <= value["mash_checkpoint_age_seconds",] < 600
    labels = {(name, text) for samples in families.values() for s in samples for name, text in s.labels.items()}
    assert {name for name, _ in labels} == {"stage", "status", "agency", "why", "round"}
    assert all(re.fullmatch(r"[A-Z_]+|figures", text) for _, text in labels)
    assert not any(row[0] in exposition for row in record.ask("SELECT reference FROM referral"))
    used = set(_NAME.findall(DASHBOARD.read_text())) | {n for rule in RULES for n in _NAME.findall(rule["expr"])}
    assert used - set(families) == set()
    assert set(families) - set(_NAME.findall(DASHBOARD.read_text())) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_leads_to_a_run_book(rule: dict[str, object]) -> None:
    """So that nobody is woken without being told what to do"""
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    page, _, anchor = annotations["runbook"].partition("#")
    assert HOUSE / page == RUN_BOOKS
    headings = re.findall(r"^## (.+)$", RUN_BOOKS.read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert annotations["summary"].endswith(".")


def test_alerts_name_reasons_that_there_are() -> None:
    """A code that was renamed would never alarm again"""
    named = {
        code for rule in RULES for group in re.findall(r'why=~?"([A-Z_|]+)"', rule["expr"]) for code in group.split("|")
    }
    assert named
    assert named <= set(Why)


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    """Each panel has a place of its own, and asks something"""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (p["x"] + dx, p["y"] + dy)
        for panel in panels
        for p in [panel["gridPos"]]
        for dx in range(p["w"])
        for dy in range(p["h"])
    ]
    assert len(set(places)) == len(places)
    assert all(x < 24 for x, _ in places)
    assert all(panel["targets"][0]["expr"] and panel["title"] for panel in panels)
