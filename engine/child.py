"""What a forked child does for one start of a flow run: the same as `python -m prefect.engine`, with all imported.

Preloaded by the forkserver, so nothing here may start a thread, an event loop or a connection when imported.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import prefect.context
from prefect import Flow
from prefect._internal.metrics import RunMetrics
from prefect.context import SyncClientContext
from prefect.engine import _drive_run_flow_result, handle_engine_signals
from prefect.events.worker import EventsWorker
from prefect.flow_engine import load_flow, load_flow_run, run_flow
from prefect.logging.configuration import setup_logging
from prefect.logging.handlers import APILogWorker
from prefect.logging.loggers import flow_run_logger

from casework.db import database
from casework.register import current_profile
from engine import lean
from engine.deployments import module_of
from models.settings import settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

DRAIN_PATIENCE = 30.0


def run(
    flow_run_id: str,
    environment: Mapping[str, str],
    entrypoint: str | None,
    folder: str | None,
    known: Mapping[tuple[str, Any], Any],
) -> None:
    """Run one flow run to its end or to its next suspension; the process's exit code says which infrastructure ending.

    `entrypoint` and `folder` are the deployment's: the flow is taken from the modules already imported when it is
    there, and loaded as Prefect would otherwise. `known` is what each event of the run names, as `lean.remember`
    takes it.
    """
    # What the forkserver imported lives for ever: keep the collector from walking (and so copying) it.
    gc.freeze()
    # A ^C in the terminal is for the worker; a child ends by itself.
    os.setpgrp()
    _apply(environment)
    try:
        # One client, and so one connection, for all that this child says.
        with handle_engine_signals(UUID(flow_run_id)), SyncClientContext.get_or_create():
            lean.remember(known)
            _run(load_flow_run(UUID(flow_run_id)), entrypoint, folder)
    finally:
        _send_what_is_queued()


def _run(flow_run: FlowRun, entrypoint: str | None, folder: str | None) -> None:
    logger = flow_run_logger(flow_run=flow_run)
    try:
        flow = _imported(entrypoint, folder) or load_flow(flow_run)
    except Exception as error:
        # Its class only: the text of an exception may hold anything.
        logger.error("The flow could not be loaded: %s", type(error).__name__)
        raise
    if _is_named(flow_run, flow):
        # Named when it was created: not once more at every start.
        flow.flow_run_name = None
    with RunMetrics(flow_run, flow):
        # The state, not the result: a flow that failed and said so has ended well as a process.
        outcome = run_flow(flow, flow_run=flow_run, error_logger=logger.logger, return_type="state")
        _drive_run_flow_result(flow, outcome)


def _is_named(flow_run: FlowRun, flow: Flow[..., Any]) -> bool:
    pattern = flow.flow_run_name
    try:
        return isinstance(pattern, str) and pattern.format(**flow_run.parameters) == flow_run.name
    except (KeyError, IndexError, AttributeError):
        return False


def _imported(entrypoint: str | None, folder: str | None) -> Flow[..., Any] | None:
    """The flow among the modules the forkserver has imported, if it is the very file that the deployment means."""
    if not entrypoint or ":" not in entrypoint:
        return None
    base = Path(folder or ".").resolve()
    module = sys.modules.get(module_of(entrypoint))
    file = getattr(module, "__file__", None)
    if not file or Path(file).resolve() != (base / entrypoint.partition(":")[0]).resolve():
        return None
    os.chdir(base)
    flow = getattr(module, entrypoint.partition(":")[2], None)
    return flow if isinstance(flow, Flow) else None


def _apply(environment: Mapping[str, str]) -> None:
    """Take the environment of this run; what the forkserver has read is read again only when a setting differs."""
    changed = {name for name, value in environment.items() if os.environ.get(name) != value}
    os.environ.update(environment)
    if any(name.startswith("MASH_") for name in changed):
        for remembered in (settings, current_profile, database):
            remembered.cache_clear()
    if any(name.startswith("PREFECT_") and not name.startswith("PREFECT__") for name in changed):
        prefect.context.refresh_global_settings_context()
        setup_logging()


def _send_what_is_queued() -> None:
    """A forked child leaves by os._exit, which runs no exit hooks: events and logs would be lost."""
    logging.shutdown()
    for service in (APILogWorker, EventsWorker):
        service.drain_all(timeout=DRAIN_PATIENCE)


lean.prepare()
