"""The hub's numbers: right, about nobody, and what dashboards and alerts are made of (issue 7 item 3)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

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
CONFIG = HOUSE / "deploy" / "prometheus" / "prometheus.yml"
SCRAPE_TIMEOUT = float(yaml.safe_load(CONFIG.read_text())["global"]["scrape_timeout"].removesuffix("s"))
RUN_BOOKS = HOUSE / "docs" / "run-books.md"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
_NAME = re.compile(r"\bmash_[a-z_]+")


@pytest.fixture
def served(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port at which Prometheus finds a hub in the middle of its work whose engine takes calls and never answers."""
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
    port = _free_port()
    command = [sys.executable, "-m", "engine.cli", "metrics", "--serve", str(port), "--home", str(tmp_path)]
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        engine = {"PREFECT_API_URL": f"http://127.0.0.1:{hangs.getsockname()[1]}/api"}
        with _running(command, {**os.environ, **engine}):
            wait_for(lambda: _listens(port), 120)
            yield port


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=environment, cwd=HOUSE, stdout=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_the_numbers_are_those_of_the_record_and_of_nobody(served: int, record: Record, tmp_path: Path) -> None:
    """R73: codes are the only labels; dashboard, alerts and run-books are made of numbers that are there"""
    exposition = httpx.get(f"http://127.0.0.1:{served}/metrics", timeout=SCRAPE_TIMEOUT, trust_env=False).text
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
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "metrics"], input=exposition, text=True, check=True)
    if shutil.which("prometheus"):
        _asked_of_prometheus(served, tmp_path)


def _asked_of_prometheus(hub: int, folder: Path) -> None:
    """A real Prometheus, told what ours tells it, reads the hub, answers every panel and works out every rule."""
    own = yaml.safe_load(CONFIG.read_text())
    own["global"] |= {"scrape_interval": "20s", "scrape_timeout": "20s", "evaluation_interval": "1s"}
    own["rule_files"] = [str(ALERTS)]
    own["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{hub}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(own))
    port = _free_port()
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip

    def said(about: str, **asked: str) -> Any:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/{about}", params=asked, timeout=30, trust_env=False)
        return answer.raise_for_status().json()["data"]

    with _running(command, dict(os.environ)):
        wait_for(lambda: _listens(port), 60)
        wait_for(lambda: said("query", query="mash_record_up")["result"], 90)
        panels = [panel["targets"][0]["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
        # What it compares with an hour ago has nothing to show yet.
        assert [e for e in panels if not said("query", query=e)["result"] and "[1h]" not in e] == []
        wait_for(lambda: {r["health"] for r in said("rules")["groups"][0]["rules"]} == {"ok"}, 30)


QUIET = {
    "mash_record_up": "1x120", "mash_engine_up": "1x120", "mash_workers_polling": "1x120",
    'mash_round_age_seconds{round="figures"}': "30x120", 'mash_referrals_held_up{why="NOT_CARRIED"}': "0x120",
    'mash_referrals_held_up{why="STOPPED_BY_OPERATOR"}': "0x120", 'mash_referrals_held_up{why="NO_ANSWER"}': "9x120",
    'mash_referrals_held_up{why="HUB_DOES_NOT_MOVE"}': "0x120", "mash_letter_oldest_seconds": "5x120",
    "mash_letters_undelivered": "0x120", "mash_post_held": "0x120", 'mash_checks_overdue{agency="POLICE"}': "3x120",
    "mash_checkpoint_age_seconds": "3600x120", "mash_figures_not_yet": "0x120", "mash_disk_free_bytes": "9e9x120",
    "mash_calendar_known_seconds": "9e7x120", "mash_agencies_without_agreement": "0x120",
}  # fmt: skip
#: What the hub's numbers do in two hours, where they are not quiet; and which alert stands at their end.
TWO_HOURS: list[tuple[dict[str, str], str | None]] = [
    ({}, None),
    (dict.fromkeys(QUIET, "_x120"), "NobodyMeasures"),
    ({"mash_record_up": "0x120"}, "RecordAway"),
    ({"mash_engine_up": "0x120", "mash_workers_polling": "0x120"}, "EngineAway"),
    ({"mash_engine_up": "1x115 0x5"}, None),
    ({"mash_workers_polling": "0x120"}, "NoWorkerPolls"),
    ({'mash_round_age_seconds{round="figures"}': "0+60x120"}, "NoTimekeeper"),
    ({'mash_referrals_held_up{why="NOT_CARRIED"}': "1x120"}, "ReferralsWaitForOperator"),
    ({'mash_referrals_held_up{why="STOPPED_BY_OPERATOR"}': "1x120"}, "ReferralsWaitForOperator"),
    ({'mash_referrals_held_up{why="HUB_DOES_NOT_MOVE"}': "1x120"}, "HubDoesNotMove"),
    ({"mash_letter_oldest_seconds": "0+60x120"}, "LettersAreStuck"),
    ({"mash_letter_oldest_seconds": "0+60x120", "mash_post_held": "1x120"}, "PostIsHeld"),
    ({"mash_letters_undelivered": "4x90 5x30"}, "LettersReachedNobody"),
    # The oldest of them is more than seven days old.
    ({"mash_letters_undelivered": "5x90 4x30"}, None),
    ({'mash_checks_overdue{agency="POLICE"}': "3x90 14x30"}, "ManyChecksOverdue"),
    ({'mash_checks_overdue{agency="POLICE"}': "14x120"}, None),
    ({"mash_checkpoint_age_seconds": "180000x120"}, "LedgerIsNotSigned"),
    ({"mash_figures_not_yet": "7x120"}, "FiguresAreBehind"),
    ({"mash_disk_free_bytes": "2e9x120"}, "DiskIsFilling"),
    ({"mash_calendar_known_seconds": "7900000x120"}, "BankHolidaysRunOut"),
    ({"mash_agencies_without_agreement": "1x120"}, "AgencyCannotBeAsked"),
]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not on this machine")
def test_each_alert_sounds_for_what_it_is_for_and_for_nothing_else(tmp_path: Path) -> None:
    """Each of two hours leads to one alert, or to none, as Prometheus itself works them out"""
    assert {alert for _, alert in TWO_HOURS if alert} == {rule["alert"] for rule in RULES}
    subprocess.run(["promtool", "check", "config", CONFIG], stdout=subprocess.DEVNULL, check=True)
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in {**QUIET, **ill}.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "2h",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else [],
                }
            ],
        }
        for ill, alert in TWO_HOURS
    ]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": tests}))
    told = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "tests.yml"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


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
