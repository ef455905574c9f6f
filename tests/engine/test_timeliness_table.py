"""Timeliness on the engine's screen: the analyst's board for operators, and nothing of a case (issue 6, point 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from engine.runs import Runs
from engine.stack import Stack
from engine.timeliness_table import KEY, show
from reports import figures, refresh
from reports.figures import Asked, By, usual_first
from rules.stages import Stage
from tests.casework.factory import AFTERNOON, act, open_hub, walk
from tests.record import Record
from tests.reports.conftest import held


@pytest.fixture
def engine(engine_stack: Stack) -> Iterator[SyncPrefectClient]:
    """The engine that operators look at."""
    own = engine_stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with temporary_settings(where), get_client(sync_client=True) as client:
        yield client


def test_operators_get_the_figures_of_the_analysts_board_in_codes_and_counts(record: Record, engine: SyncPrefectClient):
    """Issue 6, point 3: shown twice, it is there once"""
    open_hub()
    reference = walk(Stage.AWAITING_DECISION)
    act(refresh.refresh)
    with held(record, AFTERNOON):
        show(Runs(engine))
        show(Runs(engine))
    wanted = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[KEY]))
    [shown] = engine.read_latest_artifacts(artifact_filter=wanted)
    rows = json.loads(str(shown.data))
    today = AFTERNOON.date()
    board = act(figures.table, Asked(usual_first(today), today), By.AGENCY)
    assert [(row["agency"], row["asked"], row["on time"], row["median minutes"]) for row in rows] == [
        (row.of or "all", row.asked, row.on_time, row.median_open_minutes) for row in (*board.rows, board.total)
    ]
    assert len(rows) > 2
    assert "Agency checks asked 01 Dec 2025 to 16 Mar 2026" in (shown.description or "")
    assert reference not in f"{shown.data} {shown.description}"
